/** Features for linear classifiers: CLS tokens of the last blocks and the mean patch token of the last one, all after the final norm. */
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { StepProgram, TensorSpec } from '../engines/engine.ts';
import { normalisePixels } from '../models/imageInput.ts';
import { networkConfig } from '../models/network.ts';
import { submodule } from '../models/parameters.ts';
import { clsToken, finalNorm, patchTokens, vitParameters, vitTokens } from '../models/vit.ts';

/** Input `images` [N,H,W,3] (bytes) to output `features` [N, (blocks + 1) D]: the CLS tokens, earliest block first, then the mean. */
export function buildProbeFeatureProgram(
  config: Pick<ResolvedConfig, 'model' | 'projector' | 'crops' | 'data'>,
  { blocks, images, sizePx }: { blocks: number; images: number; sizePx: number },
): StepProgram {
  const { backbone } = networkConfig(config);
  const state = Object.fromEntries(
    vitParameters(backbone).map(({ name, shape }): [string, TensorSpec] => [
      `teacher.backbone.${name}`,
      { shape, dtype: 'float32' },
    ]),
  );
  return {
    state,
    updates: [],
    inputs: { images: { shape: [images, sizePx, sizePx, 3], dtype: 'uint8' } },
    run: (tensors, inputs) => {
      const pixels = normalisePixels(inputs['images'] as tf.Tensor4D, config.data);
      const parameters = submodule(tensors, 'teacher.backbone');
      const { tokens_BND, intermediates } = vitTokens(parameters, pixels, backbone, { layout: 'BHWC' });
      const cls = intermediates.blocks_BND.slice(-blocks).map((block) => clsToken(finalNorm(parameters, block)));
      const mean_BD = tf.mean(patchTokens(tokens_BND, backbone), 1);
      return { state: {}, outputs: { features: tf.concat([...cls, mean_BD], 1) } };
    },
  };
}
