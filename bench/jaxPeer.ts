import { join } from 'node:path';
import type { PeerCase } from './stepCases.ts';
import { startWorker, type Worker } from './worker.ts';

export interface JaxFacts {
  jax: string;
  device: string;
}

/** JAX in the Python that SIMDINO_PEER_PYTHON names, on the processor, ready to be told `{ use: 'fp32' }`; it answers as PyTorch's peer. */
export function startJaxPeer({ described }: PeerCase, threads: number): Worker {
  const peer = startWorker(process.env['SIMDINO_PEER_PYTHON'] ?? 'python3', [join(process.cwd(), 'bench/jaxPeer.py')], {
    name: 'JAX (of SIMDINO_PEER_PYTHON)',
  });
  peer.tell({ ...described, threads });
  return peer;
}
