import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';

/** The rows of a tree view. */
export class TreePage {
  constructor(
    private readonly page: Page,
    private readonly container: Locator,
  ) {}

  /** Label and description of every visible row. */
  async items(): Promise<string[]> {
    return this.rows().evaluateAll((rows) =>
      rows.map((row) =>
        ['.label-name', '.label-description']
          .map((part) => row.querySelector(part)?.textContent?.trim() ?? '')
          .join(' ')
          .trim(),
      ),
    );
  }

  /** The row that matches, once there is one. */
  async item(text: RegExp, timeoutMs = 30_000): Promise<string> {
    return eventually(`a tree row like ${text}`, timeoutMs, async () =>
      (await this.items()).find((item) => text.test(item)),
    );
  }

  async click(text: RegExp): Promise<void> {
    await (await this.row(text)).click();
  }

  /** Opens a row's children. */
  async expand(text: RegExp): Promise<void> {
    const row = await this.row(text);
    if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  }

  /** Clicks the icon named `action` that a row shows while the pointer is over it. */
  async inlineAction(text: RegExp, action: RegExp): Promise<void> {
    const row = await this.row(text);
    await row.hover();
    const icons = row.locator('.actions .action-label');
    await eventually(`an action like ${action} on the row ${text}`, 10_000, async () => {
      for (const icon of await icons.all()) {
        if (action.test((await icon.getAttribute('aria-label')) ?? '')) {
          await icon.click();
          return true;
        }
      }
      return undefined;
    });
  }

  /** Chooses an entry of a row's context menu. */
  async contextMenu(text: RegExp, entry: string): Promise<void> {
    await (await this.row(text)).click({ button: 'right' });
    const chosen = this.page.locator('.context-view .action-label', { hasText: entry }).first();
    await chosen.waitFor();
    // A menu passes over clicks right after it has opened.
    await this.page.waitForTimeout(700);
    await chosen.click();
  }

  private rows(): Locator {
    return this.container.locator('.monaco-list-row[role="treeitem"]');
  }

  private async row(text: RegExp): Promise<Locator> {
    await this.item(text);
    const index = (await this.items()).findIndex((item) => text.test(item));
    return this.rows().nth(index);
  }
}
