/**
 * The crops of a batch on their way from the trainer's memory to the executor's, and an answer back: 2 x 224 + 10 x 96 px
 * crops, which a step waits for. The peer is Node's own channel between processes with structured clones.
 *
 *   npm run bench -- handOver [--images 128] [--turns 30]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startExecutor } from '../runtime/engines/executor/startExecutor.ts';
import { bundleExecutor } from '../test/unit/engines/bundleExecutor.ts';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: { images: { type: 'string', default: '128' }, turns: { type: 'string', default: '30' } },
  allowPositionals: true,
});
const bytes = Number(options.images) * 3 * (2 * 224 ** 2 + 10 * 96 ** 2);
const crops = new Uint8Array(new SharedArrayBuffer(bytes));

// Inside the checkout, where the child finds the native packages.
const folder = mkdtempSync(join(process.cwd(), '.cache', 'hand-over-'));
const entry = join(folder, 'child.mjs');
await bundleExecutor('bench/handOverChild.ts', entry);
const executor = await startExecutor({ entry, engine: 'onnx', threads: 1, spec: {} });
const channel = fork(entry, [], { serialization: 'advanced', env: { ...process.env, SIMDINO_HAND_OVER: 'channel' } });

const sides = {
  ours: async () => (await executor.run('take', { crops }))['last']![0],
  peer: async () => {
    channel.send({ crops });
    const [[last]] = (await once(channel, 'message')) as [Float32Array];
    return last;
  },
};
const turns: Record<keyof typeof sides, number[]> = { ours: [], peer: [] };
try {
  for (let turn = -2; turn < Number(options.turns); turn++)
    for (const side of ['ours', 'peer'] as const) {
      crops[bytes - 1] = (turn + 3) % 251;
      const startedMs = performance.now();
      const last = await sides[side]();
      // The first two fill memory.
      if (turn >= 0) turns[side].push(performance.now() - startedMs);
      if (last !== crops[bytes - 1]) throw new Error(`${side} handed over something else: ${last}.`);
    }
} finally {
  channel.disconnect();
  await executor.close();
  rmSync(folder, { recursive: true });
}

const [ours, peer] = [median(turns.ours), median(turns.peer)];
console.log(
  JSON.stringify({
    name: 'handOver',
    ratio: Number((peer / ours).toFixed(2)),
    ours: Number(ours.toFixed(1)),
    peer: Number(peer.toFixed(1)),
    unit: `ms for the crops of ${options.images} images, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    fastest: { ours: Math.min(...turns.ours), peer: Math.min(...turns.peer) },
    hardware: `${cpus()[0]!.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`,
  }),
);
