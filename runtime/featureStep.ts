/**
 * Features of evaluation images: the normalised CLS token of one network's backbone, without the projector.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../configs/schema.ts';
import type { StepProgram, TensorSpec } from './engines/engine.ts';
import { normalisePixels } from './models/imageInput.ts';
import { networkConfig } from './models/network.ts';
import { submodule } from './models/parameters.ts';
import { vitCls, vitParameters } from './models/vit.ts';

export interface FeatureStepOptions {
  /** Which network's state is read. Every published evaluation uses the teacher. */
  network: 'teacher' | 'student';
  /** Images per run. */
  images: number;
  /** Side of the images. */
  sizePx: number;
}

/** A step that changes nothing: input `images` [N,H,W,3] (bytes) to output `features` [N, width]. */
export function buildFeatureProgram(
  config: Pick<ResolvedConfig, 'model' | 'projector' | 'crops' | 'data'>,
  { network, images, sizePx }: FeatureStepOptions,
): StepProgram {
  const { backbone } = networkConfig(config);
  const state = Object.fromEntries(
    vitParameters(backbone).map(({ name, shape }): [string, TensorSpec] => [
      `${network}.backbone.${name}`,
      { shape, dtype: 'float32' },
    ]),
  );
  return {
    state,
    updates: [],
    inputs: { images: { shape: [images, sizePx, sizePx, 3], dtype: 'uint8' } },
    run: (tensors, inputs) => {
      const pixels = normalisePixels(inputs['images'] as tf.Tensor4D, config.data);
      const parameters = submodule(tensors, `${network}.backbone`);
      return { state: {}, outputs: { features: vitCls(parameters, pixels, backbone, { layout: 'BHWC' }).cls_BD } };
    },
  };
}
