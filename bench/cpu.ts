/**
 * One training step on the CPU, ours against PyTorch's (bench/cpuPeer.py), alternating step by step on the same cores.
 *
 *   npm run bench -- cpu [--case quickstart|vitTiny|vitS16] [--steps 30] [--threads N] [--compile]
 *
 * The peer runs in the Python named by SIMDINO_PEER_PYTHON (default python3). PyTorch is as fast as its BLAS: the line `peer` says which
 * one it found. Debian's torch wants libopenblas0-openmp and OPENBLAS_CORETYPE=SkylakeX on machines with AVX-512.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ResolvedConfig } from '../configs/schema.ts';
import { startExecutor } from '../runtime/engines/executor/startExecutor.ts';
import { buildTrainStep } from '../runtime/trainStep.ts';
import { configOf, cpuCases, type CpuCase } from './cpuCases.ts';

interface Measurement {
  ms: number;
  /** Processor time since the process began, all threads. */
  cpuSeconds: number;
  peakMiB: number;
}

interface Runner {
  facts: string;
  step(): Promise<Measurement>;
  close(): Promise<void>;
}

const root = process.cwd();
const totals = { stepsPerEpoch: 100, totalSteps: 1000, warmupSteps: 10 };
const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'vitTiny' },
    steps: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(availableParallelism()) },
    compile: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

if (!(cpuCases as string[]).includes(options.case)) throw new Error(`--case must be one of ${cpuCases.join(', ')}.`);
const config = configOf(options.case as CpuCase);
const threads = Number(options.threads);

execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
const ours = await startOurs(config);
const peer = await startPeer(config);
console.log(`ours  ${ours.facts}`);
console.log(`peer  ${peer.facts}`);

// The first steps allocate.
const warmUps = 2;
const times: { ours: Measurement[]; peer: Measurement[] } = { ours: [], peer: [] };
for (let index = -warmUps; index < Number(options.steps); index++) {
  const pair = { ours: await ours.step(), peer: await peer.step() };
  if (index < 0) continue;
  times.ours.push(pair.ours);
  times.peer.push(pair.peer);
  const load = loadavg()[0]!.toFixed(1);
  console.log(`step ${index}: ours ${pair.ours.ms.toFixed(0)} ms, peer ${pair.peer.ms.toFixed(0)} ms, load ${load}`);
}
await Promise.all([ours.close(), peer.close()]);

const [mine, theirs] = [summary(times.ours), summary(times.peer)];
console.log(
  JSON.stringify({
    name: 'cpu',
    case: options.case,
    ratio: round(theirs.medianMs / mine.medianMs),
    ratioOfMinima: round(theirs.minMs / mine.minMs),
    ours: mine.medianMs,
    peer: theirs.medianMs,
    unit: 'ms per step, median',
    minima: [mine.minMs, theirs.minMs],
    // What a busy machine can't distort: time on the processors, all threads.
    cpuMsPerStep: [mine.cpuMsPerStep, theirs.cpuMsPerStep],
    peakMiB: [mine.peakMiB, theirs.peakMiB],
    steps: times.ours.length,
    threads,
    peerIs: peer.facts,
    hardware: `${cpus()[0]!.model}, ${availableParallelism()} cores`,
  }),
);

/** The product's own executor and program, messages between processes included. */
async function startOurs(resolved: ResolvedConfig): Promise<Runner> {
  const trainStep = buildTrainStep(resolved, totals);
  const entry = join(root, 'dist/executor.mjs');
  const executor = await startExecutor({ entry, engine: 'onnx', threads, spec: { config: resolved, totals } });
  const { elapsedMs } = await executor.compile('train');
  const crops = Object.fromEntries(
    ['globalCrops', 'localCrops']
      .filter((name) => name in trainStep.program.inputs)
      .map((name) => [name, randomBytes(trainStep.program.inputs[name]!.shape)]),
  );
  let index = 0;
  return {
    facts: `onnxruntime, ${executor.device}, compiled in ${(elapsedMs / 1000).toFixed(1)} s`,
    async step() {
      const inputs = { ...crops, ...trainStep.inputsAt(index++) };
      const startedMs = performance.now();
      await executor.run('train', inputs);
      const ms = performance.now() - startedMs;
      return { ms, cpuSeconds: cpuSeconds(executor.pid), peakMiB: peakMiB(executor.pid) };
    },
    close: () => executor.close(),
  };
}

async function startPeer({ model, crops, projector, train }: ResolvedConfig): Promise<Runner> {
  const python = spawn(process.env['SIMDINO_PEER_PYTHON'] ?? 'python3', [join(root, 'bench/cpuPeer.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
  });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<unknown> => {
    python.stdin.write(`${line}\n`);
    const answer = (await lines.next()) as IteratorResult<string, undefined>;
    if (answer.done) throw new Error('The peer ended; PyTorch must be importable in SIMDINO_PEER_PYTHON.');
    return JSON.parse(answer.value);
  };
  const facts = (await ask(
    JSON.stringify({
      threads,
      compile: options.compile,
      width: model.width,
      depth: model.depth,
      heads: model.heads,
      patch: model.patchSizePx,
      batch: train.batchSize,
      globals: crops.global.count,
      locals: crops.local.count,
      globalPx: crops.global.sizePx,
      localPx: crops.local.sizePx,
      hidden: projector.hiddenDim,
      out: projector.outputDim,
    }),
  )) as { torch: string; blas: string };
  return {
    facts: `PyTorch ${facts.torch}${options.compile ? ', compiled' : ''}, ${facts.blas}`,
    step: async () => (await ask('')) as Measurement,
    async close() {
      python.stdin.end();
      await once(python, 'exit');
    },
  };
}

function randomBytes(shape: readonly number[]): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** The most memory that a process ever held, from Linux's process table; 0 elsewhere. */
function peakMiB(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(peak?.[1] ?? 0) / 1024);
}

/** Linux counts in hundredths of a second; 0 elsewhere. */
function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function summary(measurements: Measurement[]) {
  const [first, last] = [measurements[0]!, measurements.at(-1)!];
  const sorted = measurements.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    medianMs: Math.round(sorted[sorted.length >> 1]!),
    minMs: Math.round(sorted[0]!),
    cpuMsPerStep: Math.round((1000 * (last.cpuSeconds - first.cpuSeconds)) / Math.max(1, measurements.length - 1)),
    peakMiB: Math.max(...measurements.map((measurement) => measurement.peakMiB)),
  };
}

function round(ratio: number): number {
  return Math.round(ratio * 1000) / 1000;
}
