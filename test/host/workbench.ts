import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Frame, Locator, Page } from 'playwright-core';
import { NotificationPages } from './pages/notifications.ts';
import { QuickInput } from './pages/quickInput.ts';
import { TreePage } from './pages/tree.ts';
import { eventually } from './eventually.ts';

/** VS Code's window in the browser, in the words of somebody who uses it. */
export class Workbench {
  readonly quickInput: QuickInput;
  readonly notifications: NotificationPages;

  private constructor(readonly page: Page) {
    this.quickInput = new QuickInput(page);
    this.notifications = new NotificationPages(page);
  }

  /** Opens `url` in a window of its own and waits until its extensions run. */
  static async open(browser: Browser, url: string, sizePx = { width: 1440, height: 900 }): Promise<Workbench> {
    const context = await browser.newContext({ viewport: sizePx });
    const page = await context.newPage();
    const workbench = new Workbench(page);
    await page.goto(url);
    await workbench.ready();
    return workbench;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Loads the window anew, as "Developer: Reload Window" does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Opens the window of a server that has been started again. */
  async goTo(url: string): Promise<void> {
    await this.page.goto(url);
    await this.ready();
  }

  /**
   * Runs a command by the title that the palette shows, for example 'SimDINO: Start SimDINO run'. The palette lists what
   * was known when it opened, so it is opened anew until the extension's commands have arrived.
   */
  async runCommand(title: string): Promise<void> {
    await eventually(`the command '${title}' in the palette`, 60_000, async () => {
      await this.quickInput.openPalette();
      await this.quickInput.search(`>${title}`);
      if (await this.quickInput.tryToPick(title, 3_000)) return true;
      await this.quickInput.cancel();
      return undefined;
    });
  }

  /**
   * Runs a command that asks with a list, and chooses the row that begins so. On a busy machine the palette that closes may take the list
   * with it, as it hands the focus back: then the command is run again.
   */
  async chooseIn(command: string, row: string): Promise<void> {
    await eventually(`'${row}' chosen in the list of '${command}'`, 90_000, async () => {
      await this.runCommand(command);
      return (await this.quickInput.tryToFindAndPick(row, 10_000)) || undefined;
    });
  }

  /** The rows of the command palette, opened anew, for a search; it stays open. */
  async paletteFor(text: string): Promise<string[]> {
    if (await this.quickInput.isOpen()) await this.quickInput.cancel();
    await this.quickInput.openPalette();
    await this.quickInput.search(`>${text}`);
    return this.quickInput.items();
  }

  /**
   * Opens a side bar container by its name in the activity bar and returns its tree. A click on the container that is open
   * closes it, and while a window is loading it may be open before its icon says so: what counts is what is seen in the end.
   */
  async openSideBar(name: string): Promise<TreePage> {
    const tab = this.page.locator(`.activitybar .action-item:has(> [aria-label^="${name}"])`).first();
    const sideBar = this.page.locator('.part.sidebar');
    await tab.waitFor({ timeout: 30_000 });
    const isOpen = async () =>
      (await tab.evaluate((element) => element.classList.contains('checked'))) && (await sideBar.isVisible());
    await eventually(`the side bar '${name}'`, 30_000, async () => {
      if (!(await isOpen())) await tab.click();
      await this.page.waitForTimeout(500);
      return (await isOpen()) || undefined;
    });
    return new TreePage(this.page, sideBar);
  }

  /** Texts of the status bar, as a screen reader would say them. */
  async statusBar(): Promise<string[]> {
    const labels = await this.page.locator('.statusbar-item .statusbar-item-label').all();
    const texts = await Promise.all(
      labels.map(async (label) => (await label.getAttribute('aria-label')) ?? (await label.innerText())),
    );
    return texts.filter((text) => text !== '');
  }

  /** The status bar item whose text matches, once there is one. */
  async statusBarItem(text: RegExp, timeoutMs = 30_000): Promise<string> {
    return eventually(`a status bar item like ${text}`, timeoutMs, async () =>
      (await this.statusBar()).find((item) => text.test(item)),
    );
  }

  async clickStatusBarItem(text: RegExp): Promise<void> {
    await this.page.locator('.statusbar-item', { hasText: text }).first().click();
  }

  /** Titles of the open editors. */
  async editorTabs(): Promise<string[]> {
    const names = await this.page.locator('.tab .monaco-icon-label-container').allInnerTexts();
    return names.map((name) => name.replace(/\s+/g, ''));
  }

  async openFile(name: string): Promise<void> {
    await this.quickInput.openFiles();
    await this.quickInput.search(name);
    // The list is filled while one looks: a click may hit another row, the first one is the best match.
    await eventually(`${name} first in the list`, 30_000, async () =>
      (await this.quickInput.items())[0]?.startsWith(name) ? true : undefined,
    );
    await this.quickInput.accept();
    await this.page.locator('.tab.active', { hasText: name }).first().waitFor();
  }

  /** The text of the editor in front, with the inline hints that stand in it. */
  editor(): Locator {
    return this.page.locator('.editor-instance .view-lines').first();
  }

  /** What the editor in front shows for a word when the pointer rests on it. */
  async hover(word: string): Promise<string> {
    const box = this.page.locator('.monaco-hover:not(.hidden) .monaco-hover-content, .monaco-hover:visible').first();
    return eventually(`a hover over ${word}`, 60_000, async () => {
      await this.page.mouse.move(5, 5);
      await this.word(word).hover();
      try {
        await box.waitFor({ state: 'visible', timeout: 4_000 });
      } catch {
        return undefined; // not answered yet
      }
      // Providers answer one after the other.
      await this.page.waitForTimeout(500);
      return (await this.page.locator('.monaco-hover:visible').allInnerTexts()).join('\n') || undefined;
    });
  }

  /** Types behind the end of the text in front. */
  async typeAtEnd(text: string): Promise<void> {
    await this.editor().click();
    await this.page.keyboard.press('Control+End');
    // Pasted as a whole: typed line by line, the editor would indent and complete on its own.
    await this.page.keyboard.insertText(text);
  }

  /** Titles of the quick fixes at a word, shown as a list with the first one chosen. */
  async quickFixes(word: string): Promise<string[]> {
    await this.page.locator('.squiggly-error').first().waitFor({ timeout: 30_000 });
    await this.word(word).click();
    const rows = this.page.locator('.action-widget .monaco-list-row.action');
    return eventually(`quick fixes at ${word}`, 90_000, async () => {
      // Pressed again while the list is being made, the keys would close it.
      await this.page.keyboard.press('Control+.');
      try {
        await rows.first().waitFor({ state: 'visible', timeout: 15_000 });
      } catch {
        await this.page.keyboard.press('Escape');
        return undefined; // the problem is not there yet
      }
      return rows.allInnerTexts();
    });
  }

  /** A word of the text in front, where the editor colours it as one. */
  private word(text: string): Locator {
    return this.editor()
      .locator('span > span', { hasText: new RegExp(`^${text}$`) })
      .first();
  }

  /** The document of the webview that holds an element matching `selector`: webviews are frames within frames. */
  async webview(selector: string, timeoutMs = 30_000): Promise<Frame> {
    return eventually(`a webview with ${selector}`, timeoutMs, async () => {
      for (const frame of this.page.frames().filter((frame) => frame !== this.page.mainFrame())) {
        if (await holds(frame, selector)) return frame;
      }
      return undefined;
    });
  }

  /** Keeps a picture under SIMDINO_SCREENSHOTS, when that names a folder. */
  async screenshot(name: string): Promise<void> {
    const folder = process.env['SIMDINO_SCREENSHOTS'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  private async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    await this.page.locator('.statusbar-item').first().waitFor({ timeout: 60_000 });
    // The remote indicator names the host once the connection that extensions use stands.
    await this.page.locator('#status\\.host').waitFor({ timeout: 60_000 });
  }
}

async function holds(frame: Frame, selector: string): Promise<boolean> {
  try {
    return (await frame.locator(selector).count()) > 0;
  } catch {
    return false; // the frame went away while we were looking
  }
}
