import { type Locator, type Page, errors } from 'playwright-core';
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

  /** What stands above the rows; empty where nothing does. */
  async message(): Promise<string> {
    return (await this.container.locator('.tree-explorer-viewlet-tree-view .message').allInnerTexts()).join(' ').trim();
  }

  /** What is shown beside a row while the pointer rests on it, as the document that it is. */
  async tooltip(text: RegExp): Promise<Locator> {
    const tooltip = this.page.locator('.workbench-hover').last();
    await eventually(`a tooltip of the row ${text}`, 30_000, async () => {
      const row = await this.row(text);
      await this.page.mouse.move(5, 5);
      await row?.locator('.label-name').hover({ timeout: 2_000 });
      return tooltip.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => undefined,
      );
    });
    return tooltip;
  }

  /** The row that matches, once there is one. */
  async item(text: RegExp, timeoutMs = 30_000): Promise<string> {
    return eventually(`a tree row like ${text}`, timeoutMs, async () =>
      (await this.items()).find((item) => text.test(item)),
    );
  }

  async click(text: RegExp): Promise<void> {
    await this.press(text, '.label-name');
  }

  /** Opens a row's children. */
  async expand(text: RegExp): Promise<void> {
    const isOpen = async () => (await (await this.row(text))?.getAttribute('aria-expanded')) === 'true';
    await eventually(`the row ${text} opened`, 30_000, async () => {
      if (!(await isOpen())) await this.press(text, '.monaco-tl-twistie');
      return (await isOpen()) || undefined;
    });
  }

  /** Clicks the icon named `action` that a row shows while the pointer is over it. */
  async inlineAction(text: RegExp, action: RegExp): Promise<void> {
    await this.press(text, '.actions .action-label', { label: action });
  }

  /** Chooses an entry of a row's context menu. */
  async contextMenu(text: RegExp, entry: string): Promise<void> {
    await this.press(text, '.label-name', { button: 'right' });
    const chosen = this.page.locator('.context-view .action-label', { hasText: entry }).first();
    await chosen.waitFor();
    // A menu passes over clicks right after it has opened.
    await this.page.waitForTimeout(700);
    await chosen.click();
  }

  /**
   * Presses a part of a row. Rows move and are drawn anew while one aims, and then a press hits another row or is lost between button
   * down and up: the window lets only one through that goes to the part meant, and it is repeated until one has.
   */
  private async press(
    text: RegExp,
    part: string,
    { label, button = 'left' }: { label?: RegExp; button?: 'left' | 'right' } = {},
  ): Promise<void> {
    const aim = { row: text.source, part, label: label?.source, ends: button === 'left' ? 'click' : 'contextmenu' };
    await eventually(`${label ?? part} pressed on the row ${text}`, 60_000, async () => {
      const row = await this.row(text);
      if (!row) return undefined;
      try {
        await row.hover({ timeout: 2_000 });
        const parts = row.locator(part);
        const names = await parts.evaluateAll((found) => found.map((one) => one.getAttribute('aria-label') ?? ''));
        const index = label ? names.findIndex((name) => label.test(name)) : 0;
        if (index < 0) return undefined;
        await this.page.evaluate(guardPresses, aim);
        await parts.nth(index).click({ button, timeout: 2_000 });
      } catch (error) {
        if (!(error instanceof errors.TimeoutError)) throw error;
      }
      return (await this.page.evaluate(endGuard)) || undefined;
    });
  }

  private rows(): Locator {
    return this.container.locator('.monaco-list-row[role="treeitem"]');
  }

  /** The row that matches now; undefined when there is none. */
  private async row(text: RegExp): Promise<Locator | undefined> {
    const index = (await this.items()).findIndex((item) => text.test(item));
    return index < 0 ? undefined : this.rows().nth(index);
  }
}

interface Guarded {
  pressGuard?: { hit: boolean; end: () => void };
}

/** In the page: stops every press that does not go to the part of the row meant, and notes one that has gone there. */
function guardPresses(aim: { row: string; part: string; label: string | undefined; ends: string }): void {
  const isMeant = (target: EventTarget | null): boolean => {
    if (!(target instanceof Element)) return false;
    const row = target.closest('.monaco-list-row[role="treeitem"]');
    const part = target.closest(aim.part);
    const words = ['.label-name', '.label-description'].map(
      (one) => row?.querySelector(one)?.textContent?.trim() ?? '',
    );
    const label = part?.getAttribute('aria-label') ?? '';
    return (
      row !== null &&
      part !== null &&
      new RegExp(aim.row).test(words.join(' ').trim()) &&
      (aim.label === undefined || new RegExp(aim.label).test(label))
    );
  };
  const kinds = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'auxclick', 'contextmenu'];
  const listen = (event: Event): void => {
    if (!isMeant(event.target)) {
      event.stopImmediatePropagation();
      event.preventDefault();
    } else if (event.type === aim.ends) guard.hit = true;
  };
  const guard = { hit: false, end: () => kinds.forEach((kind) => window.removeEventListener(kind, listen, true)) };
  for (const kind of kinds) window.addEventListener(kind, listen, true);
  (window as Guarded).pressGuard?.end();
  (window as Guarded).pressGuard = guard;
}

/** In the page: whether a press has gone where it was meant to. */
function endGuard(): boolean {
  const { pressGuard } = window as Guarded;
  pressGuard?.end();
  return pressGuard?.hit ?? false;
}
