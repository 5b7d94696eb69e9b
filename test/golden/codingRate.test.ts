import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { codingRate } from '../../runtime/ops/codingRate.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  m: number;
  p: number;
  n_views: number;
  eps_code: number;
  gamma_code: number;
  unit_normalise_input_first: boolean;
  collapsed?: boolean;
  input: ReferenceTensor;
  closed_form_half_logdet?: number;
  f64: { value_v1: number; half_logdet_per_view?: ReferenceTensor; grad_v1: ReferenceTensor };
}

golden<{ cases: Case[] }>('coding_rate', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      const kind = c.collapsed ? 'collapsed' : c.unit_normalise_input_first ? 'unit' : 'raw';
      it(`${c.n_views} x ${c.m} samples of ${c.p}, eps^2 ${c.eps_code}, ${kind}, ${precision}`, async () => {
        const views = c.input.shape.length === 2 ? [1, ...c.input.shape] : c.input.shape;
        const input = { shape: views, data: c.input.data };
        const got = await compute(precision, { input }, ({ input }) => {
          const features = c.unit_normalise_input_first ? l2Normalise(input as tf.Tensor3D, { epsilon: 1e-12 }) : input!;
          let perView: tf.Tensor | undefined;
          const { value, gradients } = valueAndGradients({ features }, ({ features }) => {
            // It leaves the scope of the gradient, in which an eager engine would dispose of it.
            perView = tf.keep(codingRate(features as tf.Tensor3D, { scale: c.p / (c.m * c.eps_code) }));
            return tf.mul(tf.mean(perView), c.gamma_code);
          });
          return { value, perView: perView!, gradient: gradients['features']! };
        });
        const isDouble = precision === 'float64';
        const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
        expectClose('gamma R', got['value']!, c.f64.value_v1, tolerance);
        const perView = c.f64.half_logdet_per_view ?? [c.closed_form_half_logdet!];
        expectClose('R per view', got['perView']!, perView, tolerance);
        // In single precision the gradient is ill-conditioned for few samples and small eps, the authors' too.
        if (isDouble) expectClose('gradient', got['gradient']!, c.f64.grad_v1, tolerances.double);
      });
    }
  }
});
