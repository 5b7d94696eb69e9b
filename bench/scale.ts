/**
 * Computes docs/scale.md: what ImageNet-1k takes at the paper's settings on 1, 8 and 64 devices, from measured steps on a processor and on a
 * GPU, a measured sum and measured crops (all in bench/results/), and from links and a device that are assumed and named.
 *
 *     npx esbuild bench/scale.ts --bundle --packages=external --platform=node --format=esm | node --input-type=module -
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Measured {
  step: { ms: number; what: string };
  sum: { ms: number; what: string };
  hardware: string;
}

interface Network {
  name: string;
  width: number;
  depth: number;
  patchPx: number;
  /** Side and number of the views of an image. */
  views: readonly { sizePx: number; count: number; teacher: boolean }[];
  batch: number;
}

const paperViews = [
  { sizePx: 224, count: 2, teacher: true },
  { sizePx: 96, count: 10, teacher: false },
] as const;
const networks: Network[] = [
  { name: 'ViT-B/16 (SimDINO, batch 512)', width: 768, depth: 12, patchPx: 16, views: paperViews, batch: 512 },
  { name: 'ViT-L/16 (SimDINOv2, batch 1024)', width: 1024, depth: 24, patchPx: 16, views: paperViews, batch: 1024 },
];
/** The network of bench/cpu.ts. */
const measuredNetwork: Network = {
  name: 'ViT-Tiny/8',
  width: 192,
  depth: 12,
  patchPx: 8,
  views: [
    { sizePx: 64, count: 2, teacher: true },
    { sizePx: 32, count: 6, teacher: false },
  ],
  batch: 32,
};
/** That of bench/gpu.ts. */
const gpuNetwork: Network = { name: 'ViT-S/16', width: 384, depth: 12, patchPx: 16, views: paperViews, batch: 128 };
const imagesOfEpoch = 1_281_167;
const epochs = 100;

/** Devices: sustained speed of a training step, memory, and the network between them. */
interface Device {
  name: string;
  gflops: number;
  memoryBytes: number;
  linkBytesPerSecond: number;
  latencySeconds: number;
}

const result = (name: string): unknown => JSON.parse(readFileSync(`bench/results/${name}.json`, 'utf8'));
const measured = result('scale-input') as Measured;
const gpu = result('gpu-h100') as { final: { batch: number; rows: { name: string; medianMs: number }[] }[] };
const { ours: cropsMs } = result('data') as { ours: number };
const floats = 22_000_000;
const measuredGflops = operationsOfStep(measuredNetwork) / (measured.step.ms * 1e6);
const measuredBytesPerSecond = (4 * floats) / (measured.sum.ms / 1000);
const devices: Device[] = [
  {
    name: 'this machine (two cores), measured',
    gflops: measuredGflops,
    memoryBytes: 12 * 2 ** 30,
    linkBytesPerSecond: measuredBytesPerSecond,
    latencySeconds: 1e-4,
  },
  measuredGpu('dawn', 'float32'),
  measuredGpu('dawn-f16', 'float16'),
  {
    name: '80 GB accelerator, assumed 150 TFLOP/s sustained, 50 GB/s links',
    gflops: 150_000,
    memoryBytes: 80e9,
    linkBytesPerSecond: 50e9,
    latencySeconds: 2e-5,
  },
];

writeFileSync('docs/scale.md', page());
console.log(
  `docs/scale.md: ${measuredGflops.toFixed(1)} GFLOP/s, ${(measuredBytesPerSecond / 1e9).toFixed(2)} GB/s in sums`,
);

