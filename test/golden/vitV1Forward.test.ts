import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { positionEmbedding } from '../../runtime/models/positionEmbedding.ts';
import { finalNorm, vitCls, vitParameters, vitTokens } from '../../runtime/models/vit.ts';
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
    interpolate_offset: number;
  };
  weights: NamedTensors;
  images: ReferenceTensor[];
  cotangent_first_input: ReferenceTensor;
  f64: {
    outputs: {
      cls: ReferenceTensor;
      normed_tokens_last_block: ReferenceTensor;
      normed_cls_each_block: ReferenceTensor;
      pos_embed_used: ReferenceTensor;
      last_selfattention_cls_row: ReferenceTensor;
    }[];
    grad_summary_first_input: Record<string, Summary>;
  };
}

golden<Reference>('vit_v1_forward', (reference) => {
  const { config: official, weights, images } = reference;
  const config: VitConfig = {
    width: official.embed_dim,
    depth: official.depth,
    heads: official.num_heads,
    patchSizePx: official.patch_size,
    mlpRatio: official.mlp_ratio,
    imageSizePx: official.img_size,
    interpolation: { offset: official.interpolate_offset, antialias: false },
  };
  const input = { layout: 'BCHW' } as const;

  it('has the official names and shapes', () => {
    expect(Object.fromEntries(vitParameters(config).map(({ name, shape }) => [name, shape]))).toEqual(
      Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
    );
  });

  for (const precision of precisions) {
    const isDouble = precision === 'float64';
    const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;

    for (const [index, image] of images.entries()) {
      const expected = reference.f64.outputs[index]!;
      it(`forward of [${image.shape.join(',')}], ${precision}`, async () => {
        const [batch, , height, width] = image.shape as [number, number, number, number];
        const got = await compute(precision, { ...weights, image }, ({ image, ...parameters }) => {
          const whole = vitTokens(parameters, image as tf.Tensor4D, config, input);
          const short = vitCls(parameters, image as tf.Tensor4D, config, input);
          const clsOf = (tokens: tf.Tensor3D) =>
            tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, config.width]), [batch, config.width]);
          return {
            cls: short.cls_BD,
            clsAttention: short.clsAttention_BAN,
            tokens: whole.tokens_BND,
            clsOfWhole: clsOf(whole.tokens_BND),
            clsEachBlock: tf.stack(
              whole.intermediates.blocks_BND.map((tokens) => clsOf(finalNorm(parameters, tokens))),
            ),
            attention: tf.slice(whole.intermediates.lastAttention_BANN(), [0, 0, 0, 0], [batch, config.heads, 1, -1]),
            position: positionEmbedding(parameters['pos_embed'] as tf.Tensor3D, {
              rows: Math.floor(height / config.patchSizePx),
              columns: Math.floor(width / config.patchSizePx),
              interpolation: config.interpolation,
            }),
          };
        });
        expectClose('cls', got['cls']!, expected.cls, tolerance);
        expectClose('cls of all tokens', got['clsOfWhole']!, expected.cls, tolerance);
        expectClose('tokens', got['tokens']!, expected.normed_tokens_last_block, tolerance);
        expectClose('cls of each block', got['clsEachBlock']!, expected.normed_cls_each_block, tolerance);
        expectClose('position embedding', got['position']!, expected.pos_embed_used, tolerance);
        expectClose('attention of cls', got['attention']!, expected.last_selfattention_cls_row, tolerance);
        expectClose('attention of the cls query', got['clsAttention']!, expected.last_selfattention_cls_row, tolerance);
      });
    }

    for (const path of ['all tokens', 'the cls query']) {
      it(`gradients of the first input through ${path}, ${precision}`, async () => {
        const image = images[0]!;
        const cotangent = reference.cotangent_first_input;
        const gradients = await compute(precision, { ...weights, image, cotangent }, (tensors) => {
          const { image, cotangent, ...parameters } = tensors;
          return valueAndGradients(parameters, (variables) => {
            const cls =
              path === 'all tokens'
                ? tf.slice(vitTokens(variables, image as tf.Tensor4D, config, input).tokens_BND, [0, 0, 0], [-1, 1, -1])
                : vitCls(variables, image as tf.Tensor4D, config, input).cls_BD;
            return tf.sum(tf.mul(tf.reshape(cls, cotangent!.shape), cotangent!));
          }).gradients;
        });
        for (const [name, expected] of Object.entries(reference.f64.grad_summary_first_input)) {
          expectSummary(`gradient of ${name}`, gradients[name]!, expected, { precision });
        }
      });
    }
  }
});
