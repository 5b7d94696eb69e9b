/** Runs as the panels get them, shaped like real training: made from formulas and a seeded generator. */
import { expandCells } from '../../../configs/expandCells.ts';
import type { GridData, LookedRun, RunSummary, Series, TableRow } from '../../../protocol/panelMessages.ts';
import type { RunState } from '../../../protocol/records.ts';
import { run } from '../experiments/fixtureRuns.ts';

export interface MadeRun {
  summary: RunSummary;
  series: Series[];
}

export interface RunShape {
  id: string;
  name?: string;
  state?: RunState;
  seed?: number;
  steps?: number;
  totalSteps?: number;
  /** Better runs end higher in k-NN. */
  quality?: number;
  config?: RunSummary['config'];
  nanAt?: number;
  resumedAt?: number;
  summary?: Partial<RunSummary>;
}

const startMs = Date.UTC(2026, 10, 20, 9, 30);

export function makeRun(shape: RunShape): MadeRun {
  const { id, seed = 0, steps = 2400, totalSteps = 3000, quality = 1, nanAt, resumedAt } = shape;
  const random = mulberry32(seed * 7919 + hash(id));
  const noise = () => random() + random() + random() - 1.5;
  const stepsPerEpoch = 100;
  const step = Float64Array.from({ length: steps }, (_, i) => i + 1);
  const epoch = step.map((s) => s / stepsPerEpoch);
  let clock = startMs;
  const time = step.map((s) => (clock += 62 + 12 * random() + (s === resumedAt ? 3_600_000 : 0)));
  const maximum = 118;
  const gamma = 1 / 256 + 1 / 64;
  const columns: Record<string, (s: number) => number> = {
    distance: (s) => 0.08 + 0.5 * Math.exp(-s / (500 / quality)) + 0.02 * noise(),
    codingRate: (s) => maximum * (0.86 - 0.7 * Math.exp(-s / (260 * quality)) + 0.012 * noise()),
    codingRateMax: () => maximum,
    gamma: () => gamma,
    teacherStudentCosine: (s) => 0.92 - 0.6 * Math.exp(-s / 500) + 0.015 * noise(),
    effectiveRank: (s) => 12 + 160 * quality * (1 - Math.exp(-s / 700)) + 3 * noise(),
    gradientNorm: (s) => 0.6 + 2.2 * Math.exp(-s / 200) + 0.15 * Math.abs(noise()) + (s === 1234 ? 6 : 0),
    lr: (s) => (s < 300 ? s / 300 : 0.5 * (1 + Math.cos((Math.PI * (s - 300)) / (totalSteps - 300)))) * 5e-4 + 1e-6,
    weightDecay: (s) => 0.04 + 0.36 * 0.5 * (1 - Math.cos((Math.PI * s) / totalSteps)),
    momentum: (s) => 1 - 0.004 * 0.5 * (1 + Math.cos((Math.PI * s) / totalSteps)),
    imagesPerSecond: () => 980 + 40 * noise(),
    stepMs: () => 65 + 4 * noise(),
    memoryBytes: (s) => 1.2 * 2 ** 30 + s * 3e4,
    dataWaitShare: () => Math.max(0, 0.03 + 0.01 * noise()),
  };
  const values: Record<string, Float64Array> = {};
  for (const [metric, at] of Object.entries(columns)) values[metric] = step.map(at);
  values['loss'] = step.map((s, i) =>
    nanAt !== undefined && s >= nanAt && s < nanAt + 4
      ? NaN
      : values['distance']![i]! - gamma * values['codingRate']![i]!,
  );
  const series: Series[] = Object.entries(values).map(([metric, value]) => ({
    runId: id,
    metric,
    from: 0,
    step,
    epoch,
    time,
    value,
  }));
  const knnSteps = Float64Array.from({ length: Math.floor(steps / 200) + 1 }, (_, i) => i * 200);
  const knn = knnSteps.map((s) => 0.31 + 0.44 * quality * (1 - Math.exp(-s / 800)) + 0.006 * noise());
  series.push({
    runId: id,
    metric: 'knnTop1',
    from: 0,
    step: knnSteps,
    epoch: knnSteps.map((s) => s / stepsPerEpoch),
    time: knnSteps.map((s) => startMs + s * 70),
    value: knn,
  });
  const last: Record<string, number> = {};
  const best: RunSummary['best'] = {};
  for (const { metric, value, step: at } of series) {
    last[metric] = value.at(-1)!;
    const lower = metric === 'loss' || metric === 'distance';
    let position = 0;
    value.forEach((v, i) => {
      if (lower ? v < value[position]! : v > value[position]!) position = i;
    });
    if (['loss', 'distance', 'codingRate', 'knnTop1', 'effectiveRank', 'imagesPerSecond'].includes(metric)) {
      best[metric] = { value: value[position]!, step: at[position]! };
    }
  }
  const state = shape.state ?? (steps >= totalSteps ? 'finished' : 'running');
  const summary = run({
    id,
    name: shape.name ?? id,
    state,
    seed,
    step: steps,
    totalSteps,
    epoch: steps / stepsPerEpoch,
    stepsPerEpoch,
    createdAtMs: startMs,
    updatedAtMs: time.at(-1) ?? null,
    etaMs: state === 'running' ? (totalSteps - steps) * 66 : null,
    engine: 'onnx',
    device: 'CPU, 8 threads',
    config: {
      method: 'simdino',
      seed,
      'loss.eps': 0.2236,
      'loss.gammaFactor': 1,
      'optim.lr': 0.0005,
      'train.epochs': totalSteps / stepsPerEpoch,
      'train.batchSize': 64,
      'data.kind': 'fashion-mnist',
      'projector.outputDim': 256,
      'teacher.momentum': 0.996,
      ...shape.config,
    },
    last,
    best,
    resumedAtSteps: resumedAt === undefined ? [] : [resumedAt],
    checkpointSteps: [1000, 2000],
    codingRateCollapsed: 3,
    ...shape.summary,
  });
  return { summary, series };
}