/** An H100 as it was measured with ViT-S/16; what joins several is assumed. */
function measuredGpu(engine: string, precision: string): Device {
  const row = gpu.final.find(({ batch }) => batch === gpuNetwork.batch)?.rows.find(({ name }) => name === engine);
  if (!row) throw new Error(`bench/results/gpu-h100.json has no ${engine} at batch ${gpuNetwork.batch}.`);
  const gflops = operationsOfStep(gpuNetwork) / (row.medianMs * 1e6);
  return {
    name: `H100 80 GB, engine \`dawn\`, ${precision}, measured ${(gflops / 1000).toFixed(0)} TFLOP/s; assumed 50 GB/s links`,
    gflops,
    memoryBytes: 80e9,
    linkBytesPerSecond: 50e9,
    latencySeconds: 2e-5,
  };
}

/** Operations of a step: student forwards and backwards (three times a forward pass), teacher forwards. */
function operationsOfStep(network: Network): number {
  const perImage = network.views.reduce((sum, { sizePx, count, teacher }) => {
    const forward = operationsOfView(network, tokensOf(network, sizePx));
    return sum + count * forward * (teacher ? 4 : 3);
  }, 0);
  return perImage * network.batch;
}

/** A forward pass: 24 width^2 a token and block in products with weights, 4 tokens x width in attention; projector of three layers. */
function operationsOfView({ width, depth }: Network, tokens: number): number {
  const projector = 2 * (width * 2048 + 2048 * 2048 + 2048 * 256);
  return depth * tokens * (24 * width ** 2 + 4 * tokens * width) + projector;
}

function tokensOf({ patchPx }: Network, sizePx: number): number {
  return Math.floor(sizePx / patchPx) ** 2 + 1;
}

function parametersOf({ width, depth }: Network): number {
  return depth * 12 * width ** 2 + width * 768 + width * 197 + width * 2048 + 2048 * 2048 + 2048 * 256;
}

/** Student, teacher, two moments and gradients in float32, and what a block keeps for its backward pass, per token and unit of width. */
function memoryOf(network: Network, imagesHere: number): number {
  const tokens = network.views.reduce((sum, { sizePx, count }) => sum + count * tokensOf(network, sizePx), 0);
  return 5 * 4 * parametersOf(network) + imagesHere * tokens * network.depth * network.width * 4 * 34;
}

function plan(network: Network, device: Device, devicesInAll: number) {
  const imagesHere = network.batch / devicesInAll;
  const computeSeconds = operationsOfStep(network) / devicesInAll / (device.gflops * 1e9);
  const ring = (bytes: number) =>
    devicesInAll === 1
      ? 0
      : ((2 * (devicesInAll - 1)) / devicesInAll) * (bytes / device.linkBytesPerSecond) +
        2 * (devicesInAll - 1) * device.latencySeconds;
  const views = network.views.reduce((sum, { count, teacher }) => sum + count * (teacher ? 2 : 1), 0);
  // Features of all images, student and teacher; then the gradients.
  const gatherSeconds = ring(4 * network.batch * views * 256);
  const gradientSeconds = ring(4 * parametersOf(network));
  const objectiveSeconds = objectiveOperations(network) / (device.gflops * 1e9);
  const stepSeconds = computeSeconds + gatherSeconds + gradientSeconds + objectiveSeconds;
  const steps = epochs * Math.floor(imagesOfEpoch / network.batch);
  const memoryBytes = memoryOf(network, imagesHere);
  return {
    stepSeconds,
    days: (steps * stepSeconds) / 86_400,
    computeShare: computeSeconds / stepSeconds,
    sumsShare: (gatherSeconds + gradientSeconds) / stepSeconds,
    objectiveShare: objectiveSeconds / stepSeconds,
    imagesPerSecond: network.batch / stepSeconds,
    memoryBytes,
    fits: memoryBytes <= device.memoryBytes,
    imagesAtOnce: Math.max(
      0,
      Math.floor((device.memoryBytes - 5 * 4 * parametersOf(network)) / (memoryOf(network, 1) - memoryOf(network, 0))),
    ),
  };
}

/** Every process computes the objective of the whole batch: second moments and their factorisation, forwards and backwards. */
function objectiveOperations({ batch }: Network): number {
  const [views, width, groups] = [2, 256, 8];
  return 3 * views * (2 * batch * width ** 2 + (groups * 4 * width ** 3) / 3);
}

