import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { projector, projectorParameters, prototypeScores } from '../../runtime/models/projector.ts';
import type { ProjectorConfig } from '../../runtime/models/projector.ts';
import { gelu } from '../../runtime/ops/gelu.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';
import type { NamedTensors } from './reference.ts';

interface HeadCase {
  kind: string;
  in_dim: number;
  hidden: number;
  bottleneck: number;
  out_dim: number;
  weights: NamedTensors;
  input: ReferenceTensor;
  cotangent: ReferenceTensor;
  f64: {
    output: ReferenceTensor;
    grad_input: ReferenceTensor;
    grad_params: Record<string, ReferenceTensor | null>;
  };
}
interface NormaliseCase {
  kind: 'normalize_eps';
  tiny_row: number[];
  tiny_row_output: ReferenceTensor;
  zero_row_output: ReferenceTensor;
}
interface GeluCase {
  kind: 'gelu_exact_erf';
  x: ReferenceTensor;
  y: ReferenceTensor;
}

golden<{ cases: (HeadCase | NormaliseCase | GeluCase)[] }>('heads', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      const isDouble = precision === 'float64';
      if ('weights' in c) {
        it(`${c.kind}, ${precision}`, async () => {
          const config: ProjectorConfig = {
            inputDim: c.in_dim,
            hiddenDim: c.hidden,
            outputDim: c.bottleneck,
            layers: 'mlp.weight' in c.weights ? 1 : 3,
            batchNorm: c.kind.endsWith('_bn'),
            ...('last_layer.weight_v' in c.weights ? { prototypes: c.out_dim } : {}),
          };
          expect(Object.fromEntries(projectorParameters(config).map(({ name, shape }) => [name, shape]))).toEqual(
            Object.fromEntries(Object.entries(c.weights).map(([name, { shape }]) => [name, shape])),
          );
          const inputs = { ...c.weights, input: c.input, cotangent: c.cotangent };
          const got = await compute(precision, inputs, ({ cotangent, ...variables }) => {
            let output: tf.Tensor | undefined;
            const { gradients } = valueAndGradients(variables, ({ input, ...weights }) => {
              const unit = projector(weights, input as tf.Tensor2D, config);
              // Kept, since it leaves the scope of the gradient.
              output = tf.keep(config.prototypes === undefined ? unit : prototypeScores(weights, unit));
              return tf.sum(tf.mul(output, cotangent!));
            });
            return { output: output!, ...gradients };
          });
          expectClose('output', got['output']!, c.f64.output, isDouble ? tolerances.double : tolerances.singleLoss);
          const tolerance = isDouble ? tolerances.double : tolerances.singleGradient;
          expectClose('gradient of input', got['input']!, c.f64.grad_input, tolerance);
          for (const [name, expected] of Object.entries(c.f64.grad_params)) {
            // A frozen magnitude has no gradient there; the optimiser leaves it out here.
            if (expected) expectClose(`gradient of ${name}`, got[name]!, expected, tolerance);
          }
        });
      } else if (c.kind === 'normalize_eps') {
        // The square of 1e-13 is below single precision's smallest normal number.
        if (!isDouble) continue;
        it(`${c.kind}, ${precision}`, async () => {
          const rows = { shape: [2, 3], data: [...c.tiny_row, 0, 0, 0] };
          const got = await compute(precision, { rows }, ({ rows }) => ({ unit: l2Normalise(rows!, { epsilon: 1e-12 }) }));
          const expected = [...c.tiny_row_output.data, ...c.zero_row_output.data];
          expectClose('unit rows', got['unit']!, expected, tolerances.double);
        });
      } else {
        it(`${c.kind}, ${precision}`, async () => {
          const got = await compute(precision, { x: c.x }, ({ x }) => ({ y: gelu(x!) }));
          expectClose('GELU', got['y']!, c.y, isDouble ? tolerances.double : tolerances.singleLoss);
        });
      }
    }
  }
});
