/**
 * How a training step's time and memory grow with the batch, the tokens, the depth and the crops, ours and PyTorch's in turn.
 *
 *   npm run bench -- scaling [--along batch,tokens,depth,crops] [--steps 6] [--threads N] [--peer torch|torch-compiled|jax] [--out FILE]
 *
 * From one small case, one quantity at a time is varied. Every point is two fresh processes, so that peak memory and the time to the first
 * step are its own; the first includes starting, recording or compiling, and the step itself. Processor time is what a busy machine hardly
 * changes, and what the ratio is of. `--out` keeps the raw figures as JSON.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ConfigInput } from '../configs/schema.ts';
import { formatTable } from '../runtime/commands/runs.ts';
import { cpuPeers, ratio, startOurs, startPeer, summarise, type CpuPeer, type Side, type Summary } from './cpuSides.ts';
import { median } from './median.ts';
import { benchConfig } from './stepCases.ts';

const { values: options } = parseArgs({
  options: {
    along: { type: 'string', default: 'batch,tokens,depth,crops' },
    steps: { type: 'string', default: '6' },
    threads: { type: 'string', default: String(availableParallelism()) },
    peer: { type: 'string', default: 'torch' },
    out: { type: 'string' },
  },
  allowPositionals: true,
});

/** One case: patches of 8 px, so that a global crop has (px / 8)^2 of them and a local one, half as wide, a quarter. */
interface Size {
  batch: number;
  globalPx: number;
  depth: number;
  localCrops: number;
}

const usual: Size = { batch: 16, globalPx: 64, depth: 6, localCrops: 4 };

const axes: Record<string, { varied: keyof Size; values: number[] }> = {
  batch: { varied: 'batch', values: [4, 16, 64] },
  tokens: { varied: 'globalPx', values: [32, 64, 96, 128] },
  depth: { varied: 'depth', values: [3, 6, 12, 24] },
  crops: { varied: 'localCrops', values: [0, 2, 4, 8] },
};

interface Point {
  axis: string;
  size: Size;
  ours: Taken;
  peer: Taken;
}

type Taken = Summary & { firstStepMs: number };

const peerName = cpuPeers.find((name) => name === options.peer);
if (peerName === undefined) throw new Error(`--peer must be one of ${cpuPeers.join(', ')}.`);
const threads = Number(options.threads);
execFileSync(process.execPath, [join(process.cwd(), 'scripts/build.mjs')], { stdio: 'inherit' });

const points: Point[] = [];
for (const axis of options.along.split(',')) {
  const known = axes[axis];
  if (known === undefined) throw new Error(`--along takes ${Object.keys(axes).join(', ')}; ${axis} is none of them.`);
  for (const value of known.values) {
    const point = await measure(axis, { ...usual, [known.varied]: value }, peerName);
    console.log(`${axis} ${value}: ours ${point.ours.cpuMsPerStep} ms, peer ${point.peer.cpuMsPerStep} ms a step`);
    points.push(point);
  }
}

const header = [
  'ALONG',
  'BATCH',
  'PATCHES',
  'DEPTH',
  'LOCAL CROPS',
  'CPU MS',
  'RATIO',
  'MEDIAN MS',
  'PEAK MiB',
  'FIRST STEP S',
];
console.log(formatTable([header, ...points.map(row)]));
const ratios = points.map(({ ours, peer }) => ratio(ours.cpuMsPerStep, peer.cpuMsPerStep));
const result = {
  name: 'scaling',
  ratio: median(ratios),
  ours: median(points.map(({ ours }) => ours.cpuMsPerStep)),
  peer: median(points.map(({ peer }) => peer.cpuMsPerStep)),
  unit: 'ms of processor time per step, median over the points',
  ratios: [Math.min(...ratios), Math.max(...ratios)],
  steps: Number(options.steps),
  threads,
  hardware: `${cpus()[0]!.model}, ${availableParallelism()} cores`,
};
if (options.out !== undefined)
  writeFileSync(options.out, `${JSON.stringify({ ...result, peerName, points }, null, 1)}\n`);
console.log(JSON.stringify(result));

async function measure(axis: string, size: Size, name: CpuPeer): Promise<Point> {
  const config = benchConfig(inputOf(size));
  const ours = await startOurs(config, threads);
  const peer = await startPeer(name, config, threads);
  if (Math.abs(ours.firstLoss - peer.firstLoss) > 1e-4)
    throw new Error(`${axis}: the first losses differ, ${ours.firstLoss} and ${peer.firstLoss}.`);
  const [mine, theirs] = [[await ours.step()], [await peer.step()]];
  for (let index = 0; index < Number(options.steps); index++) {
    mine.push(await ours.step());
    theirs.push(await peer.step());
  }
  await Promise.all([ours.close(), peer.close()]);
  return { axis, size, ours: taken(ours, mine), peer: taken(peer, theirs) };
}

function taken({ firstStepMs }: Side, measurements: Parameters<typeof summarise>[0]): Taken {
  return { ...summarise(measurements), firstStepMs };
}

function inputOf({ batch, globalPx, depth, localCrops }: Size): Partial<ConfigInput> {
  return {
    crops: { global: { sizePx: globalPx }, local: { count: localCrops, sizePx: globalPx / 2 } },
    model: { architecture: 'custom', width: 192, depth, heads: 3, patchSizePx: 8, dropPathRate: 0 },
    projector: { hiddenDim: 2048, outputDim: 256 },
    train: { batchSize: batch },
  };
}

function row({ axis, size, ours, peer }: Point): string[] {
  const both = (key: keyof Taken, unit = 1) => `${Math.round(ours[key] / unit)} / ${Math.round(peer[key] / unit)}`;
  return [
    axis,
    ...[size.batch, (size.globalPx / 8) ** 2, size.depth, size.localCrops].map(String),
    both('cpuMsPerStep'),
    ratio(ours.cpuMsPerStep, peer.cpuMsPerStep).toFixed(2),
    both('medianMs'),
    both('peakMiB'),
    `${(ours.firstStepMs / 1000).toFixed(1)} / ${(peer.firstStepMs / 1000).toFixed(1)}`,
  ];
}
