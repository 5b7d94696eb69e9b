import type { Browser, Frame } from 'playwright-core';
import { eventually } from '../host/eventually.ts';
import type { TreePage } from '../host/pages/tree.ts';
import { Workbench } from '../host/workbench.ts';

/** SimDINO Studio in VS Code's window, in the words of somebody who trains. */
export class Studio {
  private constructor(readonly workbench: Workbench) {}

  static async open(browser: Browser, url: string): Promise<Studio> {
    return new Studio(await Workbench.open(browser, url));
  }

  /** "SimDINO: Start SimDINO run" from the palette, with the configuration of that name. */
  async startRun(config: string): Promise<void> {
    await this.workbench.chooseIn('SimDINO: Start SimDINO run', config);
  }

  /** "SimDINO: Queue SimDINO run" from the palette, with the configuration of that name. */
  async queueRun(config: string): Promise<void> {
    await this.workbench.chooseIn('SimDINO: Queue SimDINO run', config);
  }

  /** "SimDINO: Show table of runs". */
  async table(): Promise<TablePage> {
    await this.workbench.runCommand('SimDINO: Show table of runs');
    return new TablePage(await this.workbench.webview('.runs-table', 60_000));
  }

  /** "SimDINO: Start ablation grid" with the sweep file of that name, confirmed. */
  async startGrid(sweep: string, runs = 4): Promise<void> {
    await this.workbench.chooseIn('SimDINO: Start ablation grid', sweep);
    await this.workbench.notifications.answerDialog(`Start ${runs} runs`);
  }

  /** "SimDINO: Compare runs" with the runs that match. */
  async compare(runs: readonly RegExp[]): Promise<Frame> {
    await this.workbench.runCommand('SimDINO: Compare runs');
    await this.workbench.quickInput.pickSeveral(runs);
    return this.workbench.webview('table.differences', 60_000);
  }

  /** "SimDINO: What did it learn?" with the runs that match. */
  async looks(runs: readonly RegExp[], columns = 1): Promise<LooksPage> {
    await this.workbench.runCommand('SimDINO: What did it learn?');
    await this.workbench.quickInput.pickSeveral(runs);
    return this.openLooks(60_000, columns);
  }

  /** The panel of pictures that is open, of so many runs. */
  async openLooks(timeoutMs: number, columns = 1): Promise<LooksPage> {
    return new LooksPage(await this.workbench.webview(`.look-run:nth-child(${columns})`, timeoutMs));
  }

  /** "SimDINO: Edit hyperparameter" on the file in front. */
  async editHyperparameter(key: string, value: string): Promise<void> {
    await this.workbench.runCommand('SimDINO: Edit hyperparameter');
    await this.workbench.quickInput.search(key);
    await this.workbench.screenshot('edit-hyperparameter');
    await this.workbench.quickInput.pick(key);
    await this.workbench.quickInput.answer(value);
  }

  /** The tree of runs. */
  async runs(): Promise<TreePage> {
    return this.workbench.openSideBar('SimDINO');
  }

  /** The row of a run in that state, once there is one: its name, and what stands behind it. */
  async runIn(state: 'running' | 'stopped' | 'finished' | 'crashed', timeoutMs = 60_000): Promise<string> {
    return (await this.runs()).item(new RegExp(`\\b${state}\\b`), timeoutMs);
  }

  async stop(run: RegExp): Promise<void> {
    await (await this.runs()).inlineAction(run, /Stop run/);
  }

  /** The heat map of a grid. */
  async heatMap(): Promise<HeatMapPage> {
    return new HeatMapPage(await this.workbench.webview('.heat-table', 60_000));
  }

  /** The live curves of a run, by its row in the tree; an editor that brought the panel back goes on using it. */
  async gridNamed(name: string): Promise<HeatMapPage> {
    await (await this.runs()).click(new RegExp(`^${name} `));
    return this.heatMap();
  }

  async curvesOf(run: string): Promise<CurvesPage> {
    await (await this.runs()).click(new RegExp(run));
    return this.curves();
  }

  /** The panel with the curves of the run of that name, opened by its row. */
  async curvesNamed(name: string): Promise<CurvesPage> {
    await (await this.runs()).click(new RegExp(`^${literally(name)} `));
    const quoted = JSON.stringify(name);
    return new CurvesPage(await this.workbench.webview(`main:has(h1:text-is(${quoted})):has(.chart-card)`, 60_000));
  }

  /** "SimDINO: Filter runs" by words; none shows all again. */
  async filterRuns(words: string): Promise<void> {
    await this.workbench.runCommand('SimDINO: Filter runs');
    await this.workbench.quickInput.answer(words);
  }

  /** Puts a star on a run by the menu of its row. */
  async star(run: RegExp): Promise<void> {
    await (await this.runs()).contextMenu(run, 'Star run');
  }

