/**
 * One training step on the GPU, our engines' against PyTorch's (bench/torchPeer.py) in single precision, TF32 and bfloat16, eager and
 * compiled.
 *
 *   npm run bench -- gpu [--case vitTiny|vitS16|vitB16] [--batch 32,128] [--engine webgpu] [--peer fp32,tf32,bf16,bf16-compiled]
 *                        [--steps 20] [--seconds 30] [--patience 300] [--profile PREFIX]
 *
 * They run one after another, each in a process of its own: two that share a GPU take its memory and its time from each other. Everyone
 * starts from the same parameters and takes in the same bytes of the same crops from the host's memory at every step; the first losses must
 * agree. A step that our engine refuses is divided as in a run, and the table says into what. `none` leaves out the engines or the peer;
 * `--device cpu` gives the peer the processor, where there is no CUDA. Steps stop after so many seconds, three of them at least; who does not
 * answer within `--patience` seconds, compilation included, is left out. `--profile` times each kernel of the engines instead.
 *
 * The peer runs in the Python named by SIMDINO_PEER_PYTHON (default python3). Shares of the peak are of the fastest product of large
 * matrices that anyone here makes in the same precision.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { productOperations } from '../runtime/engines/graph/arithmetic.ts';
import { record } from '../runtime/engines/trace/record.ts';
import { formatTable } from '../runtime/commands/runs.ts';
import { buildTrainStep } from '../runtime/trainStep.ts';
import {
  benchEngines,
  serveEngine,
  type BenchEngine,
  type EngineCase,
  type EngineFacts,
  type EngineStep,
} from './gpuEngine.ts';
import { printKernelProfile } from './kernelProfile.ts';
import { configOf, describeForPeer, stepCases, totals, type PeerCase, type StepCase } from './stepCases.ts';
import { peerPrecisions, startTorchPeer, type PeerFacts, type PeerPrecision, type PeerStep } from './torchPeer.ts';
import { startWorker, WorkerEnded, WorkerLate, type Worker } from './worker.ts';

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'vitS16' },
    batch: { type: 'string' },
    engine: { type: 'string', default: 'webgpu' },
    peer: { type: 'string', default: 'fp32,tf32,bf16,bf16-compiled' },
    device: { type: 'string', default: 'cuda' },
    steps: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
    patience: { type: 'string', default: '300' },
    profile: { type: 'string' },
    serve: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

/** The first steps allocate and compile. */
const warmUps = 3;
const fewestSteps = 3;
const patienceMs = 1000 * Number(options.patience);
/** Beyond this, single precision, or operands of 11 bits, do not explain that two first losses differ. */
const lossTolerance = { single: 1e-4, half: 5e-3 };
const header = ['STEP', 'MS', 'BEST', 'IMAGES/S', 'TFLOP/S', 'OF PEAK', 'GPU MiB', 'TENSORS MiB', 'FIRST STEP', ''];

interface Row {
  name: string;
  precision: PeerPrecision | 'fp16';
  device: string;
  medianMs: number;
  minMs: number;
  imagesPerSecond: number;
  tflops: number;
  /** Its own speed at a product of large matrices. */
  peakTflops: number | null;
  firstLoss: number;
  steps: number;
  /** The first step, compilation included. */
  firstStepMs: number;
  /** What the GPU's memory in use grew by, as the driver tells it. */
  gpuMiB: number | null;
  /** The most that its tensors take: planned by our engines, counted by PyTorch. */
  tensorMiB: number | null;
  microBatch: number;
}

interface Failure {
  name: string;
  reason: string;
}

if (options.serve) await serveEngine();
else await compare();

async function compare(): Promise<void> {
  const name = oneOf('--case', options.case, stepCases);
  const steps = Number(options.steps);
  const engines = listOf('--engine', options.engine, benchEngines);
  const peers = listOf('--peer', options.peer, peerPrecisions);
  const batches = options.batch?.split(',').map(Number) ?? [configOf(name).train.batchSize];
  if (options.profile !== undefined) return profile(engines, name, batches[0]!, options.profile);
  const measurements = [];
  for (const batch of batches) measurements.push(await measure(name, batch, { engines, peers, steps }));
  const last = measurements.at(-1)!;
  const [ours] = last.rows.filter(isOurs);
  const ofPeers = last.rows.filter((row) => !isOurs(row));
  const peer = ofPeers[0];
  const ratioTo = (row: Row | undefined) =>
    ours && row ? Number((ours.imagesPerSecond / row.imagesPerSecond).toPrecision(3)) : null;
  console.log(
    JSON.stringify({
      name: 'gpu',
      case: name,
      batch: last.batch,
      ratio: ratioTo(peer),
      ours: ours?.imagesPerSecond ?? null,
      peer: peer?.imagesPerSecond ?? null,
      unit: 'images per second',
      ratios: Object.fromEntries(ofPeers.map((row) => [row.precision, ratioTo(row)])),
      steps,
      hardware: [...new Set(last.rows.map(({ device }) => device))].join('; '),
      measurements,
    }),
  );
}

