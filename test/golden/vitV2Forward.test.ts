import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { clsToken, patchTokens, vitCls, vitParameters, vitTokens } from '../../runtime/models/vit.ts';
import type { VitConfig } from '../../runtime/models/vit.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';
import type { NamedTensors } from './reference.ts';
import { expectSummary } from './summary.ts';
import type { Summary } from './summary.ts';

interface Reference {
  config: {
    img_size: number;
    patch_size: number;
    embed_dim: number;
    depth: number;
    num_heads: number;
    mlp_ratio: number;
    registers: number;
    interpolate_offset: number;
    antialias: boolean;
  };
  weights: NamedTensors;
  images: ReferenceTensor[];
  mask: ReferenceTensor;
  cotangent_cls: ReferenceTensor;
  cotangent_patch: ReferenceTensor;
  f64: {
    outputs: {
      x_norm_clstoken: ReferenceTensor;
      /** Not recorded for the masked forward. */
      x_norm_regtokens?: ReferenceTensor;
      x_norm_patchtokens: ReferenceTensor;
    }[];
    grad_summary_masked_first_input: Record<string, Summary>;
  };
}

golden<Reference>('vit_v2_forward', (reference) => {
  const { config: official, weights, images, mask, f64 } = reference;
  const config: VitConfig = {
    width: official.embed_dim,
    depth: official.depth,
    heads: official.num_heads,
    patchSizePx: official.patch_size,
    mlpRatio: official.mlp_ratio,
    imageSizePx: official.img_size,
    interpolation: { offset: official.interpolate_offset, antialias: official.antialias },
    registers: official.registers,
    layerScale: 0.1,
    maskToken: true,
  };

  it('has the official names and shapes', () => {
    expect(Object.fromEntries(vitParameters(config).map(({ name, shape }) => [name, shape]))).toEqual(
      Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
    );
  });

  for (const precision of precisions) {
    const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;

    for (const [index, expected] of f64.outputs.entries()) {
      const isMasked = index === images.length;
      const image = images[isMasked ? 0 : index]!;
      it(`forward of [${image.shape.join(',')}]${isMasked ? ', masked' : ''}, ${precision}`, async () => {
        const got = await compute(precision, { ...weights, image, mask }, ({ image, mask, ...parameters }) => {
          const input = { layout: 'BCHW', ...(isMasked ? { mask_BP: mask as tf.Tensor2D } : {}) } as const;
          const { tokens_BND } = vitTokens(parameters, image as tf.Tensor4D, config, input);
          const [batch] = image!.shape as [number];
          return {
            cls: clsToken(tokens_BND),
            clsAlone: vitCls(parameters, image as tf.Tensor4D, config, input).cls_BD,
            registers: tf.slice(tokens_BND, [0, 1, 0], [batch, official.registers, config.width]),
            patches: patchTokens(tokens_BND, config),
          };
        });
        expectClose('cls', got['cls']!, expected.x_norm_clstoken, tolerance);
        expectClose('cls of the cls query', got['clsAlone']!, expected.x_norm_clstoken, tolerance);
        if (expected.x_norm_regtokens) {
          expectClose('registers', got['registers']!, expected.x_norm_regtokens, tolerance);
        }
        expectClose('patches', got['patches']!, expected.x_norm_patchtokens, tolerance);
      });
    }

    it(`gradients of the masked first input, ${precision}`, async () => {
      const inputs = {
        ...weights,
        image: images[0]!,
        mask,
        cotangentCls: reference.cotangent_cls,
        cotangentPatch: reference.cotangent_patch,
      };
      const gradients = await compute(precision, inputs, (tensors) => {
        const { image, mask, cotangentCls, cotangentPatch, ...parameters } = tensors;
        return valueAndGradients(parameters, (variables) => {
          const input = { layout: 'BCHW', mask_BP: mask as tf.Tensor2D } as const;
          const { tokens_BND } = vitTokens(variables, image as tf.Tensor4D, config, input);
          return tf.add(
            tf.sum(tf.mul(clsToken(tokens_BND), cotangentCls!)),
            tf.sum(tf.mul(patchTokens(tokens_BND, config), cotangentPatch!)),
          );
        }).gradients;
      });
      for (const [name, expected] of Object.entries(f64.grad_summary_masked_first_input)) {
        expectSummary(`gradient of ${name}`, gradients[name]!, expected, { precision });
      }
    });
  }
});
