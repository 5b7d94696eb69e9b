import { type Locator, type Page, errors } from 'playwright-core';
import { eventually } from '../eventually.ts';

/** The box at the top of the window: command palette, lists to choose from, questions to answer. */
export class QuickInput {
  private readonly box: Locator;
  private readonly input: Locator;

  constructor(private readonly page: Page) {
    this.box = page.locator('.quick-input-widget');
    this.input = this.box.locator('.quick-input-box input').first();
  }

  async openPalette(): Promise<void> {
    await this.openWith('F1');
  }

  async openFiles(): Promise<void> {
    await this.openWith('Control+P');
  }

  async search(text: string): Promise<void> {
    await this.input.fill(text);
  }

  /** Searches a list and chooses the row that begins so; false when the list or the row is not there in time. */
  async tryToFindAndPick(row: string, withinMs: number): Promise<boolean> {
    try {
      await this.input.fill(row, { timeout: withinMs });
    } catch (error) {
      if (error instanceof errors.TimeoutError) return false;
      throw error;
    }
    return this.tryToPick(row, withinMs);
  }

  /** Labels of the rows on offer, once there are some. */
  async items(): Promise<string[]> {
    await this.rows().first().waitFor({ timeout: 30_000 });
    return this.labels();
  }

  /** The title or the prompt that the box shows. */
  async prompt(): Promise<string> {
    await this.input.waitFor();
    return (await this.box.locator('.quick-input-title, .quick-input-message').allInnerTexts()).join(' ').trim();
  }

  /** Chooses the row whose label is or begins with `label`, or matches it. */
  async pick(label: string | RegExp): Promise<void> {
    if (!(await this.tryToPick(label, 30_000)))
      throw new Error(`There is no row '${String(label)}' among: ${(await this.items()).join('; ')}`);
  }

  /** Like `pick`, but says whether there was such a row in time. */
  async tryToPick(label: string | RegExp, withinMs: number): Promise<boolean> {
    const deadline = Date.now() + withinMs;
    while (Date.now() < deadline) {
      const labels = await this.labels();
      const found = labels.find((text) => (typeof label === 'string' ? text.startsWith(label) : label.test(text)));
      if (found !== undefined && (await this.click(found))) return true;
      await this.page.waitForTimeout(100);
    }
    return false;
  }

  /** Ticks the rows that match in a list of several choices, and confirms. */
  async pickSeveral(labels: readonly (string | RegExp)[]): Promise<void> {
    for (const label of labels) await this.pick(label);
    await this.accept();
  }

  /** Types an answer and confirms it. */
  async answer(text: string): Promise<void> {
    await this.input.waitFor({ timeout: 30_000 });
    await this.input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Confirms the row or text that is already there. */
  async accept(): Promise<void> {
    await this.input.waitFor({ timeout: 30_000 });
    await this.page.keyboard.press('Enter');
  }

  async cancel(): Promise<void> {
    await this.page.keyboard.press('Escape');
  }

  async isOpen(): Promise<boolean> {
    return this.box.isVisible();
  }

  /** False when the list was filled anew before the click: rows come and go while a list is being made. */
  private async click(label: string): Promise<boolean> {
    try {
      await this.box
        .locator(`.monaco-list-row[aria-label=${JSON.stringify(label)}]`)
        .first()
        .click({ timeout: 2_000 });
      return true;
    } catch (error) {
      if (error instanceof errors.TimeoutError) return false;
      throw error;
    }
  }

  private labels(): Promise<string[]> {
    return this.rows().evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? row.textContent));
  }

  private rows(): Locator {
    return this.box.locator('.quick-input-list .monaco-list-row');
  }

  /** A key press is lost while the workbench is still loading, so it is pressed until the box opens. */
  private async openWith(key: string): Promise<void> {
    await eventually(`the quick input after ${key}`, 60_000, async () => {
      await this.page.keyboard.press(key);
      try {
        await this.input.waitFor({ state: 'visible', timeout: 2_000 });
        return true;
      } catch {
        return undefined; // not open yet
      }
    });
  }
}
