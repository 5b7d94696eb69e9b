import type * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { barlowTwins } from '../../runtime/losses/barlowTwins.ts';
import { infoNce, ntXent } from '../../runtime/losses/infoNce.ts';
import { koleo, nearestOthers } from '../../runtime/losses/koleo.ts';
import { uniformity } from '../../runtime/losses/uniformity.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  n: number;
  d: number;
  temperature: number;
  barlow_lambda: number;
  a_raw: ReferenceTensor;
  b_raw: ReferenceTensor;
  f64: {
    ntxent_simclr_sum_of_two_views: number;
    grad_ntxent_a: ReferenceTensor;
    grad_ntxent_b: ReferenceTensor;
    infonce_student_vs_teacher: number;
    grad_infonce: ReferenceTensor;
    uniform_t2: number;
    grad_uniform: ReferenceTensor;
    barlow: number;
    grad_barlow: ReferenceTensor;
  };
}

const unit = (x: tf.Tensor) => l2Normalise(x as tf.Tensor2D, { epsilon: 1e-12 });

golden<{ cases: Case[] }>('ablation_losses', ({ cases }) => {
  for (const c of cases) {
    const objectives = {
      'NT-Xent': {
        loss: (a: tf.Tensor, b: tf.Tensor) => ntXent(unit(a), unit(b), { temperature: c.temperature }),
        // The reference adds the two views' means.
        expected: c.f64.ntxent_simclr_sum_of_two_views / 2,
        gradients: { a: halved(c.f64.grad_ntxent_a), b: halved(c.f64.grad_ntxent_b) },
      },
      InfoNCE: {
        loss: (a: tf.Tensor, b: tf.Tensor) => infoNce(unit(a), unit(b), { temperature: c.temperature }),
        expected: c.f64.infonce_student_vs_teacher,
        gradients: { a: c.f64.grad_infonce.data },
      },
      uniformity: {
        loss: (a: tf.Tensor) => uniformity(unit(a)),
        expected: c.f64.uniform_t2,
        gradients: { a: c.f64.grad_uniform.data },
      },
      'Barlow Twins': {
        loss: (a: tf.Tensor, b: tf.Tensor) =>
          barlowTwins(a as tf.Tensor2D, b as tf.Tensor2D, { lambda: c.barlow_lambda }),
        expected: c.f64.barlow,
        gradients: { a: c.f64.grad_barlow.data },
      },
    };
    for (const [name, { loss, expected, gradients }] of Object.entries(objectives)) {
      for (const precision of precisions) {
        it(`${name}, ${c.n} x ${c.d}, ${precision}`, async () => {
          const got = await compute(precision, { a: c.a_raw, b: c.b_raw }, ({ a, b }) => {
            const byName = valueAndGradients({ a: a!, b: b! }, (variables) => loss(variables['a']!, variables['b']!));
            const asked = Object.fromEntries(Object.keys(gradients).map((name) => [name, byName.gradients[name]!]));
            return { value: byName.value, ...asked };
          });
          const isDouble = precision === 'float64';
          expectClose(name, got['value']!, expected, isDouble ? tolerances.double : tolerances.singleLoss);
          for (const [operand, gradient] of Object.entries(gradients)) {
            const tolerance = isDouble ? tolerances.double : tolerances.singleGradient;
            expectClose(`gradient of ${operand}`, got[operand]!, gradient, tolerance);
          }
        });
      }
    }
  }
});

interface KoleoCase {
  n: number;
  d: number;
  input: ReferenceTensor;
  duplicates?: boolean;
  f64: { loss: number; nn_index?: ReferenceTensor; grad?: ReferenceTensor };
}

golden<{ cases: KoleoCase[] }>('koleo', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      // Of equal rows rounding alone decides the distance: 1e-8 in every component is lost beside 1 in single precision.
      if (c.duplicates && precision === 'float32') continue;
      it(`${c.n} x ${c.d}${c.duplicates ? ' with repeated rows' : ''}, ${precision}`, async () => {
        const got = await compute(precision, { x: c.input }, ({ x }) => {
          const { value, gradients } = valueAndGradients({ x: x! }, ({ x }) => koleo(x as tf.Tensor2D));
          return { value, gradient: gradients['x']!, nearest: nearestOthers(unit(x!)) };
        });
        const isDouble = precision === 'float64';
        expectClose('loss', got['value']!, c.f64.loss, isDouble ? tolerances.double : tolerances.singleLoss);
        if (c.f64.nn_index) expectClose('nearest', got['nearest']!, c.f64.nn_index, { rtol: 0, atol: 0.5 });
        const tolerance = isDouble ? tolerances.double : tolerances.singleGradient;
        if (c.f64.grad) expectClose('gradient', got['gradient']!, c.f64.grad, tolerance);
      });
    }
  }
});

function halved({ data }: ReferenceTensor): number[] {
  return data.map((value) => value / 2);
}
