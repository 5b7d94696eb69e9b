import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { dropPathFactor, dropPathRates } from '../../runtime/models/dropPath.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions } from './compute.ts';
import { golden } from './reference.ts';

interface Reference {
  x: ReferenceTensor;
  f64: {
    v1_drop_path?: never;
  };
  v1_drop_path: { drop_prob: number; uniforms: ReferenceTensor; f64: ReferenceTensor };
  dpr_linear: { rate: number; depth: number; values: ReferenceTensor };
}

golden<Reference>('stochastic_depth', ({ x, v1_drop_path, dpr_linear }) => {
  it('rates grow linearly over the depth', () => {
    expectClose('rates', dropPathRates(dpr_linear), dpr_linear.values, { rtol: 1e-12, atol: 1e-15 });
  });

  for (const precision of precisions) {
    it(`v1 drop path, ${precision}`, async () => {
      const { drop_prob, uniforms, f64 } = v1_drop_path;
      const factors = {
        shape: [uniforms.data.length, 1, 1],
        data: uniforms.data.map((uniform) => dropPathFactor(drop_prob, uniform)),
      };
      const got = await compute(precision, { x, factors }, ({ x, factors }) => ({ dropped: tf.mul(x!, factors!) }));
      const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
      expectClose('dropped', got['dropped']!, f64, tolerance);
    });
  }
});
