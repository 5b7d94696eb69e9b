import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { batchSubsetFactors, dropPathFactor, dropPathRates } from '../../runtime/models/dropPath.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions } from './compute.ts';
import { transformerBlock } from '../../runtime/models/vit.ts';
import { golden } from './reference.ts';
import type { NamedTensors } from './reference.ts';

interface Reference {
  heads: number;
  drop_rate: number;
  subset_size: number;
  permutations_attn_then_ffn: ReferenceTensor[];
  weights: NamedTensors;
  x: ReferenceTensor;
  f64: { train_output: ReferenceTensor; eval_output: ReferenceTensor };
  v1_drop_path: { drop_prob: number; uniforms: ReferenceTensor; f64: ReferenceTensor };
  dpr_linear: { rate: number; depth: number; values: ReferenceTensor };
}

golden<Reference>('stochastic_depth', (reference) => {
  const { x, v1_drop_path, dpr_linear } = reference;
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

  it('v2 keeps a subset of fixed size', () => {
    const { drop_rate, subset_size } = reference;
    const factors = batchSubsetFactors([drop_rate], 5, () => [4, 3, 2, 1, 0]);
    const ofBranch = Array.from(factors.subarray(0, 5));
    expect(ofBranch.filter((factor) => factor > 0)).toHaveLength(subset_size);
    expect(ofBranch.slice(0, 5 - subset_size)).toEqual(new Array(5 - subset_size).fill(0));
  });

  for (const precision of precisions) {
    it(`v2 block with recorded permutations, ${precision}`, async () => {
      const { drop_rate, heads, permutations_attn_then_ffn, weights, f64 } = reference;
      const permutations = permutations_attn_then_ffn.map(({ data }) => data);
      const samples = x.shape[0]!;
      const drawn = batchSubsetFactors([drop_rate], samples, () => permutations.shift()!);
      // Single-precision factors would show in a comparison in double.
      const exact = Array.from(drawn, (factor) => (factor > 0 ? samples / reference.subset_size : 0));
      const inputs = { ...weights, x, factors: { shape: [1, 2, samples], data: exact } };
      const got = await compute(precision, inputs, ({ x, factors, ...own }) => {
        const parameters = Object.fromEntries(Object.entries(own).map(([name, tensor]) => [`blocks.0.${name}`, tensor]));
        const run = (input: { dropPath_L2B?: tf.Tensor3D }) =>
          transformerBlock(x as tf.Tensor3D, parameters, 0, { heads }, input).tokens_BND;
        return { train: run({ dropPath_L2B: factors as tf.Tensor3D }), evaluation: run({}) };
      });
      const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
      expectClose('evaluation', got['evaluation']!, f64.eval_output, tolerance);
      expectClose('training', got['train']!, f64.train_output, tolerance);
    });
  }
});