  /** The panel with the live curves. */
  async curves(): Promise<CurvesPage> {
    return new CurvesPage(await this.workbench.webview('.chart-card', 60_000));
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

export class TablePage {
  constructor(readonly frame: Frame) {}

  /** Names of the rows in sight. */
  async names(): Promise<string[]> {
    return this.frame.locator('.runs-table .line .link').allInnerTexts();
  }

  /** States of the rows in sight. */
  async states(): Promise<string[]> {
    return (await this.frame.locator('.runs-table .line .badge').allInnerTexts()).map((text) => text.trim());
  }

  async columns(): Promise<string[]> {
    return this.frame.locator('.runs-table [role=columnheader] .label').allInnerTexts();
  }

  async filter(text: string): Promise<void> {
    await this.frame.getByLabel('Filter').fill(text);
  }
}

export class LooksPage {
  constructor(readonly frame: Frame) {}

  async lookAtEveryCheckpoint(): Promise<void> {
    await this.frame.getByRole('button', { name: 'Look at every checkpoint' }).click();
  }

  async toFirstStep(): Promise<void> {
    await this.frame.getByRole('slider', { name: 'Step' }).press('Home');
  }

  /** What the columns are called. */
  async titles(): Promise<string[]> {
    return this.frame.locator('.look-run h2').allInnerTexts();
  }

  /** How many pictures there are once all of them are loaded, 0 before: the page may load them, and they are there. */
  async pictures(): Promise<number> {
    return this.frame
      .locator('.look-pictures img')
      .evaluateAll((images) =>
        images.every((image) => (image as HTMLImageElement).naturalWidth > 0) ? images.length : 0,
      );
  }
}

export class HeatMapPage {
  constructor(readonly frame: Frame) {}

  /** How many cells are in each state, for example { done: 3, running: 1 }. */
  /** What the panel says of its grid as a whole. */
  async header(): Promise<string> {
    return this.frame.locator('.panel-header').innerText();
  }

  async notices(): Promise<string> {
    return (await this.frame.locator('.notice').allInnerTexts()).join('\n');
  }

  async cells(): Promise<Record<string, number>> {
    const cells = await this.frame.locator('.heat-table button.cell').all();
    const classes = await Promise.all(cells.map(async (cell) => (await cell.getAttribute('class')) ?? ''));
    const states = classes.map((names) => /\bstate-(\w+)/.exec(names)?.[1] ?? names);
    return Object.fromEntries(
      [...new Set(states)].map((state) => [state, states.filter((other) => other === state).length]),
    );
  }

  /** What each cell says. */
  async values(): Promise<string[]> {
    return (await this.frame.locator('.heat-table button.cell b').allInnerTexts()).map((text) => text.trim());
  }
}

export class CurvesPage {
  constructor(readonly frame: Frame) {}

  /** Titles of the charts. */
  async charts(): Promise<string[]> {
    return (await this.frame.locator('.chart-card h3').allInnerTexts()).map((title) => title.split('\n')[0]!.trim());
  }

  /** How many points the longest drawn curve has, by the words that stand beside each chart. */
  async points(): Promise<number> {
    const words = await this.frame.locator('.chart-card p.visually-hidden').allInnerTexts();
    const counts = words.flatMap((text) => [...text.matchAll(/over (\d+) points/g)].map((match) => Number(match[1])));
    return Math.max(0, ...counts);
  }

  /** Waits until the curves have more than `count` points. */
  async growBeyond(count: number, timeoutMs = 60_000): Promise<number> {
    return eventually(`curves of more than ${count} points`, timeoutMs, async () => {
      const points = await this.points();
      return points > count ? points : undefined;
    });
  }

  /** What is said above the curves of what could not be read, or is gone. */
  async notices(): Promise<string> {
    return (await this.frame.locator('.notice').allInnerTexts()).join('\n');
  }

  /** What the first chart says below itself: how many points, and what of them was left out. */
  async footnote(): Promise<string> {
    return this.frame.locator('.chart-card footer').first().innerText();
  }

  /** The first chart in words, for who can't see it. */
  async words(): Promise<string> {
    return this.frame.locator('.chart-card p.visually-hidden').first().innerText();
  }

  async over(axis: 'Step' | 'Epoch' | 'Time'): Promise<void> {
    await this.frame.getByRole('group', { name: 'Horizontal axis' }).getByRole('radio', { name: axis }).click();
  }

  /** Whether the canvases hold anything but background. */
  async isDrawn(): Promise<boolean> {
    return this.frame
      .locator('.chart-card canvas')
      .first()
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        for (let i = 3; i < pixels.length; i += 4) if (pixels[i] !== 0) return true;
        return false;
      });
  }
}
