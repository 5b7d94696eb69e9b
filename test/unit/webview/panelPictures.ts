// See scripts/panelPictures.mjs.
// Pictures of every panel in every theme, to be looked at.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from '../../host/browser.ts';
import { findChromium } from '../../host/chromium.ts';
import type { PanelPage as Panel, ThemeName } from './panelPage.ts';
import { PanelPage, buildPanels } from './panelPage.ts';
import { makeGrid, makeLooks, makeRun, makeTable } from './fixtures.ts';
import type { PanelKind } from '../../../protocol/panelMessages.ts';
import { themes } from './themes.ts';

const [folder = 'shots', themeList, nameList] = process.argv.slice(2);
const chosen = (themeList && themeList !== 'all' ? themeList.split(',') : Object.keys(themes)) as ThemeName[];

const arm = (name: string, seed: number, quality: number, config = {}) =>
  makeRun({ id: `${name}-s${seed}`, name: `${name} seed ${seed}`, seed, quality, steps: 3000, config: { ...config } });
const compared = [
  arm('baseline', 0, 1),
  arm('baseline', 1, 1.01),
  arm('eps-0.5', 0, 1.06, { 'loss.eps': 0.5 }),
  arm('eps-0.5', 1, 1.05, { 'loss.eps': 0.5 }),
];
const longName = 'simdino_vits16_imagenet100_gamma-balanced_eps-0.2236_lr-0.002_bs-1024_longest-real-name-of-them-all';

const pictures: Record<
  string,
  { kind: PanelKind; height?: number; width?: number; draw: (panel: Panel) => Promise<void> }
> = {
  curves: {
    kind: 'curves',
    height: 1500,
    draw: async (panel) => {
      await panel.showCurves([
        makeRun({
          id: 'quickstart-0007',
          name: 'quickstart 0007',
          resumedAt: 900,
          summary: { tags: ['baseline'], star: true },
        }),
      ]);
      const plot = panel.page.locator('.plot').first();
      await plot.hover({ position: { x: 260, y: 90 } });
    },
  },
  curvesManyNaN: {
    kind: 'curves',
    height: 700,
    draw: async (panel) => {
      const made = makeRun({ id: 'x', name: 'spikes', steps: 1400 });
      const loss = made.series.find(({ metric }) => metric === 'loss')!.value;
      for (const step of [2, 300, 315, 330, 335, 350, 700, 1000, 1016, 1398]) loss[step] = NaN;
      loss[1000] = Infinity;
      await panel.showCurves([made]);
    },
  },
  gridLost: {
    kind: 'grid',
    height: 500,
    draw: (panel) => panel.showGrid({ ...makeGrid(), scheduler: 'lost', heardAtMs: Date.now() - 5.5 * 60_000 }),
  },
  curvesNaN: {
    kind: 'curves',
    height: 900,
    draw: (panel) =>
      panel.showCurves([
        makeRun({
          id: 'x',
          name: longName,
          state: 'failed',
          steps: 1400,
          nanAt: 1200,
          summary: {
            last: { loss: NaN, distance: 0.1, codingRate: 5, codingRateMax: 118 },
            failure: 'The loss became NaN at step 1400; the parameters of that step were not kept.',
          },
        }),
      ]),
  },
  curvesMany: {
    kind: 'curves',
    height: 1100,
    draw: async (panel) => {
      await panel.showCurves(
        Array.from({ length: 50 }, (_, i) =>
          makeRun({
            id: `run-${i}`,
            name: i === 3 ? longName : `sweep gamma ${(i / 10).toFixed(1)} seed ${i % 3}`,
            seed: i,
            quality: 0.8 + i / 150,
            steps: 3000,
          }),
        ),
      );
      await panel.page
        .locator('.plot')
        .first()
        .hover({ position: { x: 260, y: 90 } });
    },
  },
  empty: { kind: 'curves', height: 400, draw: (panel) => panel.showCurves([], ['quickstart-0007']) },
  loading: { kind: 'curves', height: 600, draw: () => Promise.resolve() },
  grid: { kind: 'grid', height: 1100, draw: (panel) => panel.showGrid(makeGrid()) },
  gridFacets: { kind: 'grid', height: 900, draw: (panel) => panel.showGrid(makeGrid(true)) },
  comparison: { kind: 'comparison', height: 1500, draw: (panel) => panel.showComparison(compared) },
  comparisonTwo: {
    kind: 'comparison',
    height: 1000,
    draw: (panel) =>
      panel.showComparison([
        arm('baseline', 0, 1),
        makeRun({ id: 'b', name: longName, seed: 3, steps: 2100, config: { 'loss.eps': 0.5, 'train.epochs': 60 } }),
      ]),
  },
  table: {
    kind: 'table',
    draw: async (panel) => {
      await panel.showTable(makeTable(400), 260);
      await panel.page.getByRole('columnheader', { name: 'Best k-NN' }).getByRole('button').click();
      for (const i of [2, 4]) await panel.page.locator('.runs-table .line').nth(i).click();
    },
  },
  tableGrouped: {
    kind: 'table',
    height: 600,
    draw: async (panel) => {
      await panel.showTable(makeTable(60));
      await panel.page.getByLabel('Group by').selectOption({ label: 'loss.gammaFactor' });
    },
  },
  look: { kind: 'look', height: 1100, draw: (panel) => panel.showLooks(makeLooks('quick-1', 'quick-2')) },
  lookNone: { kind: 'look', height: 500, draw: (panel) => panel.showLooks(makeLooks('quick-1', null), true) },
  narrow: {
    kind: 'curves',
    width: 420,
    height: 1300,
    draw: (panel) => panel.showCurves([makeRun({ id: 'quickstart-0007' })]),
  },
};

const executable = await findChromium(console.log);
if (typeof executable !== 'string') throw new Error(executable.missing);
mkdirSync(folder, { recursive: true });
const browser = await launchBrowser(executable);
try {
  const files = await buildPanels();
  for (const [name, text] of files) console.log(name, Math.round(text.length / 1024), 'KiB');
  for (const theme of chosen) {
    for (const [name, { kind, width, height, draw }] of Object.entries(pictures)) {
      if (nameList && !nameList.split(',').includes(name)) continue;
      const panel = await PanelPage.open(browser, files, kind, {
        theme,
        ...(width ? { width } : {}),
        ...(height ? { height } : {}),
      });
      await draw(panel).catch((error: unknown) => console.log(name, String(error).slice(0, 300)));
      await panel.settle();
      await panel.page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
      if (panel.faults.length > 0) console.log(name, theme, panel.faults);
      await panel.close();
    }
  }
} finally {
  await browser.close();
}
