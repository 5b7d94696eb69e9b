/**
 * Backbone and projector together: what student and teacher both are, under the names `backbone.*` and `head.*` of the authors'
 * checkpoints.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { prefixed, submodule } from './parameters.ts';
import type { ParameterSpec, Parameters } from './parameters.ts';
import { projector, projectorParameters } from './projector.ts';
import type { ProjectorConfig } from './projector.ts';
import { vitCls, vitParameters } from './vit.ts';
import type { VitConfig } from './vit.ts';

export interface NetworkConfig {
  backbone: VitConfig;
  head: ProjectorConfig;
}

/** One resolution's crops, stacked view by view. */
export interface ViewStack {
  /** [views x B, H, W, 3], normalised, all images of the first view first. */
  images: tf.Tensor4D;
  layout: 'BHWC' | 'BCHW';
  /** Factors of stochastic depth, [depth, 2, views x B]. */
  dropPath_L2B?: tf.Tensor3D;
}

/**
 * Unit features of every view: one pass of the backbone per resolution, the projector once over all.
 *
 * @param stacks in the order of the views, the global ones first
 * @returns [V, B, O]
 */
export function networkFeatures(
  parameters: Parameters,
  stacks: readonly ViewStack[],
  { backbone, head }: NetworkConfig,
  { batch }: { batch: number },
): tf.Tensor3D {
  const backboneParameters = submodule(parameters, 'backbone');
  const cls = stacks.map(({ images, ...input }) => vitCls(backboneParameters, images, backbone, input).cls_BD);
  const unit_NO = projector(submodule(parameters, 'head'), tf.concat(cls, 0), head);
  return tf.reshape<tf.Rank.R3>(unit_NO, [-1, batch, head.outputDim]);
}

export function networkParameters({ backbone, head }: NetworkConfig): ParameterSpec[] {
  return [...prefixed('backbone', vitParameters(backbone)), ...prefixed('head', projectorParameters(head))];
}

/** The networks of a configuration. */
export function networkConfig({
  model,
  projector: head,
  crops,
  dino,
}: Pick<ResolvedConfig, 'model' | 'projector' | 'crops' | 'dino'>): NetworkConfig {
  const { width, depth, heads, patchSizePx, mlpRatio } = model;
  return {
    backbone: {
      width,
      depth,
      heads,
      patchSizePx,
      mlpRatio,
      imageSizePx: crops.global.sizePx,
      interpolation: { offset: 0.1, antialias: false },
    },
    head: {
      inputDim: width,
      hiddenDim: head.hiddenDim,
      outputDim: head.outputDim,
      layers: head.layers,
      ...(dino ? { prototypes: dino.prototypes } : {}),
    },
  };
}
