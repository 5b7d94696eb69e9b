/**
 * Multi-crop throughput: 2 x 224 + 10 x 96 px crops of 500 x 375 JPEGs, decoding included, against torchvision with
 * PIL.
 *
 * What is compared is processor time per image, all threads together, so that neither side gains by spreading over
 * cores; both take turns in one run and the median of the turns counts. SIMDINO_BENCH_IMAGES sets how many images the
 * memory check runs through.
 */
import { execFileSync } from 'node:child_process';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configSchema } from '../configs/schema.ts';
import type { Split } from '../runtime/data/dataset.ts';
import { openDataset } from '../runtime/data/datasets/registry.ts';
import { createLoader, type Loader } from '../runtime/data/loader.ts';
import { startDataPeer, type Cost } from './dataPeer.ts';
import { writePhotographs } from './photographs.ts';
import { median } from './median.ts';

const root = process.cwd();
const turns = 7;
const imagesPerTurn = { ours: 48, peer: 24 };
const batchSize = 8;
const memoryImages = Number(process.env['SIMDINO_BENCH_IMAGES'] ?? 10_000);

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
const { crops, data } = configSchema.parse({
  data: { kind: 'imagefolder', path: join(tmpdir(), 'simdino-bench-photographs') },
});

// The workers of the scaling are the built ones.
execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
await writePhotographs(data.path!, 64, 500, 375);
const { train } = await openDataset(data);
const peer = await startDataPeer({ folder: data.path, global: crops.global, local: crops.local });
const loader = load(train, 0);
const costs: { ours: Cost[]; peer: Cost[] } = { ours: [], peer: [] };
await run(loader, imagesPerTurn.ours);
await peer.run(imagesPerTurn.peer);
for (let turn = 0; turn < turns; turn++) {
  costs.ours.push(await run(loader, imagesPerTurn.ours));
  costs.peer.push(await peer.run(imagesPerTurn.peer));
}
await loader.close();
peer.close();
const cpuMs = {
  ours: median(costs.ours.map((cost) => cost.cpuMs)),
  peer: median(costs.peer.map((cost) => cost.cpuMs)),
};
console.log(
  `processor time per image: ours ${cpuMs.ours.toFixed(2)} ms, torchvision and PIL ${cpuMs.peer.toFixed(2)} ms`,
);

const worker = pathToFileURL(join(root, 'dist/dataWorker.mjs'));
const scaling: Record<string, number> = {};
for (const workers of [1, 2, 4, 8].filter((count) => count <= cpus().length)) {
  const threads = load(train, workers, worker);
  await run(threads, 64);
  scaling[workers] = 1000 / (await run(threads, 256)).wallMs;
  await threads.close();
  console.log(`${workers} workers: ${scaling[workers].toFixed(1)} images/s`);
}

// Memory after each part: a leak grows from part to part, a heap that settles does not.
const parts = 5;
const long = load(train, 0);
await run(long, 1000);
const memoryMiB = [mebibytes(process.memoryUsage.rss())];
for (let part = 0; part < parts; part++) {
  await run(long, memoryImages / parts);
  memoryMiB.push(mebibytes(process.memoryUsage.rss()));
}
await long.close();
console.log(`memory after 1000 images and ${parts} times ${memoryImages / parts} more: ${memoryMiB.join(', ')} MiB`);

console.log(
  JSON.stringify({
    name: 'data',
    ratio: Number((cpuMs.peer / cpuMs.ours).toFixed(3)),
    ours: Number(cpuMs.ours.toFixed(3)),
    peer: Number(cpuMs.peer.toFixed(3)),
    unit: 'processor ms per image',
    hardware: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
    peerVersions: peer.versions,
    imagesPerSecondByWorkers: scaling,
    memoryMiB,
    turns: costs,
  }),
);

function load(split: Split, workers: number, workerScript?: URL): Loader {
  return createLoader({
    split,
    crops,
    batchSize,
    seed: 0,
    workers,
    startStep: 0,
    maxFaultyShare: 0,
    ...(workerScript && { workerScript }),
  });
}

/** Takes so many images from the loader; what it prefetches meanwhile is what it made less before. */
async function run(from: Loader, images: number): Promise<Cost> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let taken = 0; taken < images; taken += batchSize) await from.next();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000 / images, wallMs: (performance.now() - started) / images };
}
