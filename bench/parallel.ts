/**
 * Training in several processes: the sum of the gradients of ViT-S (22 M floats) over two of them, against plain MPI in C, and how much
 * faster two processes of one core each take a step than one.
 *
 * Both sides of the sum take turns in one run, and the median of the turns counts. SIMDINO_BENCH_STEPS sets the steps of the scaling.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { median } from './median.ts';

const elements = 22_000_000;
/** As the gradients of ViT-S come: 147 tensors, a few of them nine tenths of the numbers. */
const gradientLengths = [...new Array<number>(36).fill(589_824), 294_912, ...new Array<number>(110).fill(384)];
const rounds = 5;
const turnsPerRound = 4;
const steps = Number(process.env['SIMDINO_BENCH_STEPS'] ?? 8);
const mpirun = ['--oversubscribe', '--bind-to', 'none', ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : [])];
/** ViT-Tiny on small crops: a step of seconds on one core. */
const scalingConfig = `
data: { kind: synthetic, synthetic: { images: 320, sizePx: 64 } }
crops: { global: { sizePx: 64 }, local: { count: 4, sizePx: 32 } }
model: { architecture: vit_tiny, patchSizePx: 8 }
train: { batchSize: 32, epochs: ${steps / 10} }
optim: { warmupEpochs: 0 }
eval: { knn: { galleryImages: 32, queryImages: 16 } }
runtime: { threads: 1, dataWorkers: 1, engine: onnx }
`;

const work = mkdtempSync(join(tmpdir(), 'simdino-bench-parallel-'));
const scripts = join(process.cwd(), '.cache', 'scripts');
mkdirSync(scripts, { recursive: true });
const rankScript = join(scripts, `parallelRank-${process.pid}.mjs`);
try {
  const peer = join(work, 'allreduce');
  execFileSync('mpicc', ['-O3', '-o', peer, 'bench/allreduce.c']);
  await esbuild.build({
    entryPoints: ['bench/parallelRank.ts'],
    outfile: rankScript,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });

  // --- The sum
  const sums = { ours: [] as number[], peer: [] as number[], tensors: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    sums.peer.push(...together(2, peer, String(elements), String(turnsPerRound)));
    sums.ours.push(...together(2, process.execPath, rankScript, String(elements), String(turnsPerRound)));
    sums.tensors.push(...together(2, process.execPath, rankScript, gradientLengths.join(','), String(turnsPerRound)));
  }
  const ms = { ours: median(sums.ours), peer: median(sums.peer), tensors: median(sums.tensors) };
  console.log(
    `sum of ${elements / 1e6} M floats over 2 processes: ours ${ms.ours.toFixed(1)} ms, C ${ms.peer.toFixed(1)} ms`,
  );
  console.log(`the same as the ${gradientLengths.length} gradients of ViT-S: ${ms.tensors.toFixed(1)} ms`);

  // --- The step, alternating
  const config = join(work, 'scaling.yaml');
  writeFileSync(config, scalingConfig);
  const stepMs = { 1: [] as number[], 2: [] as number[] };
  for (const round of [0, 1]) for (const ranks of [1, 2] as const) stepMs[ranks].push(...stepTimes(ranks, round));
  const scaling = median(stepMs[1]) / median(stepMs[2]);
  console.log(
    `step: 1 process ${median(stepMs[1]).toFixed(0)} ms, 2 processes ${median(stepMs[2]).toFixed(0)} ms: ${scaling.toFixed(2)} times as fast`,
  );

  console.log(
    JSON.stringify({
      name: 'parallel',
      ratio: Number((ms.peer / ms.ours).toFixed(3)),
      ours: Number(ms.ours.toFixed(1)),
      peer: Number(ms.peer.toFixed(1)),
      unit: `ms for a sum of ${elements} floats over 2 processes`,
      hardware: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
      load: loadavg()[0],
      gradientsOfVitSMs: Number(ms.tensors.toFixed(1)),
      stepMs: { 1: Math.round(median(stepMs[1])), 2: Math.round(median(stepMs[2])) },
      scaling: Number(scaling.toFixed(3)),
      turns: { ...sums, stepMs },
    }),
  );

  function stepTimes(ranks: 1 | 2, round: number): number[] {
    const id = `ranks${ranks}-${round}`;
    const args = ['dist/simdino.mjs', 'train', config, '--runs-dir', work, '--run-id', id];
    if (ranks === 1) execFileSync(process.execPath, args, { stdio: 'ignore' });
    else execFileSync('mpirun', [...mpirun, '-n', String(ranks), process.execPath, ...args], { stdio: 'ignore' });
    const lines = readFileSync(join(work, id, 'attempts', '001', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const times = lines
      .map((line) => (JSON.parse(line) as { stepMs?: number }).stepMs)
      .filter((time) => time !== undefined);
    // The first step compiles.
    return times.slice(1);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
  rmSync(rankScript, { force: true });
}

function together(ranks: number, command: string, ...args: string[]): number[] {
  const output = execFileSync('mpirun', [...mpirun, '-n', String(ranks), command, ...args], { encoding: 'utf8' });
  return output.trim().split('\n').map(Number);
}
