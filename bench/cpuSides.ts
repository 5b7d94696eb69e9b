/** Both sides of a benchmark of training steps on the processor: ours and a peer's, each in a process of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ResolvedConfig } from '../configs/schema.ts';
import { startExecutor } from '../runtime/engines/executor/startExecutor.ts';
import { buildTrainStep } from '../runtime/trainStep.ts';
import { median } from './median.ts';
import { startJaxPeer, type JaxFacts } from './jaxPeer.ts';
import { describeForPeer, noiseCrops, totals, type PeerCase } from './stepCases.ts';
import { startTorchPeer, type PeerFacts, type PeerStep } from './torchPeer.ts';
import type { Worker } from './worker.ts';

export const cpuPeers = ['torch', 'torch-compiled', 'jax'] as const;
export type CpuPeer = (typeof cpuPeers)[number];

export type Measurement = Pick<PeerStep, 'ms' | 'loss' | 'peakMiB' | 'cpuSeconds'>;

export interface Side {
  facts: string;
  /** The first step was taken this long after the process was started. */
  firstStepMs: number;
  firstLoss: number;
  step(): Promise<Measurement>;
  close(): Promise<void>;
}

type Unstarted = Omit<Side, 'firstStepMs' | 'firstLoss'>;

/** The product's own executor and program, messages between processes included. */
export function startOurs(config: ResolvedConfig, threads: number): Promise<Side> {
  return withFirstStep(async () => {
    const trainStep = buildTrainStep(config, totals);
    const entry = join(process.cwd(), 'dist/executor.mjs');
    const executor = await startExecutor({ entry, engine: 'onnx', threads, spec: { config, totals } });
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
  });
}

/** The peer's Python is that of SIMDINO_PEER_PYTHON. */
export function startPeer(name: CpuPeer, config: ResolvedConfig, threads: number): Promise<Side> {
  const peerCase = describeForPeer(config);
  return withFirstStep(async () => {
    const { worker, facts } = await (name === 'jax' ? jax : torch)(peerCase, name, threads);
    return {
      facts,
      step: () => worker.ask<PeerStep>(''),
      async close() {
        await worker.close();
        peerCase.remove();
      },
    };
  });
}

async function torch(peerCase: PeerCase, name: CpuPeer, threads: number): Promise<{ worker: Worker; facts: string }> {
  const worker = startTorchPeer(peerCase, { device: 'cpu', threads });
  const isCompiled = name === 'torch-compiled';
  const facts = await worker.ask<PeerFacts>({ use: isCompiled ? 'fp32-compiled' : 'fp32' });
  return { worker, facts: `PyTorch ${facts.torch}${isCompiled ? ', compiled' : ''}, ${facts.blas}` };
}

async function jax(peerCase: PeerCase, _name: CpuPeer, threads: number): Promise<{ worker: Worker; facts: string }> {
  const worker = startJaxPeer(peerCase, threads);
  const facts = await worker.ask<JaxFacts>({ use: 'fp32' });
  return { worker, facts: `JAX ${facts.jax}, jitted, ${facts.device}` };
}

async function withFirstStep(start: () => Promise<Unstarted>): Promise<Side> {
  const startedMs = performance.now();
  const side = await start();
  const { loss } = await side.step();
  return { ...side, firstStepMs: Math.round(performance.now() - startedMs), firstLoss: loss };
}

/** Linux's process table tells processor time and memory; elsewhere both are 0. */
function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory that a process ever held. */
function peakMiB(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(peak?.[1] ?? 0) / 1024);
}

export interface Summary {
  medianMs: number;
  minMs: number;
  /** What a busy machine can hardly distort: time on the processors, all threads. */
  cpuMsPerStep: number;
  peakMiB: number;
}

/** @param measurements at least two: processor time is counted from the end of the first */
export function summarise(measurements: readonly Measurement[]): Summary {
  const [first, last] = [measurements[0]!, measurements.at(-1)!];
  const times = measurements.map(({ ms }) => ms);
  return {
    medianMs: Math.round(median(times)),
    minMs: Math.round(Math.min(...times)),
    cpuMsPerStep: Math.round((1000 * (last.cpuSeconds - first.cpuSeconds)) / (measurements.length - 1)),
    peakMiB: Math.max(...measurements.map((measurement) => measurement.peakMiB)),
  };
}

/** How many times as fast ours is, to three decimals. */
export function ratio(ours: number, peer: number): number {
  return Math.round((1000 * peer) / ours) / 1000;
}