/** Rows of the table of runs: a study of gamma, eps and seeds, with a run in every state. */
export function makeTable(count: number): TableRow[] {
  const random = mulberry32(11);
  const states: RunState[] = ['finished', 'finished', 'finished', 'failed', 'stopped', 'running', 'crashed'];
  return Array.from({ length: count }, (_, i): TableRow => {
    const eps = [0.1, 0.2236, 0.5, 1][i % 4]!;
    const factor = [0.5, 1, 2][i % 3]!;
    const state = states[i % states.length]!;
    const knn = 0.74 - 0.05 * Math.log(factor) ** 2 - 0.03 * Math.log(eps / 0.3) ** 2 + 0.01 * random();
    return {
      id: `study-${String(i).padStart(5, '0')}`,
      name: i === 2 ? 'the one with the longest name of them all, eps 0.5 and gamma doubled' : `study ${i}`,
      state,
      method: i % 5 === 0 ? 'dino' : 'simdino',
      seed: i % 3,
      createdAtMs: startMs + i * 60_000,
      epoch: state === 'finished' ? 30 : 12.5,
      star: i % 9 === 0,
      archived: false,
      tags: i % 4 === 0 ? ['baseline'] : [],
      notes: '',
      sweepId: i % 2 === 0 ? 'gamma-eps' : null,
      last: { loss: state === 'failed' ? Number.NaN : 1 - knn, knnTop1: knn - 0.01 },
      best: { loss: { value: 0.95 - knn, step: 2900 }, knnTop1: { value: knn, step: 2800 } },
      config: { 'loss.eps': eps, 'loss.gammaFactor': factor, 'optim.lr': 0.0005 * (1 + (i % 2)) },
      problems: [],
    };
  });
}