interface Wanted {
  engines: BenchEngine[];
  peers: PeerPrecision[];
  steps: number;
}

async function measure(name: StepCase, batch: number, { engines, peers, steps }: Wanted) {
  const config = configOf(name, batch);
  const gflop = productOperations(record(buildTrainStep(config, totals).program).graph) / 1e9;
  const views = config.crops.global.count + config.crops.local.count;
  console.log(`\n${name}: ${batch} images, ${views} crops each, ${gflop.toFixed(1)} GFLOP in products`);

  const rows: Row[] = [];
  const failures: Failure[] = [];
  const keep = (found: Row | Failure) => {
    if ('reason' in found) {
      failures.push(found);
      console.log(`${found.name}: ${found.reason}`);
      return;
    }
    rows.push(found);
    const { imagesPerSecond, medianMs, firstLoss } = found;
    console.log(
      `${found.name}: ${medianMs.toFixed(1)} ms, ${imagesPerSecond.toFixed(1)} images/s, first loss ${firstLoss}`,
    );
  };
  const common = { batch, gflop, steps };
  for (const engine of engines) keep(await timeEngine(engine, name, common));
  if (peers.length > 0) {
    const peerCase = describeForPeer(config);
    try {
      await timePeers(peers, peerCase, common, keep);
    } finally {
      peerCase.remove();
    }
  }
  const agreement = compareLosses(rows);
  console.log(`\n${formatTable([header, ...rows.map((row) => cells(row, batch, peakOf(row, rows)))])}`);
  for (const line of agreement.lines) console.log(line);
  return { batch, gflop, losses: agreement.differences, rows, failures };
}

interface Common {
  batch: number;
  gflop: number;
  steps: number;
}

/** A driver that ends the process for lack of memory leaves nobody to divide the step: the next process begins with half as many images. */
async function timeEngine(engine: BenchEngine, name: StepCase, common: Common): Promise<Row | Failure> {
  for (let reductions = 0; ; reductions++) {
    const given: EngineCase = { case: name, batch: common.batch, reductions, peak: true };
    const idleMiB = usedGpuMiB();
    const worker = startEngine(engine, given);
    try {
      return await timeSteps<EngineFacts, EngineStep>(worker, engine, { ...common, idleMiB }, ({ facts, last }) => ({
        name: engine,
        precision: engine === 'dawn-f16' ? 'fp16' : 'fp32',
        device: facts.device,
        peakTflops: facts.peakTflops,
        tensorMiB: last.plannedMiB,
        microBatch: last.microBatch,
      }));
    } catch (error) {
      const mayFit = error instanceof WorkerEnded && !(error instanceof WorkerLate) && reductions < 3;
      if (!mayFit) return { name: engine, reason: messageOf(error) };
      console.log(`${messageOf(error)}; once more with fewer images at a time`);
    } finally {
      await worker.close();
    }
  }
}

function startEngine(engine: BenchEngine, given: EngineCase): Worker {
  const worker = startWorker(process.execPath, [fileURLToPath(import.meta.url), '--serve'], {
    name: engine,
    patienceMs,
  });
  worker.tell(given);
  return worker;
}

async function timePeers(
  precisions: readonly PeerPrecision[],
  peerCase: PeerCase,
  common: Common,
  keep: (found: Row | Failure) => void,
): Promise<void> {
  const start = () =>
    startTorchPeer(peerCase, { device: oneOf('--device', options.device, ['cuda', 'cpu']), peak: true, patienceMs });
  const idleMiB = usedGpuMiB();
  let peer = start();
  for (const precision of precisions) {
    const name = `torch ${precision}`;
    try {
      const row = await timeSteps<PeerFacts, PeerStep>(peer, precision, { ...common, idleMiB }, ({ facts, last }) => ({
        name,
        precision,
        device: facts.device,
        peakTflops: facts.peakTflops,
        tensorMiB: last.gpuPeakMiB,
        microBatch: common.batch,
      }));
      keep(row);
    } catch (error) {
      keep({ name, reason: messageOf(error) });
      if (error instanceof WorkerEnded) peer = start();
    }
  }
  await peer.close();
}

type Described = Pick<Row, 'name' | 'precision' | 'device' | 'peakTflops' | 'tensorMiB' | 'microBatch'>;

