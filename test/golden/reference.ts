/**
 * The reference numbers: JSON files made by running the authors' code (and that of the methods it builds on). Another folder of the same
 * format is read instead when SIMDINO_GOLDEN_DIR names one, and SIMDINO_GOLDEN_ONLY limits the suite to some files by name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { takeWorst } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';

/** The files that the suite knows. */
export const goldenNames = [
  'ablation_losses',
  'adamw',
  'attention_threshold',
  'augment_ops',
  'block_masks',
  'coding_rate',
  'davis_jf',
  'davis_propagation',
  'dino_loss',
  'dinov2_losses',
  'distributed',
  'ema',
  'grad_clip',
  'heads',
  'knn',
  'paper_formulas',
  'koleo',
  'linear_probe',
  'maskcut',
  'param_groups',
  'pos_embed_interp',
  'schedules',
  'simdino_loss',
  'simdinov2_loss',
  'stochastic_depth',
  'traj_dino',
  'traj_dinov2_centering',
  'traj_dinov2_sinkhorn',
  'traj_simdino',
  'traj_simdino_no_distillation',
  'traj_simdinov2',
  'vit_v1_forward',
  'vit_v2_forward',
] as const;
export type GoldenName = (typeof goldenNames)[number];

export type NamedTensors = Record<string, ReferenceTensor>;

export const goldenFolder = process.env['SIMDINO_GOLDEN_DIR'] ?? join(import.meta.dirname, 'data');
export const goldenOnly = process.env['SIMDINO_GOLDEN_ONLY']?.split(',').map((name) => name.trim());

/** Whether the folder is somebody else's, which may hold fewer files. */
export const isOtherFolder = process.env['SIMDINO_GOLDEN_DIR'] !== undefined;

/**
 * The cases of one file. A file that `--only` leaves out, or that another folder does not hold, is skipped by name; in the product's own
 * folder every file must be there.
 */
 
export function golden<T>(name: GoldenName, define: (reference: T) => void): void {
  const path = join(goldenFolder, `${name}.json`);
  if (goldenOnly && !goldenOnly.includes(name)) {
    it.skip(`${name} (not chosen)`, () => {});
  } else if (isOtherFolder && !existsSync(path)) {
    it.skip(`${name} (not in the folder)`, () => {});
  } else {
    describe(name, () => {
      define(JSON.parse(readFileSync(path, 'utf8')) as T);
      afterAll(() => report(name));
    });
  }
}

/** One line per file and precision, where SIMDINO_GOLDEN_REPORT asks for it. */
function report(name: GoldenName): void {
  for (const { precision, what, error } of takeWorst()) {
    if (process.env['SIMDINO_GOLDEN_REPORT'] === undefined) continue;
    process.stdout.write(`golden ${name.padEnd(30)} ${precision}  worst error ${error.toExponential(1)}  (${what})\n`);
  }
}