/** A gamma x eps sweep with two seeds and every state of a cell. */
export function makeGrid(extraAxis = false): GridData {
  const axes = [
    { key: 'loss.gammaFactor', values: [0.5, 1, 2] },
    { key: 'loss.eps', values: [0.1, 0.2236, 0.5, 1] },
    ...(extraAxis ? [{ key: 'optim.lr', values: [0.0005, 0.001] }] : []),
  ];
  const seeds = [0, 1, 2];
  const cells = expandCells({ axes, seeds }).map((cell, i) => ({
    ...cell,
    runId: `gamma-eps-${String(i).padStart(3, '0')}`,
  }));
  const random = mulberry32(5);
  const runs = cells.flatMap(({ runId, cell, seed }, i): RunSummary[] => {
    const factor = cell['loss.gammaFactor'] as number;
    const eps = cell['loss.eps'] as number;
    const value = 0.74 - 0.05 * Math.log(factor) ** 2 - 0.03 * Math.log(eps / 0.3) ** 2 + 0.008 * random();
    const position = Math.floor(i / seeds.length);
    const state: RunState | null =
      factor === 2 && eps === 1
        ? null
        : factor === 2 && eps === 0.5
          ? 'queued'
          : factor === 2 && eps === 0.2236
            ? seed === 0
              ? 'running'
              : 'queued'
            : factor === 2 && eps === 0.1
              ? 'failed'
              : position === 3 && seed === 2
                ? 'crashed'
                : 'finished';
    if (state === null) return [];
    const finished = state === 'finished';
    const summary = run({
      id: runId,
      name: `gamma-eps ${i}`,
      state,
      seed,
      config: { 'loss.gammaFactor': factor, 'loss.eps': eps, seed },
      last: finished ? { knnTop1: value - 0.004, loss: 1 - value } : state === 'running' ? { knnTop1: 0.61 } : {},
      best: finished ? { knnTop1: { value, step: 2800 }, loss: { value: 1 - value, step: 3000 } } : {},
      sweep: { id: 'gamma-eps', cell, seed },
    });
    return [summary];
  });
  return {
    sweep: {
      version: 1,
      id: 'gamma-eps',
      createdAt: '2026-11-20T09:30:00Z',
      base: 'configs/quickstart.yaml',
      axes,
      seeds,
      cells,
      metric: 'knnTop1',
      goal: 'maximise',
      slots: 2,
    },
    name: 'gamma-eps',
    runs,
    scheduler: 'running',
    heardAtMs: null,
    etaMs: 1_450_000,
  };
}

/** What runs learned: pictures of two images at three steps; null stands for a run that was not looked at. */
export function makeLooks(...ids: (string | null)[]): LookedRun[] {
  const picture = (kind: string, seed: number, image = 0) => ({ kind, uri: patches(kind, seed, image) });
  return ids.map((id, i) => ({
    id: id ?? 'not-looked-at',
    name: id === null ? 'not looked at' : 'quickstart',
    looks:
      id === null
        ? []
        : [0, 781, 1562].map((step, k) => ({
            step,
            images: [
              't10k-images-idx3-ubyte[1784] (Coat)',
              'photos/validation/long/name/of/an/image_000852.jpeg (Sandal)',
            ].map((name, n) => ({
              name,
              pictures: ['image', 'attention', 'attention mask', 'head 1', 'head 2', 'head 3', 'masks', 'pca'].map(
                (kind, m) => picture(kind, 1 + m + 16 * n + 64 * (kind === 'image' ? 0 : k + 4 * i), n),
              ),
            })),
            sheets: ['neighbours', 'spectrum', 'sheet'].map((kind) => picture(kind, 900 + k)),
          })),
  }));
}

/** A picture of coloured squares, as an address of its own: a bright disc, and what a network might see of it. */
function patches(kind: string, seed: number, image: number): string {
  const random = mulberry32(seed);
  const place = mulberry32(40 + image);
  const side = 6;
  const [centreX, centreY] = [2 + place(), 2 + place()];
  const hue = Math.round(360 * place());
  const squares = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const near = Math.max(0, 1 - Math.hypot(x - centreX, y - centreY) / 3.2);
    const noise = random() - 0.5;
    const [h, l] =
      kind === 'image' || kind === 'masks'
        ? [hue + (near > 0.35 ? 0 : 160), (near > 0.35 ? 60 : 30) + 12 * noise]
        : kind === 'pca'
          ? [hue + 130 * near + 25 * (x - y), 55]
          : [270 + 130 * near + 50 * noise, 12 + 55 * near + 18 * noise];
    return `<path fill="hsl(${Math.round(h)} 70% ${Math.round(l)}%)" d="M${x} ${y}h1v1h-1z"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 6 6" width="96" height="96">${squares.join('')}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}

function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}