async function timeSteps<Facts, Step extends { ms: number; loss: number }>(
  worker: Worker,
  use: string,
  { batch, gflop, steps, idleMiB }: Common & { idleMiB: number | null },
  describe: (found: { facts: Facts; last: Step }) => Described,
): Promise<Row> {
  const facts = await worker.ask<Facts>({ use });
  const startedMs = performance.now();
  const first = await worker.ask<Step>('');
  const firstStepMs = performance.now() - startedMs;
  for (let index = 1; index < warmUps; index++) await worker.ask<Step>('');
  const times: number[] = [];
  let last = first;
  const endMs = performance.now() + 1000 * Number(options.seconds);
  while (times.length < steps && (times.length < fewestSteps || performance.now() < endMs)) {
    last = await worker.ask<Step>('');
    times.push(last.ms);
  }
  times.sort((a, b) => a - b);
  const usedMiB = usedGpuMiB();
  const medianMs = times[times.length >> 1]!;
  return {
    ...describe({ facts, last }),
    medianMs,
    minMs: times[0]!,
    imagesPerSecond: (1000 * batch) / medianMs,
    tflops: gflop / medianMs,
    firstLoss: first.loss,
    steps: times.length,
    firstStepMs,
    gpuMiB: idleMiB === null || usedMiB === null ? null : usedMiB - idleMiB,
  };
}

/** Of our engines against PyTorch in single precision; a loss that is no number agrees with nothing. */
function compareLosses(rows: readonly Row[]) {
  const reference = rows.find((row) => !isOurs(row) && row.precision.startsWith('fp32'));
  const differences: Record<string, number> = {};
  const lines: string[] = [];
  for (const { name, firstLoss, precision } of reference ? rows.filter(isOurs) : []) {
    const difference = Math.abs(firstLoss - reference!.firstLoss);
    const agrees = difference <= (precision === 'fp16' ? lossTolerance.half : lossTolerance.single);
    differences[name] = difference;
    lines.push(
      `loss ours (${name}) ${firstLoss} torch ${reference!.firstLoss} difference ${difference.toExponential(1)}${agrees ? '' : ': TOO MUCH'}`,
    );
    if (!agrees) process.exitCode = 1;
  }
  return { differences, lines };
}

function cells(row: Row, batch: number, peak: number | null): string[] {
  const whole = (value: number | null) => (value === null ? '-' : value.toFixed(0));
  return [
    row.name,
    row.medianMs.toFixed(1),
    row.minMs.toFixed(1),
    row.imagesPerSecond.toFixed(1),
    row.tflops.toFixed(row.tflops < 10 ? 2 : 0),
    peak === null ? '-' : `${((100 * row.tflops) / peak).toFixed(1)} % of ${peak.toPrecision(3)}`,
    whole(row.gpuMiB),
    whole(row.tensorMiB),
    `${(row.firstStepMs / 1000).toFixed(1)} s`,
    row.microBatch === batch ? '' : `${row.microBatch} images at a time`,
  ];
}

function peakOf({ precision }: Row, rows: readonly Row[]): number | null {
  const numbers = (name: string) => name.replace('-compiled', '');
  const peaks = rows
    .filter((row) => numbers(row.precision) === numbers(precision))
    .map(({ peakTflops }) => peakTflops ?? 0);
  return Math.max(...peaks) || null;
}

/** Times kernels instead of steps: what is profiled runs slower. */
async function profile(engines: BenchEngine[], name: StepCase, batch: number, profileTo: string): Promise<void> {
  const steps = 3;
  for (const engine of engines) {
    const worker = startEngine(engine, { case: name, batch, reductions: 0, peak: false, profileTo });
    const { device } = await worker.ask<EngineFacts>({ use: engine });
    for (let index = 0; index < steps; index++) await worker.ask<EngineStep>('');
    await worker.close();
    console.log(`\n${name}, ${batch} images, ${engine} on ${device}:`);
    printKernelProfile(profileTo, { steps });
  }
}

/** NVIDIA's driver tells; others don't. */
function usedGpuMiB(): number | null {
  try {
    const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
    return Number(execFileSync('nvidia-smi', query, { encoding: 'utf8' }).split('\n')[0]);
  } catch {
    return null;
  }
}

function isOurs({ name }: Row): boolean {
  return (benchEngines as string[]).includes(name);
}

function listOf<T extends string>(option: string, given: string, known: readonly T[]): T[] {
  return given === 'none' ? [] : given.split(',').map((name) => oneOf(option, name, known));
}

function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found === undefined) throw new Error(`${option} must be one of ${known.join(', ')}, got ${given}.`);
  return found;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
