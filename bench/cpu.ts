/**
 * One training step on the CPU, ours against PyTorch's (bench/torchPeer.py), alternating step by step on the same cores.
 *
 *   npm run bench -- cpu [--case quickstart|vitTiny|vitS16|vitB16] [--steps 30] [--threads N] [--compile]
 *
 * The peer runs in the Python named by SIMDINO_PEER_PYTHON (default python3). PyTorch is as fast as its BLAS: the line `peer` says which
 * one it found. Debian's torch wants libopenblas0-openmp and OPENBLAS_CORETYPE=SkylakeX on machines with AVX-512.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ResolvedConfig } from '../configs/schema.ts';
import { startExecutor } from '../runtime/engines/executor/startExecutor.ts';
import { buildTrainStep } from '../runtime/trainStep.ts';
import { configOf, describeForPeer, noiseCrops, stepCases, totals, type StepCase } from './stepCases.ts';
import { startTorchPeer, type PeerFacts, type PeerStep } from './torchPeer.ts';

interface Measurement {
  ms: number;
  loss: number;
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
const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'vitTiny' },
    steps: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(availableParallelism()) },
    compile: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

if (!(stepCases as string[]).includes(options.case)) throw new Error(`--case must be one of ${stepCases.join(', ')}.`);
const config = configOf(options.case as StepCase);
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
  if (index === -warmUps) {
    const [found, expected] = [pair.ours.loss, pair.peer.loss];
    console.log(`loss  ours ${found} torch ${expected} difference ${Math.abs(found - expected).toExponential(1)}`);
  }
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
  const crops = noiseCrops(trainStep);
  let index = 0;
  return {
    facts: `onnxruntime, ${executor.device}, compiled in ${(elapsedMs / 1000).toFixed(1)} s`,
    async step() {
      const inputs = { ...crops, ...trainStep.inputsAt(index++) };
      const startedMs = performance.now();
      const { loss } = await executor.run('train', inputs);
      const ms = performance.now() - startedMs;
      return { ms, loss: loss![0]!, cpuSeconds: cpuSeconds(executor.pid), peakMiB: peakMiB(executor.pid) };
    },
    close: () => executor.close(),
  };
}

async function startPeer(resolved: ResolvedConfig): Promise<Runner> {
  const peerCase = describeForPeer(resolved);
  const peer = startTorchPeer(peerCase, { device: 'cpu', threads });
  const facts = await peer.ask<PeerFacts>({ use: options.compile ? 'fp32-compiled' : 'fp32' });
  return {
    facts: `PyTorch ${facts.torch}${options.compile ? ', compiled' : ''}, ${facts.blas}`,
    step: () => peer.ask<PeerStep>(''),
    async close() {
      await peer.close();
      peerCase.remove();
    },
  };
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