function page(): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const time = (days: number) =>
    days >= 730
      ? `${(days / 365).toFixed(0)} years`
      : days >= 2
        ? `${days.toFixed(1)} days`
        : `${(24 * days).toFixed(1)} h`;
  const tables = networks.map((network) => {
    const rows = devices.flatMap((device) =>
      [1, 8, 64].map((count) => {
        const p = plan(network, device, count);
        const memory = p.fits
          ? 'fits'
          : `${Math.min(p.imagesAtOnce, network.batch / count)} of ${network.batch / count} images at once`;
        return `| ${count} x ${device.name} | ${p.stepSeconds < 1 ? `${(1000 * p.stepSeconds).toFixed(0)} ms` : `${p.stepSeconds.toFixed(1)} s`} | ${time(p.days)} | ${percent(p.computeShare)} | ${percent(p.sumsShare)} | ${percent(p.objectiveShare)} | ${p.imagesPerSecond.toFixed(p.imagesPerSecond < 10 ? 2 : 0)} | ${(p.memoryBytes / 1e9).toFixed(0)} GB, ${memory} |`;
      }),
    );
    return [
      `## ${network.name}, ${epochs} epochs of ImageNet-1k`,
      '',
      `${(parametersOf(network) / 1e6).toFixed(0)} M trained parameters, ${(operationsOfStep(network) / 1e12).toFixed(0)} TFLOP a step, ${epochs * Math.floor(imagesOfEpoch / network.batch)} steps.`,
      '',
      '| devices | step | training | networks | sums | objective | images/s | memory each |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
  });
  const needed = plan(networks[0]!, devices.at(-1)!, 64).imagesPerSecond;
  const cores = (needed * cropsMs) / 1000;
  return `# What ImageNet-1k takes

Computed by \`bench/scale.ts\` from \`bench/results/\`; nothing here was trained. Measured on ${measured.hardware}: ${measured.step.what}
(${measuredGflops.toFixed(0)} GFLOP/s); ${measured.sum.what} (${(measuredBytesPerSecond / 1e9).toFixed(2)} GB/s). The GPU's speed is that of
\`npm run bench -- gpu\` with ViT-S/16 at a batch of 128, assumed to hold for larger networks, whose products are larger. **Links between
GPUs, and the last device altogether, are assumptions**: put your own into the script.

The model: a step is the student forwards and backwards over all views and the teacher forwards over the global ones (24 width^2 +
4 tokens x width operations a token and block); gradients travel round a ring, 2 (N - 1) / N times their bytes over a link; features
(256 numbers a view) are gathered before the objective, which every process computes of the whole batch. Sums are not overlapped
with computing.

${tables.join('\n')}
## What breaks first

1. **Memory on one device.** Activations in single precision are the first limit: where a row says so many images at once, the batch
   must be taken in micro-batches (\`runtime.microBatch\`), which costs the student's forward pass again, about a quarter of the step.
   Several processes do not combine with micro-batches yet.
2. **Data.** Crops take about ${cropsMs.toFixed(0)} ms of a core for an image (\`npm run bench -- data\`): ${needed.toFixed(0)} images/s, the last row of ViT-B, need
   ${Math.ceil(cores)} cores for decoding over 64 devices, ${Math.ceil(cores / 64)} for each. On a file system of a cluster, 1.28 M small files are slower to open than
   to decode: use shards.
3. **Sums over slow links.** Their share grows with the number of devices, since each computes less and sends as much. Sending
   gradients while the backward pass goes on would hide most of it; it is not done.
4. **The objective.** It is computed by every process alike, so its time stays when everything else is divided; with DINO's 65,536
   prototypes, unlike with the coding rate, it would dominate from a few processes on.
5. **One process owns the folder.** k-NN evaluations and checkpoints are the first process's alone, and the others wait.
`;
}
