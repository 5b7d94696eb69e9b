/**
 * A run of a million points in the curves panel against Chart.js alone with its own min-max decimation, in one browser,
 * in turns: time until six charts are drawn, and time of a frame while panning. Ours draws the average and the raw line,
 * the peer the raw line only. Ours draws the chart in use in every frame and the others as far as the frame has time, the rest
 * in the next; the peer draws all six in every frame.
 *
 *   npm run bench -- ui [--points 1000000] [--rounds 3]
 *
 * Without a GPU the browser paints in software, and painting is most of a frame.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import type { Browser } from 'playwright-core';
import type { RunSummary } from '../protocol/panelMessages.ts';
import { launchBrowser } from '../test/host/browser.ts';
import { findChromium } from '../test/host/chromium.ts';
import { makeRun } from '../test/unit/webview/fixtures.ts';
import { PanelPage, buildPanels } from '../test/unit/webview/panelPage.ts';
import { median } from './median.ts';

interface Measurement {
  openMs: number;
  frameMs: number;
}

const metrics = ['loss', 'distance', 'effectiveRank', 'teacherStudentCosine', 'gradientNorm', 'lr'];
const frames = 60;
const size = { width: 1240, height: 1000 };

const { values: options } = parseArgs({
  options: { points: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const points = Number(options.points);
const executable = await findChromium(console.log);
if (typeof executable !== 'string') throw new Error(executable.missing);
const browser = await launchBrowser(executable);
const [files, peerScript] = await Promise.all([buildPanels(), buildPeer()]);
const rounds: { ours: Measurement; peer: Measurement }[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const pair = { ours: await measureOurs(browser, files), peer: await measurePeer(browser, peerScript) };
  rounds.push(pair);
  console.log(`round ${round}: ${JSON.stringify(pair)}, load ${loadavg()[0]!.toFixed(1)}`);
}
await browser.close();

const of = (who: 'ours' | 'peer', what: keyof Measurement): number =>
  Math.round(median(rounds.map((round) => round[who][what])) * 10) / 10;
console.log(
  JSON.stringify({
    name: 'ui',
    ratio: Math.round((100 * of('peer', 'frameMs')) / of('ours', 'frameMs')) / 100,
    ours: of('ours', 'frameMs'),
    peer: of('peer', 'frameMs'),
    unit: 'ms per frame while panning six charts, median',
    openMs: { ours: of('ours', 'openMs'), peer: of('peer', 'openMs') },
    points,
    hardware: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, software painting, load ${loadavg()[0]!.toFixed(1)}`,
  }),
);

async function measureOurs(host: Browser, built: ReadonlyMap<string, string>): Promise<Measurement> {
  const panel = await PanelPage.open(host, built, 'curves', size);
  panel.page.setDefaultTimeout(120_000);
  const { summary } = makeRun({ id: 'million', steps: 10 });
  const result = await panel.page.evaluate(openAndPan, { summary, metrics, points, frames });
  if (panel.faults.length > 0) throw new Error(panel.faults.join('\n'));
  await panel.close();
  return result;
}

/** Runs in the page. */
async function openAndPan(given: {
  summary: RunSummary;
  metrics: string[];
  points: number;
  frames: number;
}): Promise<Measurement> {
  const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
  const step = Float64Array.from({ length: given.points }, (_, i) => i + 1);
  const last = Object.fromEntries(given.metrics.map((metric) => [metric, 1]));
  const series = given.metrics.map((metric, k) => ({
    runId: given.summary.id,
    metric,
    from: 0,
    step,
    epoch: step,
    time: step,
    value: step.map((s) => Math.exp((-5 * s) / given.points) + 0.1 * Math.sin(s * (k + 1)) + 1),
  }));
  const runs = [{ ...given.summary, step: given.points, totalSteps: given.points, last, best: {} }];
  const start = performance.now();
  window.postMessage({ type: 'curves/snapshot', runs, series, missing: [] }, '*');
  while (document.querySelectorAll('.chart-card footer').length < given.metrics.length) await frame();
  await frame();
  const openMs = performance.now() - start;
  const plot = document.querySelector<HTMLElement>('.plot')!;
  const press = (key: string, shiftKey = false): boolean =>
    plot.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true }));
  press('Home');
  for (let i = 0; i < 5; i++) press('PageDown');
  press('+');
  press('+');
  for (let i = 0; i < 10; i++) await frame();
  const times: number[] = [];
  let previous = await frame();
  for (let i = 0; i < given.frames; i++) {
    press(i % 10 < 5 ? 'ArrowRight' : 'ArrowLeft', true);
    const now = await frame();
    times.push(now - previous);
    previous = now;
  }
  return { openMs, frameMs: times.sort((a, b) => a - b)[times.length >> 1]! };
}

async function measurePeer(host: Browser, script: string): Promise<Measurement> {
  const page = await host.newPage({ viewport: size });
  page.setDefaultTimeout(120_000);
  const canvases = metrics.map(() => '<div class="plot"><canvas></canvas></div>').join('');
  const style = '.plot { position: relative; display: inline-block; width: 385px; height: 210px; }';
  await page.setContent(`<!doctype html><style>${style}</style>${canvases}`);
  await page.addScriptTag({ content: script });
  const result = await page.evaluate(
    (given) => (globalThis as unknown as { peer: { run(given: unknown): Promise<Measurement> } }).peer.run(given),
    { points, frames },
  );
  await page.close();
  return result;
}

/** Chart.js as its documentation has it for long series: decimation plugin, no parsing, no animation, pan by the scale. */
async function buildPeer(): Promise<string> {
  const contents = `
    import { Chart, Decimation, LinearScale, LineController, LineElement, PointElement } from 'chart.js';
    Chart.register(Decimation, LinearScale, LineController, LineElement, PointElement);
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    export async function run({ points, frames }) {
      const columns = [...document.querySelectorAll('canvas')].map((_, k) =>
        Float64Array.from({ length: points }, (_, i) => Math.exp((-5 * i) / points) + 0.1 * Math.sin((i + 1) * (k + 1)) + 1));
      const start = performance.now();
      const charts = [...document.querySelectorAll('canvas')].map((canvas, k) => new Chart(canvas, {
        type: 'line',
        data: { datasets: [{ data: Array.from(columns[k], (y, i) => ({ x: i + 1, y })), borderColor: '#3794ff', borderWidth: 1.75, pointRadius: 0 }] },
        options: {
          animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false, events: [],
          scales: { x: { type: 'linear' }, y: { type: 'linear' } },
          plugins: { decimation: { enabled: true, algorithm: 'min-max' } },
        },
      }));
      await frame();
      await frame();
      const openMs = performance.now() - start;
      let from = 0.39 * points;
      const width = 0.44 * points;
      const show = () => {
        for (const chart of charts) {
          chart.options.scales.x.min = from;
          chart.options.scales.x.max = from + width;
          chart.update('none');
        }
      };
      show();
      for (let i = 0; i < 10; i++) await frame();
      const times = [];
      let previous = await frame();
      for (let i = 0; i < frames; i++) {
        from += (i % 10 < 5 ? 0.2 : -0.2) * width * 0.5;
        show();
        const now = await frame();
        times.push(now - previous);
        previous = now;
      }
      return { openMs, frameMs: times.sort((a, b) => a - b)[times.length >> 1] };
    }`;
  const built = await esbuild.build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'peer',
  });
  return built.outputFiles[0]!.text;
}
