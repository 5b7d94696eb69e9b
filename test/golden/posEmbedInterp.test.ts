import type * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { positionEmbedding } from '../../runtime/models/positionEmbedding.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  M: number;
  target_rows: number;
  target_cols: number;
  dim: number;
  pos_embed: ReferenceTensor;
  f64: Record<string, ReferenceTensor>;
}

const kinds = [
  { key: 'offset0.1_antialiasF', offset: 0.1, antialias: false },
  { key: 'offset0_antialiasF', offset: 0, antialias: false },
  { key: 'offset0.1_antialiasT', offset: 0.1, antialias: true },
  { key: 'offset0_antialiasT', offset: 0, antialias: true },
];

golden<{ cases: Case[] }>('pos_embed_interp', ({ cases }) => {
  for (const c of cases) {
    for (const { key, ...interpolation } of kinds) {
      for (const precision of precisions) {
        it(`${c.M} x ${c.M} to ${c.target_rows} x ${c.target_cols}, ${key}, ${precision}`, async () => {
          const got = await compute(precision, { table: c.pos_embed }, ({ table }) => ({
            resized: positionEmbedding(table as tf.Tensor3D, {
              rows: c.target_rows,
              columns: c.target_cols,
              interpolation,
            }),
          }));
          const expected = [...c.pos_embed.data.slice(0, c.dim), ...c.f64[key]!.data];
          const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
          expectClose('position embedding', got['resized']!, expected, tolerance);
        });
      }
    }
  }
});
