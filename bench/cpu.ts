/**
 * One training step on the CPU, ours against a peer's (bench/torchPeer.py, bench/jaxPeer.py), alternating step by step on the same cores.
 *
 *   npm run bench -- cpu [--case quickstart|vitTiny|vitS16|vitB16] [--steps 30] [--threads N] [--peer torch|torch-compiled|jax]
 *
 * The peer runs in the Python named by SIMDINO_PEER_PYTHON (default python3). PyTorch is as fast as its BLAS: the line `peer` says which
 * one it found. Debian's torch wants libopenblas0-openmp and OPENBLAS_CORETYPE=SkylakeX on machines with AVX-512.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuPeers, ratio, startOurs, startPeer, summarise, type CpuPeer, type Measurement } from './cpuSides.ts';
import { configOf, stepCases, type StepCase } from './stepCases.ts';

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'vitTiny' },
    steps: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(availableParallelism()) },
    peer: { type: 'string', default: 'torch' },
  },
  allowPositionals: true,
});

if (!(stepCases as string[]).includes(options.case)) throw new Error(`--case must be one of ${stepCases.join(', ')}.`);
if (!(cpuPeers as readonly string[]).includes(options.peer))
  throw new Error(`--peer must be one of ${cpuPeers.join(', ')}.`);
const config = configOf(options.case as StepCase);
const threads = Number(options.threads);

execFileSync(process.execPath, [join(process.cwd(), 'scripts/build.mjs')], { stdio: 'inherit' });
const ours = await startOurs(config, threads);
const peer = await startPeer(options.peer as CpuPeer, config, threads);
console.log(`ours  ${ours.facts}`);
console.log(`peer  ${peer.facts}`);
const difference = Math.abs(ours.firstLoss - peer.firstLoss).toExponential(1);
console.log(`loss  ours ${ours.firstLoss} peer ${peer.firstLoss} difference ${difference}`);

// The first steps allocate.
await ours.step();
await peer.step();
const times: { ours: Measurement[]; peer: Measurement[] } = { ours: [], peer: [] };
for (let index = 0; index < Number(options.steps); index++) {
  const pair = { ours: await ours.step(), peer: await peer.step() };
  times.ours.push(pair.ours);
  times.peer.push(pair.peer);
  const load = loadavg()[0]!.toFixed(1);
  console.log(`step ${index}: ours ${pair.ours.ms.toFixed(0)} ms, peer ${pair.peer.ms.toFixed(0)} ms, load ${load}`);
}
await Promise.all([ours.close(), peer.close()]);

const [mine, theirs] = [summarise(times.ours), summarise(times.peer)];
console.log(
  JSON.stringify({
    name: 'cpu',
    case: options.case,
    ratio: ratio(mine.medianMs, theirs.medianMs),
    ratioOfMinima: ratio(mine.minMs, theirs.minMs),
    ours: mine.medianMs,
    peer: theirs.medianMs,
    unit: 'ms per step, median',
    minima: [mine.minMs, theirs.minMs],
    cpuMsPerStep: [mine.cpuMsPerStep, theirs.cpuMsPerStep],
    peakMiB: [mine.peakMiB, theirs.peakMiB],
    firstStepMs: [ours.firstStepMs, peer.firstStepMs],
    steps: times.ours.length,
    threads,
    peerIs: peer.facts,
    hardware: `${cpus()[0]!.model}, ${availableParallelism()} cores`,
  }),
);
