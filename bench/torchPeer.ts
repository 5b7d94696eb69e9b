import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PeerCase } from './stepCases.ts';
import { startWorker, type Worker } from './worker.ts';

/** What bench/torchPeer.py computes in; the compiled ones through `torch.compile`. */
export const peerPrecisions = ['fp32', 'fp32-compiled', 'tf32', 'bf16', 'bf16-compiled'] as const;
export type PeerPrecision = (typeof peerPrecisions)[number];

export interface PeerFacts {
  torch: string;
  device: string;
  blas: string;
  /** Speed at a product of large matrices, where asked for. */
  peakTflops: number | null;
}

export interface PeerStep {
  ms: number;
  loss: number;
  /** The most memory that the process ever held. */
  peakMiB: number;
  cpuSeconds: number;
  /** The most that its tensors took on the GPU. */
  gpuPeakMiB: number | null;
}

export interface PeerOptions {
  device: 'cpu' | 'cuda';
  threads?: number;
  /** Whether it measures the peak too. */
  peak?: boolean;
  /** For one answer; compiling takes minutes. */
  patienceMs?: number;
}

/** PyTorch in the Python that SIMDINO_PEER_PYTHON names, ready to be told `{ use: PRECISION }`. */
export function startTorchPeer(
  { described }: PeerCase,
  { device, threads, peak = false, patienceMs = Infinity }: PeerOptions,
): Worker {
  const env = threads === undefined ? {} : { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const peer = startWorker(process.env['SIMDINO_PEER_PYTHON'] ?? 'python3', [peerScript()], {
    name: 'PyTorch (of SIMDINO_PEER_PYTHON)',
    env,
    patienceMs,
  });
  peer.tell({ ...described, device, threads: threads ?? 0, peak });
  return peer;
}

/** Beside the built benchmark, or in the repository. */
function peerScript(): string {
  const beside = join(dirname(fileURLToPath(import.meta.url)), 'torchPeer.py');
  return existsSync(beside) ? beside : join(process.cwd(), 'bench', 'torchPeer.py');
}
