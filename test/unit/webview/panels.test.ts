/** The panels in a real browser, under the policy that the extension sets. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkPanelState } from '../../../protocol/checkPanelMessage.ts';
import { encodeReport } from '../../../experiments/reportData.ts';
import { reportHtml } from '../../../experiments/reportHtml.ts';
import { panelKinds, type FromPanelMessage, type PanelKind } from '../../../protocol/panelMessages.ts';
import { launchBrowser } from '../../host/browser.ts';
import { findChromium } from '../../host/chromium.ts';
import { cutTexts } from './cutText.ts';
import { makeGrid, makeLooks, makeRun, makeTable } from './fixtures.ts';
import type { ThemeName } from './panelPage.ts';
import { PanelPage, buildPanels } from './panelPage.ts';
import { contrast, parseColour } from '../../../webview/colour.ts';
import { themes } from './themes.ts';

const hostile = `<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>`;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser | undefined;
let missing = '';
let files: ReadonlyMap<string, string>;
let open: PanelPage[] = [];

beforeAll(async () => {
  const found = await findChromium(() => undefined);
  if (typeof found !== 'string') {
    missing = found.missing;
    return;
  }
  [browser, files] = await Promise.all([launchBrowser(found), buildPanels()]);
}, 600_000);

beforeEach((context) => {
  if (browser) return;
  Object.assign(context.task.meta, { skipReason: missing });
  context.skip();
});

afterEach(async () => {
  const faults = open.flatMap((panel) => panel.faults);
  await Promise.all(open.map((panel) => panel.close()));
  open = [];
  expect(faults).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
});

async function panelOf(kind: PanelKind, options: Parameters<typeof PanelPage.open>[3] = {}): Promise<PanelPage> {
  const panel = await PanelPage.open(browser!, files, kind, options);
  open.push(panel);
  return panel;
}

async function sentOf<T extends FromPanelMessage['type']>(
  panel: PanelPage,
  type: T,
): Promise<Extract<FromPanelMessage, { type: T }>[]> {
  const sent = await panel.sent();
  return sent.filter((message): message is Extract<FromPanelMessage, { type: T }> => message.type === type);
}

async function violations({ page }: { page: Page }): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> };
    };
    const { violations: found } = await axe.run();
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    );
  });
}

const running = (overrides = {}) => makeRun({ id: 'quickstart-0007', steps: 1200, resumedAt: 600, ...overrides });
const arm = (name: string, seed: number, quality: number, config = {}) =>
  makeRun({ id: `${name}-s${seed}`, seed, quality, steps: 1000, totalSteps: 1000, config });
const fourRuns = () => [
  arm('base', 0, 1),
  arm('base', 1, 1.01),
  arm('eps', 0, 1.1, { 'loss.eps': 0.5 }),
  arm('eps', 1, 1.11, { 'loss.eps': 0.5 }),
];

describe('panels in a browser', () => {
  it('say that they read the run folder, after a while in words that all see, until there is something to show', async () => {
    const panel = await panelOf('curves');
    const status = panel.page.getByRole('status');
    expect(await status.innerText()).toContain('Reading the run folder');
    expect(await violations(panel)).toEqual([]);
    await panel.page.getByText('Still reading the run folder').waitFor();
    expect(await violations(panel)).toEqual([]);
    await panel.showCurves([running()]);
    expect(await panel.page.locator('main').innerText()).not.toContain('reading the run folder');
    expect(await panel.page.locator('.skeleton').count()).toBe(0);
  });

  describe('have no accessibility violations and no clipped words in any theme:', { timeout: 120_000 }, () => {
    /** Opens everything that is folded, then looks in all themes. */
    const check = async (panel: PanelPage): Promise<void> => {
      await panel.page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
      for (const theme of Object.keys(themes) as ThemeName[]) {
        await panel.setTheme(theme);
        expect(await violations(panel), theme).toEqual([]);
        expect(await cutTexts(panel.page), theme).toEqual([]);
      }
    };

    it('curves of a run that failed, with a table', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running({ nanAt: 900, state: 'failed', summary: { failure: 'The loss became NaN.' } })]);
      await panel.page.getByRole('button', { name: 'Actions of Loss', exact: true }).click();
      await panel.page.getByRole('menuitem', { name: 'Show as table' }).click();
      await check(panel);
    });

    it('curves of several runs, with an open menu', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves(fourRuns());
      await panel.page.locator('.legend-entry').first().click();
      await panel.page.getByRole('button', { name: 'Actions of Loss', exact: true }).click();
      await check(panel);
    });

    it('a grid', async () => {
      const panel = await panelOf('grid');
      await panel.showGrid(makeGrid(true));
      await check(panel);
    });

    it('the table of runs, grouped, with a list of columns', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(8));
      await panel.page.getByLabel('Group by').selectOption({ label: 'loss.gammaFactor' });
      await panel.page.locator('.runs-table .line').first().click();
      await check(panel);
    });

    it('a comparison', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison(fourRuns());
      await check(panel);
    });

    it('what runs learned, one of them not looked at yet', async () => {
      const panel = await panelOf('look');
      await panel.showLooks(makeLooks('a-1', 'b-2', null));
      await check(panel);
    });
  });

  it('empty, loading and broken panels have no accessibility violations', async () => {
    const loading = await panelOf('curves');
    expect(await violations(loading)).toEqual([]);
    expect(await sentOf(loading, 'ready')).toEqual([{ type: 'ready', panel: 'curves' }]);
    await loading.showCurves([], ['gone-1']);
    expect(await loading.page.getByText('Gone: gone-1').isVisible()).toBe(true);
    await loading.post({ type: 'panel/error', code: 'x', message: 'The disk is slow.', remedy: 'Wait.' });
    expect(await loading.page.getByRole('alert').innerText()).toContain('The disk is slow.');
    expect(await violations(loading)).toEqual([]);
  });

  describe('curves', () => {
    it('say where the run is, and Stop asks the host', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      const { page } = panel;
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('quickstart-0007');
      expect(await page.getByRole('progressbar').getAttribute('aria-valuetext')).toContain('step 1200 of 3000');
      expect(await page.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(
        expect.arrayContaining(['Loss', 'Distance', 'k-NN top-1', 'Learning rate', 'Weight decay']),
      );
      await page.getByRole('button', { name: 'Stop' }).click();
      expect(await sentOf(panel, 'stopRun')).toEqual([{ type: 'stopRun', runId: 'quickstart-0007' }]);
    });

    it('grow with the run and keep the zoom', async () => {
      const panel = await panelOf('curves');
      const { page } = panel;
      const whole = running({ steps: 1500 });
      await panel.showCurves([running({ steps: 1200 })]);
      const plot = page.locator('.plot').first();
      const box = (await plot.boundingBox())!;
      await page.mouse.move(box.x + 120, box.y + 80);
      await page.mouse.down();
      await page.mouse.move(box.x + 180, box.y + 80, { steps: 4 });
      await page.mouse.move(box.x + 220, box.y + 80, { steps: 4 });
      await page.mouse.up();
      await panel.settle();
      const zoomed = await page.locator('.zoom-state').innerText();
      expect(zoomed).toMatch(/^\d+.* to \d+/);

      const delta = whole.series
        .filter(({ metric }) => metric !== 'knnTop1')
        .map((one) => ({
          ...one,
          from: 1200,
          step: one.step.subarray(1200),
          epoch: one.epoch.subarray(1200),
          time: one.time.subarray(1200),
          value: one.value.subarray(1200),
        }));
      await panel.appendCurves([whole.summary], delta);
      expect(await page.getByRole('progressbar').getAttribute('aria-valuetext')).toContain('step 1500 of 3000');
      expect(await page.locator('.zoom-state').innerText()).toBe(zoomed);
      await page.getByRole('button', { name: 'Show all' }).click();
      await plot.focus();
      await page.keyboard.press('End');
      expect(await page.locator('.chart-card').first().locator('[aria-live]').innerText()).toContain('step 1500: Loss');
      expect(await sentOf(panel, 'ready')).toHaveLength(1);
    });

    it('forget the zoom when they show another run', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      await panel.page.locator('.plot').first().focus();
      await panel.page.keyboard.press('PageUp');
      await panel.page.keyboard.press('+');
      await panel.settle();
      await panel.showCurves([running()]);
      expect(await panel.page.locator('.zoom-state').count()).toBe(1);
      await panel.showCurves([running({ id: 'another' })]);
      expect(await panel.page.locator('.zoom-state').count()).toBe(0);
    });

    it('ask for a snapshot when a delta does not follow on', async () => {
      const panel = await panelOf('curves');
      const { summary, series } = running();
      await panel.showCurves([{ summary, series }]);
      await panel.appendCurves([summary], [{ ...series[0]!, from: 5000 }]);
      expect(await sentOf(panel, 'ready')).toHaveLength(2);
    });

    it('answer the keyboard: crosshair, zoom, all', async () => {
      const panel = await panelOf('curves');
      const { page } = panel;
      await panel.showCurves([running()]);
      await page.locator('.plot').first().focus();
      await page.keyboard.press('Home');
      expect(await page.locator('.crosshair-line').count()).toBeGreaterThan(3);
      const spoken = page.locator('.chart-card').first().locator('[aria-live]');
      expect(await spoken.innerText()).toContain('step 1: Loss');
      await page.keyboard.press('PageDown');
      await page.keyboard.press('PageDown');
      await page.keyboard.press('+');
      await page.keyboard.press('+');
      await panel.settle();
      expect(await page.locator('.zoom-state').count()).toBe(1);
      await page.keyboard.press('0');
      await panel.settle();
      expect(await page.locator('.zoom-state').count()).toBe(0);
      await page.keyboard.press('Escape');
      expect(await page.locator('.crosshair-line').count()).toBe(0);
    });

    it('mark values that are not finite and say that points were left out', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running({ steps: 5000, totalSteps: 6000, nanAt: 900 })]);
      const note = await panel.page.locator('.chart-card').first().locator('footer').innerText();
      expect(note).toContain('5000 points, downsampled');
      expect(note).toContain('4 values are not finite');
    });

    it('show a hostile name as a name', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running({ name: hostile }), running({ id: 'b', name: hostile })]);
      await panel.page.locator('.plot').first().hover();
      expect(await panel.page.getByText(hostile).count()).toBeGreaterThan(0);
      expect(await panel.page.locator('img').count()).toBe(0);
      expect(await panel.page.evaluate(() => 'hacked' in window)).toBe(false);
    });

    it('refuse what is not a message, tell the host, and stay as they are', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      await panel.post({ type: 'curves/append', runs: [{ id: '../../x' }], series: [], removed: [] });
      await panel.post({ type: 'toString' });
      const faults = await sentOf(panel, 'fault');
      expect(faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('message.runs[0].id: expected a run id'),
        expect.stringContaining('message.type: expected one of'),
      ]);
      expect(await panel.page.getByRole('heading', { level: 1 }).innerText()).toBe('quickstart-0007');
    });

    it('drop a run whose folder has gone', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves(fourRuns());
      await panel.appendCurves([], [], ['eps-s0', 'eps-s1', 'base-s1']);
      expect(await panel.page.getByRole('heading', { level: 1 }).innerText()).toBe('base-s0');
      expect(await panel.page.getByText('Gone:').innerText()).toContain('eps-s1');
    });

    it('redraw in the colours of a new theme', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      const inkOf = (): Promise<number[]> =>
        panel.page.evaluate(() => {
          const canvas = document.querySelector('canvas')!;
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
          const counts = new Map<string, number>();
          for (let i = 0; i < data.length; i += 4) {
            const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
            if (data[i + 3]! < 255 || Math.max(r, g, b) - Math.min(r, g, b) < 60) continue;
            const key = `${r},${g},${b}`;
            counts.set(key, (counts.get(key) ?? 0) + 1);
          }
          return ([...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '').split(',').map(Number);
        });
      // The blue of each theme, mixed a little with the faint raw line.
      const distanceTo = async (blue: number[]): Promise<number> =>
        Math.max(...(await inkOf()).map((channel, i) => Math.abs(channel - blue[i]!)));
      expect(await distanceTo([55, 148, 255])).toBeLessThan(16);
      await panel.setTheme('light');
      expect(await distanceTo([26, 133, 255])).toBeLessThan(16);
    });

    it('write where a run was resumed above the plot, clear of the line', async () => {
      const inkAbove = async (resumedAt: number | undefined): Promise<number> => {
        const panel = await panelOf('curves');
        await panel.showCurves([running({ resumedAt })]);
        return panel.page.evaluate(() => {
          const canvas = document.querySelector('canvas')!;
          // Right of the axis' numbers, above the highest line of the grid.
          const { data } = canvas.getContext('2d')!.getImageData(60, 0, canvas.width - 60, 12);
          return data.filter((value, i) => i % 4 === 3 && value > 100).length;
        });
      };
      expect(await inkAbove(undefined)).toBe(0);
      expect(await inkAbove(600)).toBeGreaterThan(20);
    });

    it('come back as they were left', async () => {
      const first = await panelOf('curves');
      await first.showCurves([running()]);
      await first.page.getByLabel('Epoch').check();
      await first.page.getByRole('button', { name: 'log', exact: true }).first().click();
      const state = await first.kept();
      expect(state).toMatchObject({ kind: 'curves', runIds: ['quickstart-0007'] });
      const second = await panelOf('curves', { state });
      await second.showCurves([running()]);
      expect(await second.page.getByRole('radio', { name: 'Epoch' }).isChecked()).toBe(true);
      expect(
        await second.page.getByRole('button', { name: 'log', exact: true }).first().getAttribute('aria-pressed'),
      ).toBe('true');
    });

    it('stand in one column below the loss where they are its schedules, on one x axis', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      const { page } = panel;
      const column = page.locator('.charts.column');
      await column.scrollIntoViewIfNeeded();
      expect(await column.locator('h3').allInnerTexts()).toEqual([
        'Loss, term by term',
        'Learning rate',
        'Teacher momentum',
        'Weight decay',
      ]);
      const plots = await column.locator('.plot').evaluateAll((all) => all.map((one) => one.getBoundingClientRect()));
      expect(new Set(plots.map(({ left, width }) => `${left} ${width}`)).size).toBe(1);
      for (const [above, below] of plots.slice(1).map((below, i) => [plots[i]!, below] as const))
        expect(below.top).toBeGreaterThan(above.bottom);
    });

    it('save a chart as PNG, SVG and CSV', async () => {
      const panel = await panelOf('curves');
      await panel.showCurves([running()]);
      for (const format of ['PNG', 'SVG', 'CSV']) {
        await panel.page.getByRole('button', { name: 'Actions of Loss', exact: true }).click();
        await panel.page.getByRole('menuitem', { name: `Export ${format}` }).click();
      }
      await panel.page.waitForFunction(
        () =>
          (globalThis as unknown as { sent: { type: string }[] }).sent.filter(({ type }) => type === 'export')
            .length === 3,
      );
      const files = await sentOf(panel, 'export');
      const byFormat = Object.fromEntries(files.map((file) => [file.format, file]));
      expect(files.map(({ fileName }) => fileName).sort()).toEqual(['loss.csv', 'loss.png', 'loss.svg']);
      expect(byFormat['svg']!.content).toMatchObject({ text: expect.stringContaining('<svg') as string });
      const csv = (byFormat['csv']!.content as { text: string }).text.split('\r\n');
      expect(csv[0]).toBe('run,metric,step,epoch,timeMs,value');
      expect(csv).toHaveLength(1202);
      const png = (byFormat['png']!.content as { bytes: Record<number, number> }).bytes;
      expect([png[0], png[1], png[2], png[3]]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    });
  });

  describe('grid', () => {
    it('says each cell in words; a click opens its runs; arrows walk the cells', async () => {
      const panel = await panelOf('grid');
      const { page } = panel;
      await panel.showGrid(makeGrid());
      const words = await page
        .locator('.cell')
        .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('aria-label')));
      expect(words).toHaveLength(12);
      expect(words[5]).toMatch(
        /^loss\.gammaFactor 1, loss\.eps 0\.2236; done; k-NN top-1 7[34]\.\d % \u00b1 \d\.\d %, n = 3; best$/,
      );
      expect(words[8]).toContain('; failed');
      expect(words[9]).toContain('; running; so far 61.0 %');
      expect(words[10]).toContain('; queued');
      expect(words[11]).toContain('; queued');
      await page.locator('.cell').first().focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      expect(await sentOf(panel, 'compare')).toEqual([
        { type: 'compare', runIds: ['gamma-eps-015', 'gamma-eps-016', 'gamma-eps-017'] },
      ]);
    });

    it('says what a click on a cell does, and what becomes of cells that were not started', async () => {
      const panel = await panelOf('grid');
      const { page } = panel;
      const last = page.locator('.cell').last();
      const badge = page.locator('.title-row .badge');
      for (const [scheduler, state, title, word, told] of [
        ['running', 'queued', 'Its turn comes by itself', 'Running', /launched as others end/],
        ['pausing', 'not started', 'Nothing more is launched', 'Pausing', /go on to their end/],
        ['paused', 'not started', 'Click: run this cell\u2019s 3 seeds', 'Paused', /until it is continued/],
        ['cancelled', 'not started', 'Click: run this cell\u2019s 3 seeds', 'Cancelled', /were stopped/],
        ['idle', 'not started', 'Click: run this cell\u2019s 3 seeds', 'Idle', /No scheduler is known/],
      ] as const) {
        await panel.showGrid({ ...makeGrid(), scheduler });
        await expect.poll(() => badge.innerText()).toBe(word);
        expect(await badge.getAttribute('title')).toMatch(told);
        expect(await last.getAttribute('title')).toContain(`; ${state}\n${title}`);
      }
      expect(await page.locator('.cell').first().getAttribute('title')).toContain('\nClick: compare its 3 runs');
    });

    it('asks for the one cell that was clicked and not started, and not while a scheduler works', async () => {
      const panel = await panelOf('grid');
      const last = panel.page.locator('.cell').last();
      for (const scheduler of ['running', 'pausing'] as const) {
        await panel.showGrid({ ...makeGrid(), scheduler });
        await last.click();
      }
      expect(await sentOf(panel, 'runCells')).toEqual([]);
      await panel.showGrid({ ...makeGrid(), scheduler: 'idle' });
      await last.click();
      expect(await sentOf(panel, 'runCells')).toEqual([
        { type: 'runCells', sweepId: 'gamma-eps', runIds: ['gamma-eps-033', 'gamma-eps-034', 'gamma-eps-035'] },
      ]);
      expect(await sentOf(panel, 'gridAction')).toEqual([]);
    });

    it('offers to run what is missing by counting runs: a failed seed beside a running one is missing too', async () => {
      const panel = await panelOf('grid');
      const grid = makeGrid();
      const cells = grid.sweep.cells.slice(0, 3);
      const [done] = grid.runs;
      const states = ['finished', 'running', 'failed'] as const;
      const runs = cells.map(({ runId }, i) => ({ ...done!, id: runId, state: states[i]! }));
      await panel.showGrid({ ...grid, sweep: { ...grid.sweep, cells }, runs, scheduler: 'idle' });
      const button = panel.page.getByRole('button', { name: 'Run missing and failed cells' });
      expect(await button.getAttribute('title')).toBe('1 run');
      // A run that finished without a value counts as failed, and there is nothing to run.
      const diverged = runs.map((run) => ({ ...run, state: 'finished' as const, last: { loss: NaN }, best: {} }));
      await panel.showGrid({ ...grid, sweep: { ...grid.sweep, cells }, runs: diverged, scheduler: 'idle' });
      expect(await button.count()).toBe(0);
    });

    it('swaps its axes, makes facets of the third, and takes another metric', async () => {
      const panel = await panelOf('grid');
      const { page } = panel;
      await panel.showGrid(makeGrid(true));
      expect(await page.locator('figcaption').allInnerTexts()).toEqual(['lr = 5e\u22124', 'lr = 0.001']);
      await page.getByLabel('Rows', { exact: true }).selectOption('loss.eps');
      expect(await page.getByLabel('Columns', { exact: true }).inputValue()).toBe('loss.gammaFactor');
      await page.getByLabel('Rows', { exact: true }).selectOption('optim.lr');
      expect(await page.locator('.heat-map').count()).toBe(4);
      await page.getByLabel('Metric').selectOption('loss');
      // The losses of different gammas and epsilons do not compare.
      expect(await page.locator('.cell.best').count()).toBe(0);
      expect(await page.locator('.grid-key').innerText()).toContain('Loss, not ranked, since the cells minimise');
      await page.getByLabel('Metric').selectOption('knnTop1');
      // One in each facet, alike.
      expect(await page.locator('.cell.best').count()).toBe(2);
      expect(await page.locator('.grid-key').innerText()).toContain('k-NN top-1, better to the right');
    });

    it('paints finished cells and leaves what has not started bare', async () => {
      const panel = await panelOf('grid');
      await panel.showGrid(makeGrid());
      const alphas = await panel.page.evaluate(() => {
        const canvas = document.querySelector('canvas')!;
        const context = canvas.getContext('2d')!;
        const at = (x: number, y: number) =>
          context.getImageData(Math.round(canvas.width * x), Math.round(canvas.height * y), 1, 1).data[3];
        return { done: at(0.06, 1 / 6), missing: at(0.94, 5 / 6) };
      });
      expect(alphas).toEqual({ done: 255, missing: 0 });
    });

    it('has nothing to pause once all is done, though its scheduler still says that it works', async () => {
      const panel = await panelOf('grid', { reducedMotion: false });
      const { page } = panel;
      await panel.showGrid(makeGrid());
      const grid = makeGrid();
      const [done] = grid.runs;
      const runs = grid.sweep.cells.map(({ runId, cell, seed }) => ({
        ...done!,
        ...{ id: runId, state: 'finished' as const, sweep: { id: grid.sweep.id, cell, seed } },
      }));
      await panel.showGrid({ ...grid, runs, etaMs: 0 });
      const [bar, filled] = await page
        .locator('.progress')
        .evaluate((element) => [element, element.firstElementChild!].map((one) => one.getBoundingClientRect().width));
      expect(filled).toBe(bar);
      expect(await page.locator('.panel-header').innerText()).toContain('100 % 36 of 36 runs finished');
      expect(await page.locator('.panel-header').innerText()).not.toContain('left');
      expect(await page.locator('.title-row .badge').allInnerTexts()).toEqual(['Finished']);
      expect(await page.locator('.title-row .actions').getByRole('button').allInnerTexts()).toEqual(['Export']);
    });

    it('says in words that its scheduler is lost or silent, since when, and resumes what is left', async () => {
      const panel = await panelOf('grid');
      const { page } = panel;
      const heardAtMs = Date.now() - 5.5 * 60_000;
      await panel.showGrid({ ...makeGrid(), scheduler: 'lost', heardAtMs });
      expect(await page.locator('.title-row .badge').innerText()).toBe('Scheduler lost');
      expect(await page.getByRole('alert').innerText()).toContain(
        'Scheduler lost, last heard of 5 min ago: resume the grid',
      );
      expect(await page.locator('main').innerText()).not.toContain('Idle');
      await page.getByRole('button', { name: 'Resume the grid' }).click();
      expect((await sentOf(panel, 'gridAction')).map(({ action }) => action)).toEqual(['runMissing']);

      await panel.showGrid({ ...makeGrid(), scheduler: 'silent', heardAtMs: Date.now() - 50 * 3_600_000 });
      expect(await page.getByRole('status').innerText()).toContain('Scheduler silent, last heard of 2 days ago');
      expect(await page.getByRole('button', { name: 'Resume the grid' }).count()).toBe(1);
      // Another host's clock may be ahead.
      await panel.showGrid({ ...makeGrid(), scheduler: 'silent', heardAtMs: Date.now() + 3_600_000 });
      expect(await page.getByRole('status').innerText()).not.toContain('ago');

      const grid = makeGrid();
      const [done] = grid.runs;
      const runs = grid.sweep.cells.map(({ runId }) => ({ ...done!, id: runId, state: 'finished' as const }));
      await panel.showGrid({ ...grid, runs, scheduler: 'lost', heardAtMs });
      expect(await page.locator('main').innerText()).not.toContain('Scheduler');
    });

    it('steers the scheduler and saves tables and figures', async () => {
      const panel = await panelOf('grid');
      await panel.showGrid(makeGrid());
      await panel.page.getByRole('button', { name: 'Pause' }).click();
      await panel.showGrid({ ...makeGrid(), scheduler: 'idle' });
      await panel.page.getByRole('button', { name: 'Run missing and failed cells' }).click();
      expect((await sentOf(panel, 'gridAction')).map(({ action }) => action)).toEqual(['pause', 'runMissing']);
      for (const format of ['LaTeX', 'SVG', 'CSV']) {
        await panel.page.getByRole('button', { name: 'Export' }).click();
        await panel.page.getByRole('menuitem', { name: format }).click();
      }
      const texts = (await sentOf(panel, 'export')).map(({ content }) => (content as { text: string }).text);
      expect(texts[0]).toContain('\\mathbf{7');
      expect(texts[1]).toContain('<svg');
      expect(texts[2]!.split('\r\n')).toHaveLength(14);
    });
  });

  describe('what could not be read', () => {
    const problems = ['metrics.jsonl: 2 unreadable lines, left out'];

    it('is said above the curves, the comparison and the table', async () => {
      const curves = await panelOf('curves');
      await curves.showCurves([makeRun({ id: 'torn', summary: { problems } })]);
      expect(await curves.page.locator('.notice').innerText()).toMatch(
        /Not all of torn could be read\s+metrics.jsonl: 2 unreadable lines, left out/,
      );
      const comparison = await panelOf('comparison');
      const runs = fourRuns();
      for (const { summary } of runs.slice(1)) summary.problems = problems;
      await comparison.showComparison(runs);
      const notice = comparison.page.locator('.notice');
      expect(await notice.innerText()).toContain('Of 3 runs not all could be read');
      expect(await notice.locator('li').allInnerTexts()).toHaveLength(3);
      const table = await panelOf('table');
      await table.showTable(makeTable(20).map((row, i) => ({ ...row, problems: i < 7 ? problems : [] })));
      expect(await table.page.locator('.notice li').allInnerTexts()).toHaveLength(6);
      expect(await table.page.locator('.notice').innerText()).toContain('and 2 more');
      await table.showTable(makeTable(20));
      expect(await table.page.locator('.notice').count()).toBe(0);
    });
  });

  describe('comparison', () => {
    it('marks the best, shows only what differs, and changes the base', async () => {
      const panel = await panelOf('comparison');
      const { page } = panel;
      await panel.showComparison(fourRuns(), 'base-s0');
      expect(await page.locator('.results tbody tr').last().locator('strong').first().innerText()).toMatch(/^\d\d\.\d/);
      const keys = await page.locator('.differences tbody th').allInnerTexts();
      expect(keys).toEqual(['loss.eps', 'seed']);
      expect(await page.locator('.differences td.differs').allInnerTexts()).toEqual(['0.5', '0.5', '1', '1']);
      await page.getByLabel('Base').selectOption('eps-s1');
      expect(await page.locator('.differences td.differs').allInnerTexts()).toEqual(['0.2236', '0.2236', '0', '0']);
      expect(await sentOf(panel, 'setBase')).toEqual([{ type: 'setBase', runId: 'eps-s1' }]);
    });

    it('warns when runs do not compare, and calls a fair comparison fair', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison(fourRuns());
      expect(await panel.page.getByText('A fair comparison').count()).toBe(1);
      await panel.showComparison([arm('base', 0, 1), arm('longer', 1, 1, { 'train.epochs': 99 })]);
      const text = await panel.page.locator('.caveats').innerText();
      expect(text).toContain('train.epochs: 10, 99');
      expect(text).toContain('n = 1 shows no spread');
      await panel.page.getByRole('button', { name: 'Diff of the YAML' }).click();
      expect(await sentOf(panel, 'diffConfigs')).toEqual([
        { type: 'diffConfigs', leftId: 'base-s0', rightId: 'longer-s1' },
      ]);
    });

    it('gives means over seeds and writes them as tables', async () => {
      const panel = await panelOf('comparison');
      const { page } = panel;
      await panel.showComparison(fourRuns());
      await page.getByLabel('Means over seeds').check();
      expect(await page.locator('.results tbody tr').count()).toBe(2);
      expect(await page.locator('.results tbody').innerText()).toContain('(n = 2)');
      await page.getByRole('button', { name: 'Export table' }).click();
      await page.getByRole('menuitem', { name: 'Markdown' }).click();
      const [file] = await sentOf(panel, 'export');
      expect((file!.content as { text: string }).text).toMatch(
        /\| eps 0\.5 \| \*\*\d\d\.\d \u00b1 \d+\.\d \(n = 2\)\*\* \|/,
      );
    });

    it('has a column of each result, and lets people choose them, for what is saved too', async () => {
      const panel = await panelOf('comparison');
      const runs = fourRuns();
      for (const { summary } of runs) Object.assign(summary.last, { testLinearTop1: 0.8, maskAP: 0.02, stepMs: 65 });
      await panel.showComparison(runs);
      const { page } = panel;
      const heads = () => page.locator('.results thead th').allInnerTexts();
      expect((await heads()).slice(0, 4)).toEqual([
        'Run',
        'k-NN top-1 (%)',
        'Linear top-1 (test) (%)',
        'MaskCut mask AP (%)',
      ]);
      expect(await heads()).not.toContain('Step time (ms)');
      await page.getByText('Columns', { exact: true }).click();
      await page.getByRole('checkbox', { name: 'Step time' }).check();
      await page.getByRole('checkbox', { name: 'Loss', exact: true }).uncheck();
      expect(await heads()).toContain('Step time (ms)');
      expect(await heads()).not.toContain('Loss');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Export table' }).click();
      await page.getByRole('menuitem', { name: 'CSV' }).click();
      const [saved] = await sentOf(panel, 'export');
      const head = (saved!.content as { text: string }).text.split('\r\n')[0];
      expect(head).toContain('Step time (ms)');
      expect(head).not.toMatch(/,Loss,/);
      expect((await panel.kept()).choices['columns']).toMatch(/^knnTop1\n/);
    });

    it('writes values that differ so that they look different', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison([
        arm('a', 0, 1, { 'loss.eps': 0.2236 }),
        arm('b', 0, 1, { 'loss.eps': Math.sqrt(0.05) }),
      ]);
      expect(await panel.page.locator('table.differences td').allInnerTexts()).toEqual(['0.2236', '0.22361']);
    });

    it('sets the paper\u2019s rows beside one\u2019s own, in the table and in what is saved', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison(fourRuns());
      await panel.page.getByLabel('Beside').selectOption({ label: 'the paper\u2019s Table 1' });
      const rows = await panel.page.locator('.results tbody tr').allInnerTexts();
      expect(rows.some((row) => /Table 1: SimDINO \(ViT-B, 100 epochs, ImageNet-1k\).*74\.9/s.test(row))).toBe(true);
      expect(await panel.page.locator('.results strong').allInnerTexts()).not.toContain('81.1');
      await panel.page.getByRole('button', { name: 'Export table' }).click();
      await panel.page.getByRole('menuitem', { name: 'LaTeX' }).click();
      const [saved] = await sentOf(panel, 'export');
      expect((saved!.content as { text: string }).text).toContain('Table 1: SimDINOv2');
    });

    it('saves the parallel coordinates as SVG and PNG', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison(fourRuns());
      await panel.page.getByText('Parallel coordinates').click();
      for (const format of ['SVG', 'PNG']) {
        await panel.page.getByRole('button', { name: 'Export drawing' }).click();
        await panel.page.getByRole('menuitem', { name: format }).click();
      }
      await expect.poll(async () => (await sentOf(panel, 'export')).length).toBe(2);
      const [svg, png] = await sentOf(panel, 'export');
      expect((svg!.content as { text: string }).text).toMatch(/^<svg[^>]*font-family[^]*\beps\b/);
      expect(png!.fileName).toBe('parallel-coordinates.png');
    });

    it('draws fifty runs', async () => {
      const panel = await panelOf('comparison');
      await panel.showComparison(Array.from({ length: 50 }, (_, i) => arm(`many-${i}`, i, 0.8 + i / 150)));
      expect(await panel.page.locator('.results tbody tr').count()).toBe(50);
      await panel.page.getByRole('button', { name: '38 more' }).click();
      expect(await panel.page.locator('.legend-entry').count()).toBe(50);
    });
  });

  describe('the table of runs', () => {
    const names = (panel: PanelPage) => panel.page.locator('.runs-table .line .link').allInnerTexts();
    const heading = (panel: PanelPage, name: string) =>
      panel.page.getByRole('columnheader', { name, exact: true }).getByRole('button');

    it('draws of ten thousand runs those in sight, and scrolls to the last', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(10_000));
      const drawn = await panel.page.locator('.runs-table .line').count();
      expect(drawn).toBeGreaterThan(10);
      expect(drawn).toBeLessThan(80);
      expect(await panel.page.locator('.runs-table').getAttribute('aria-rowcount')).toBe('10001');
      await panel.page.locator('.runs-table').focus();
      await panel.page.keyboard.press('End');
      await expect.poll(async () => (await names(panel)).at(-1)).toBe('study 0'); // the oldest
      await panel.page.keyboard.press('Enter');
      expect(await sentOf(panel, 'openRun')).toMatchObject([{ runId: 'study-00000' }]);
    });

    it('sorts by several columns', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(40));
      await heading(panel, 'Seed').click();
      await heading(panel, 'Best loss').click({ modifiers: ['Shift'] });
      await heading(panel, 'Best loss').click({ modifiers: ['Shift'] });
      const cells = await panel.page
        .locator('.runs-table .line')
        .evaluateAll((lines) =>
          lines.map((line) => [...line.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent ?? '')),
        );
      const labels = await panel.page.locator('[role=columnheader] .label').allInnerTexts();
      const [seed, best] = [labels.indexOf('Seed'), labels.indexOf('Best loss')];
      const pairs = cells.map((line) => [Number(line[seed]), Number(line[best])] as const);
      expect(pairs).toEqual([...pairs].sort((a, b) => b[0] - a[0] || a[1] - b[1]));
    });

    it('filters by words and conditions, and says when nothing matches', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(40));
      await panel.page.getByLabel('Filter').fill('state:failed loss.eps=0.5');
      await expect.poll(() => panel.page.locator('.hint').innerText()).toMatch(/of 40 runs/);
      expect((await names(panel)).length).toBeLessThan(8);
      await panel.page.getByLabel('Filter').fill('no such run');
      await panel.page.getByRole('button', { name: 'Clear filter' }).click();
      await expect.poll(() => panel.page.locator('.hint').innerText()).toBe('40 runs');
    });

    it('groups by a parameter with means over each group', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(30));
      await panel.page.getByLabel('Group by').selectOption({ label: 'loss.gammaFactor' });
      const groups = await panel.page.locator('.runs-table .group').allInnerTexts();
      expect(groups[0]).toMatch(/^loss.gammaFactor 0.5 \(10\)[^]*\d+\.\d % \u00b1 \d+\.\d %/);
    });

    it('selects rows for a comparison, stars one, and keeps its order across a reload', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(20));
      await panel.page.locator('.runs-table').focus();
      await panel.page.keyboard.press(' ');
      await panel.page.keyboard.press('Shift+ArrowDown');
      await panel.page.getByRole('button', { name: 'Compare 2' }).click();
      expect(await sentOf(panel, 'compare')).toMatchObject([{ runIds: ['study-00019', 'study-00018'] }]);
      await panel.page.getByRole('button', { name: 'Star study 19' }).click();
      expect(await sentOf(panel, 'star')).toMatchObject([{ runId: 'study-00019', star: true }]);
      await heading(panel, 'Seed').click();
      const kept = await panel.kept();
      expect(kept.choices).toMatchObject({ sort: '-seed' });
      const again = await panelOf('table', { state: kept });
      await again.showTable(makeTable(20));
      expect(await again.page.locator('[aria-sort=descending]').innerText()).toContain('Seed');
    });

    it('shows a hostile name as a name, and takes rows away whose folder is gone', async () => {
      const panel = await panelOf('table');
      const [first, second] = makeTable(2);
      await panel.showTable([{ ...first!, name: hostile, notes: hostile, tags: [hostile] }, second!]);
      expect(await names(panel)).toContain(hostile);
      expect(await panel.page.evaluate(() => 'hacked' in globalThis)).toBe(false);
      await panel.post({ type: 'table/append', rows: [], removed: [first!.id], progress: { read: 1, total: 1 } });
      expect(await names(panel)).toEqual(['study 1']);
    });

    it('saves what it shows as CSV, Markdown and LaTeX', async () => {
      const panel = await panelOf('table');
      await panel.showTable(makeTable(5));
      for (const format of ['CSV', 'Markdown', 'LaTeX']) {
        await panel.page.getByRole('button', { name: 'Export' }).click();
        await panel.page.getByRole('menuitem', { name: format }).click();
      }
      const texts = (await sentOf(panel, 'export')).map(({ content }) => (content as { text: string }).text);
      expect(texts[0]!.split('\r\n')).toHaveLength(7);
      expect(texts[1]).toMatch(/\| \*\*7\d\.\d\*\* \|/);
      expect(texts[2]).toContain('\\toprule');
    });
  });

  describe('what runs learned', () => {
    it('names each column by run and step, and moves all of them with one slider', async () => {
      const panel = await panelOf('look');
      const { page } = panel;
      expect(await sentOf(panel, 'ready')).toEqual([{ type: 'ready', panel: 'look' }]);
      await panel.showLooks(makeLooks('a-1', 'a-2', null));
      const titles = () => page.locator('.look-run h2').allInnerTexts();
      expect(await titles()).toEqual(['quickstart (a-1), step 1562', 'quickstart (a-2), step 1562', 'not looked at']);
      await page.getByRole('slider', { name: 'Step' }).press('ArrowLeft');
      expect(await titles()).toEqual(['quickstart (a-1), step 781', 'quickstart (a-2), step 781', 'not looked at']);
      await page.getByLabel('Show').selectOption({ label: 'principal components' });
      expect(await page.locator('.look-run').first().locator('figcaption').allInnerTexts()).toEqual(
        Array(2).fill(['image', 'principal components']).flat(),
      );
    });

    it('fills the width with pictures of one size', async () => {
      const panel = await panelOf('look', { width: 1000 });
      await panel.showLooks(makeLooks('a-1', 'a-2'));
      const [row, boxes] = await panel.page.evaluate(() => {
        const pictures = document.querySelector('.look-pictures')!;
        const rights = [...pictures.querySelectorAll('img')].map((image) => image.getBoundingClientRect());
        return [pictures.getBoundingClientRect(), rights.map(({ right, width, height }) => ({ right, width, height }))];
      });
      expect(Math.abs(Math.max(...boxes.map(({ right }) => right)) - row.right)).toBeLessThan(2);
      for (const { width, height } of boxes) expect(Math.abs(width - height)).toBeLessThan(1);
    });

    it('asks for more with a button, which waits while pictures are made', async () => {
      const panel = await panelOf('look');
      const { page } = panel;
      await panel.showLooks(makeLooks('a-1', null));
      await page.getByRole('button', { name: 'Look again' }).click();
      await page.getByRole('button', { name: 'Look at every checkpoint' }).click();
      expect(await sentOf(panel, 'look')).toEqual([
        { type: 'look', runId: 'a-1' },
        { type: 'look', runId: 'not-looked-at' },
      ]);
      await panel.showLooks(makeLooks('a-1', null), true);
      expect(await page.getByRole('status').first().innerText()).toBe('Looking\u2026');
      expect(await page.locator('.look-run button:enabled').count()).toBe(0);
    });

    it('come back as they were left', async () => {
      const first = await panelOf('look');
      await first.showLooks(makeLooks('a-1', 'a-2'));
      await first.page.getByRole('slider', { name: 'Step' }).press('Home');
      await first.page.getByLabel('Show').selectOption('attention');
      const state = await first.kept();
      expect(checkPanelState(state)).toMatchObject({ kind: 'look', runIds: ['a-1', 'a-2'] });
      const second = await panelOf('look', { state });
      await second.showLooks(makeLooks('a-1', 'a-2'));
      expect(await second.page.locator('.look-run h2').first().innerText()).toContain('step 0');
      expect(await second.page.getByLabel('Show').inputValue()).toBe('attention');
    });
  });

  it('ten lines stand out from their card in every theme, on the canvas as in the legend', async () => {
    const panel = await panelOf('curves', { scale: 2, height: 700 });
    await panel.showCurves(Array.from({ length: 10 }, (_, i) => arm(`run-${i}`, i, 0.5 + i / 10)));
    await panel.page.getByLabel('Smoothing').fill('0.99');
    for (const name of Object.keys(themes) as ThemeName[]) {
      await panel.setTheme(name);
      await panel.settle();
      const { card, lines, drawn } = await panel.page.evaluate(() => {
        const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
        const rgb = (css: string): string => {
          context.fillStyle = css;
          context.fillRect(0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)].join(',');
        };
        const canvas = document.querySelector('canvas')!;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        const inked = new Set<string>();
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] === 255) inked.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        const strokes = [...document.querySelectorAll('.legend .line-sample line')].map((line) =>
          rgb(line.getAttribute('stroke')!),
        );
        return {
          card: rgb(getComputedStyle(document.querySelector('.card')!).backgroundColor),
          lines: strokes,
          drawn: strokes.filter((stroke) => inked.has(stroke)),
        };
      });
      const colourOf = (text: string) => parseColour(`rgb(${text})`)!;
      expect(new Set(lines).size, name).toBe(10);
      expect(drawn, name).toEqual(lines);
      for (const line of lines)
        expect(contrast(colourOf(line), colourOf(card)), `${line} on ${card}, ${name}`).toBeGreaterThanOrEqual(3);
    }
  });

  it('in high contrast the border of every state is as plain as any other', async () => {
    const panel = await panelOf('table');
    const states = ['finished', 'running', 'failed', 'crashed', 'stale'] as const;
    await panel.showTable(makeTable(5).map((row, i) => ({ ...row, state: states[i]! })));
    for (const name of ['highContrast', 'highContrastLight'] as const) {
      await panel.setTheme(name);
      const ground = parseColour(themes[name].variables['editor-background']!)!;
      const borders = await panel.page
        .locator('.badge')
        .evaluateAll((badges) => badges.map((badge) => getComputedStyle(badge).borderTopColor));
      expect(borders).toHaveLength(5);
      for (const border of borders) {
        const colour = parseColour(border);
        expect(colour?.a, border).toBe(1);
        expect(contrast(colour!, ground), border).toBeGreaterThan(4.5);
      }
    }
  });

  it('nothing moves for who asks for reduced motion, and what lives breathes for others', async () => {
    const moving = (panel: PanelPage): Promise<number> => panel.page.evaluate(() => document.getAnimations().length);
    for (const reducedMotion of [true, false]) {
      const expected = (count: number): boolean => (reducedMotion ? count === 0 : count > 0);
      const curves = await panelOf('curves', { reducedMotion });
      expect(await moving(curves), `loading, ${reducedMotion}`).toSatisfy(expected);
      await curves.showCurves([running()]);
      expect(await moving(curves), `running, ${reducedMotion}`).toSatisfy(expected);
      const grid = await panelOf('grid', { reducedMotion });
      await grid.showGrid(makeGrid());
      expect(await moving(grid), `a running grid, ${reducedMotion}`).toSatisfy(expected);
    }
  });

  describe('a name that is markup stays a name, and markup that got in does nothing:', () => {
    const named = {
      name: hostile,
      summary: { tags: [hostile], failure: hostile, configSource: hostile, device: hostile },
    };
    const config = { 'loss.eps': hostile, [hostile]: 1 };
    const draw: Record<PanelKind, (panel: PanelPage) => Promise<void>> = {
      curves: (panel) => panel.showCurves([running({ ...named, config })]),
      comparison: (panel) => panel.showComparison([running({ ...named, config }), running({ ...named, id: 'b' })]),
      grid: async (panel) => {
        const grid = makeGrid();
        const runs = grid.runs.map((run) => ({ ...run, name: hostile, tags: [hostile], failure: hostile }));
        await panel.showGrid({ ...grid, name: hostile, runs, sweep: { ...grid.sweep, base: hostile } });
      },
      table: (panel) =>
        panel.showTable(
          makeTable(4).map((row) => ({
            ...row,
            name: hostile,
            notes: hostile,
            tags: [hostile],
            config,
            method: hostile,
          })),
        ),
      look: (panel) =>
        panel.showLooks(
          makeLooks('a-1', 'a-2').map((run) => ({
            ...run,
            name: hostile,
            looks: run.looks.map((look) => ({
              ...look,
              images: look.images.map((image) => ({ ...image, name: hostile })),
              sheets: [{ kind: hostile, uri: 'javascript:window.hacked=1' }],
            })),
          })),
        ),
    };
    for (const kind of panelKinds)
      it(kind, async () => {
        const panel = await panelOf(kind);
        const { page } = panel;
        const isHacked = (): Promise<boolean> => page.evaluate(() => 'hacked' in window);
        await draw[kind](panel);
        await panel.post({ type: 'panel/error', code: 'x', message: hostile, remedy: hostile });
        await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
        await panel.settle();
        expect(await page.getByText(hostile).count()).toBeGreaterThan(1);
        expect(await page.locator('[onerror], #app script').count()).toBe(0);
        expect(await page.locator('img:not(.look img)').count()).toBe(0);
        expect(await isHacked()).toBe(false);

        // Were a panel to write it as markup one day, the page's policy would still not run it.
        const refused = await page.evaluate(async (markup) => {
          const violations: string[] = [];
          document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
          const element = document.createElement('div');
          element.innerHTML = markup;
          document.body.append(element);
          const script = document.createElement('script');
          script.textContent = 'window.hacked = 1';
          document.body.append(script);
          await fetch('http://elsewhere.test/').catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return [...new Set(violations)].sort();
        }, hostile);
        expect(refused).toEqual(['connect-src', 'script-src-attr', 'script-src-elem']);
        expect(await isHacked()).toBe(false);
        // `src=x` is of the page's own source, where there is none.
        const refusals = /Content Security Policy|404/;
        const others = panel.faults.splice(0).filter((fault) => !refusals.test(fault));
        expect(others).toEqual([]);
      });
  });

  it('what finds cut text finds it, unless a tooltip tells it or it can be scrolled to', async () => {
    const page = await browser!.newPage();
    const box = (style: string, inner = 'too long for its box', attributes = '') =>
      `<div style="width: 40px; white-space: nowrap; ${style}" ${attributes}>${inner}</div>`;
    const cutsOf = async (body: string): Promise<number> => {
      await page.setContent(`<body>${body}</body>`);
      return (await cutTexts(page)).length;
    };
    expect(await cutsOf(box('overflow: hidden'))).toBe(1);
    expect(await cutsOf(box('overflow: hidden; text-overflow: ellipsis'))).toBe(1);
    expect(await cutsOf(box('overflow: hidden', '<span>deep <b>inside of it</b></span>'))).toBe(1);
    expect(await cutsOf(box('overflow: hidden; height: 10px; white-space: normal'))).toBe(1);
    expect(await cutsOf(`<div style="width: 90px; overflow: hidden">${box('overflow: visible')}</div>`)).toBe(1);
    expect(await cutsOf('<select style="width: 40px"><option>too long for it</option></select>')).toBe(1);
    expect(await cutsOf(box('overflow: hidden', 'too long for it', 'title="Say: too long for it"'))).toBe(0);
    expect(await cutsOf(box('overflow: hidden', 'too long for it', 'title="something else"'))).toBe(1);
    expect(await cutsOf(box('overflow: auto'))).toBe(0);
    expect(await cutsOf(box('overflow: hidden', 'short'))).toBe(0);
    await page.close();
  });

  it('the table of runs cuts no heading, state, time or number at its first width', async () => {
    const panel = await panelOf('table');
    const rows = makeTable(9).map((row, i) => ({
      ...row,
      createdAtMs: new Date(2026, 10, 20 + i, 22, 58).getTime(),
      state: i === 0 ? ('stale' as const) : row.state,
    }));
    await panel.showTable(rows);
    const exact = { evenIfTold: '.head, .cell.time, .cell.metric, .cell.number, .badge' };
    expect(await cutTexts(panel.page, exact)).toEqual([]);
    await panel.page.getByLabel('Group by').selectOption({ label: 'loss.gammaFactor' });
    await panel.page.getByRole('columnheader', { name: 'Best loss' }).getByRole('button').click();
    expect(await cutTexts(panel.page, exact)).toEqual([]);
    const badge = await panel.page.locator('.badge.tone-warning').boundingBox();
    const cell = await panel.page.locator('.cell:has(> .badge.tone-warning)').boundingBox();
    expect(badge!.x + badge!.width).toBeLessThanOrEqual(cell!.x + cell!.width);
  });

  it('the table of runs has its columns below each other, however long the names, tags and notes', async () => {
    for (const width of [700, 1600]) {
      const panel = await panelOf('table', { width });
      const rows = makeTable(6).map((row, i) => ({
        ...row,
        name: 'x'.repeat(1 + 20 * i),
        tags: ['t'.repeat(1 + 15 * i)],
        notes: 'n'.repeat(1 + 25 * i),
      }));
      await panel.showTable(rows);
      await panel.page.getByText('Columns', { exact: true }).click();
      for (const name of ['Tags', 'Notes']) await panel.page.getByRole('checkbox', { name, exact: true }).check();
      await panel.page.keyboard.press('Escape');
      const edges = (row: string) =>
        panel.page
          .locator(row)
          .evaluateAll((found) =>
            found.map((one) => [...one.children].map((cell) => Math.round(cell.getBoundingClientRect().left)).join()),
          );
      const [head] = await edges('.runs-table .head');
      expect(head!.split(',').length).toBeGreaterThan(6);
      expect(await edges('.runs-table .line')).toEqual(rows.map(() => head));
    }
  });

  it('the facts of a run have dots between them, and none in or before a tag', async () => {
    const panel = await panelOf('curves');
    await panel.showCurves([running({ summary: { tags: ['baseline', 'night'] } })]);
    const dotted = await panel.page
      .locator('.facts li')
      .evaluateAll((items) => items.map((item) => getComputedStyle(item, '::after').content !== 'none'));
    expect(dotted.slice(-3)).toEqual([false, false, false]);
    expect(dotted.slice(0, -3).every(Boolean) && dotted.length > 4).toBe(true);
  });

  describe('at 200 % zoom on a small window, with the longest name, nothing moves sideways and nothing is cut:', () => {
    const name = 'simdino_vits16_imagenet100_gamma-balanced_eps-0.2236_lr-0.002_bs-1024_' + 'x'.repeat(58);
    const draw: Record<PanelKind, (panel: PanelPage) => Promise<void>> = {
      curves: (panel) => panel.showCurves([running({ name })]),
      grid: (panel) => panel.showGrid({ ...makeGrid(), name }),
      comparison: (panel) => panel.showComparison([running({ name }), arm('b', 1, 1)]),
      table: (panel) => panel.showTable(makeTable(12).map((row) => ({ ...row, name, tags: [name], notes: name }))),
      look: (panel) => panel.showLooks(makeLooks('a-1', 'a-2').map((run) => ({ ...run, name }))),
    };
    for (const kind of panelKinds)
      it(kind, async () => {
        const panel = await panelOf(kind, { width: 600, height: 800, scale: 2 });
        await draw[kind](panel);
        for (const theme of ['light', 'highContrast'] as const) {
          await panel.setTheme(theme);
          const widths = await panel.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          expect(widths[0], theme).toBeLessThanOrEqual(widths[1]!);
          expect(await cutTexts(panel.page), theme).toEqual([]);
        }
      });
  });

  it('a report is one file that shows comparison, grid, table and curves without a host', async () => {
    const page = await browser!.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    const made = [running({ name: hostile }), arm('b', 1, 1)];
    const data = encodeReport({
      title: hostile,
      createdAtMs: Date.UTC(2026, 10, 20),
      studioVersion: '0.1.0',
      runs: made.map(({ summary }) => summary),
      series: made.flatMap(({ series }) => series),
      grids: [makeGrid()],
      baseId: null,
    });
    const html = reportHtml({
      title: hostile,
      script: files.get('report.js')!,
      style: files.get('report.css')!,
      data,
      nonce: 'abcdefgh12345678',
    });
    await page.route('http://report.test/', (route) => route.fulfill({ body: html, contentType: 'text/html' }));
    await page.goto('http://report.test/');
    expect(await page.getByRole('tab').allInnerTexts()).toEqual([
      'Comparison',
      'Grid gamma-eps',
      'Runs',
      hostile,
      'b-s1',
    ]);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Comparison of 2 runs');
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(100);
        const where = `${await tab.innerText()}, ${colorScheme}`;
        expect(await violations({ page }), where).toEqual([]);
        expect(await cutTexts(page), where).toEqual([]);
      }
    }
    await page.getByRole('tab', { name: 'Comparison' }).click();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.cell').count()).toBe(12);
    await page.getByRole('tab', { name: 'Runs' }).click();
    await page.getByLabel('Filter').fill('b-s1');
    expect(await page.locator('.runs-table .line .link').allInnerTexts()).toEqual(['b-s1']);
    await page.getByRole('tab', { name: 'b-s1' }).click();
    await page.waitForSelector('.plot canvas');
    expect(await page.getByRole('button', { name: 'Stop' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Actions of Loss', exact: true }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Export CSV' }).click();
    expect((await download).suggestedFilename()).toBe('loss.csv');
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(faults).toEqual([]);
    await page.close();
  });
});
