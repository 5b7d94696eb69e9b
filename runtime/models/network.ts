/**
 * Backbone and projector together: what student and teacher both are, under the names `backbone.*`, `head.*` and, where patches have a
 * projector of their own, `ibot_head.*` of the authors' checkpoints.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { mixedPrecision } from '../ops/mixedPrecision.ts';
import { prefixed, submodule } from './parameters.ts';
import type { ParameterSpec, Parameters } from './parameters.ts';
import type { PositionInterpolation } from './positionEmbedding.ts';
import { projector, projectorParameters } from './projector.ts';
import type { ProjectorConfig } from './projector.ts';
import { clsToken, patchTokens, vitCls, vitParameters, vitTokens } from './vit.ts';
import type { VitConfig } from './vit.ts';

export interface NetworkConfig {
  backbone: VitConfig;
  head: ProjectorConfig;
  /** A projector of their own for masked patches (DINOv2 with untied heads); absent: `head` serves both. */
  patchHead?: ProjectorConfig;
  /** Products of 16-bit operands where an engine has them; see runtime/ops/mixedPrecision.ts. */
  mixedPrecision?: boolean;
}

/** The module that masked patches go through. */
export function patchHeadName({ patchHead }: Pick<NetworkConfig, 'patchHead'>): 'head' | 'ibot_head' {
  return patchHead ? 'ibot_head' : 'head';
}

/** One resolution's crops, stacked view by view. */
export interface ViewStack {
  /** [views x B, H, W, 3], normalised, all images of the first view first. */
  images: tf.Tensor4D;
  layout: 'BHWC' | 'BCHW';
  /** Factors of stochastic depth, [depth, 2, views x B]. */
  dropPath_L2B?: tf.Tensor3D;
  /** Which patches are hidden, or looked at; for the stack of the global views. */
  masks?: PatchMasks;
}

/** Masked patches of each image of a stack. */
export interface PatchMasks {
  /** One row per place, holding 1 at the patch that it stands for, or nothing: [I, K, P]. */
  selection_IKP: tf.Tensor3D;
  /** Whether the network sees a mask token there: the student does, the teacher sees the patch. */
  hidden: boolean;
}

/** The selection of places that list patches by number; -1 marks an empty one. */
export function patchSelection(places_IK: tf.Tensor2D, { patches }: { patches: number }): tf.Tensor3D {
  const [images, places] = places_IK.shape;
  const numbers_11P = tf.reshape(tf.range(0, patches, 1, 'float32'), [1, 1, patches]);
  const chosen = tf.equal(tf.reshape(places_IK, [images, places, 1]), numbers_11P);
  return tf.cast(chosen, 'float32') as tf.Tensor3D;
}

export interface NetworkFeatures {
  /** Unit features of every view, [V, B, O]. */
  views_VBO: tf.Tensor3D;
  /** Unit features of the places of the stack with masks, [I, K, O]. */
  places_IKO?: tf.Tensor3D;
  /** Class tokens of the first stack's views before the projector. */
  classes_GBD: tf.Tensor3D;
}

/**
 * Unit features of every view and of masked patches: one pass of the backbone per resolution, the projector once over everything.
 *
 * @param stacks in the order of the views, the global ones first
 */
export function networkFeatures(
  parameters: Parameters,
  stacks: readonly ViewStack[],
  config: NetworkConfig,
  options: { batch: number },
): NetworkFeatures {
  const compute = () => featuresInPrecision(parameters, stacks, config, options);
  return config.mixedPrecision ? mixedPrecision(compute) : compute();
}

function featuresInPrecision(
  parameters: Parameters,
  stacks: readonly ViewStack[],
  { backbone, head, patchHead }: NetworkConfig,
  { batch }: { batch: number },
): NetworkFeatures {
  const backboneParameters = submodule(parameters, 'backbone');
  const passes = stacks.map((stack) => backboneFeatures(backboneParameters, stack, backbone));
  const views = passes.map(({ cls_BD }) => cls_BD);
  const classes_GBD = tf.reshape<tf.Rank.R3>(views[0]!, [-1, batch, backbone.width]);
  const places = passes.find(({ places_IKD }) => places_IKD)?.places_IKD;
  const ofViews = (unit_NO: tf.Tensor2D) => tf.reshape<tf.Rank.R3>(unit_NO, [-1, batch, head.outputDim]);
  const headParameters = submodule(parameters, 'head');
  if (!places) return { views_VBO: ofViews(projector(headParameters, tf.concat(views, 0), head)), classes_GBD };

  const [images, count] = places.shape;
  if (patchHead) {
    const places_NO = projector(submodule(parameters, 'ibot_head'), flatten(places), patchHead);
    return {
      views_VBO: ofViews(projector(headParameters, tf.concat(views, 0), head)),
      places_IKO: tf.reshape(places_NO, [images, count, patchHead.outputDim]),
      classes_GBD,
    };
  }
  const unit_NO = projector(headParameters, tf.concat([...views, flatten(places)], 0), head);
  const viewRows = views.reduce((sum, { shape }) => sum + shape[0], 0);
  const places_NO = tf.slice(unit_NO, [viewRows, 0], [images * count, head.outputDim]);
  return {
    views_VBO: ofViews(tf.slice(unit_NO, [0, 0], [viewRows, head.outputDim])),
    places_IKO: tf.reshape(places_NO, [images, count, head.outputDim]),
    classes_GBD,
  };
}

function backboneFeatures(
  parameters: Parameters,
  { images, masks, ...input }: ViewStack,
  config: VitConfig,
): { cls_BD: tf.Tensor2D; places_IKD?: tf.Tensor3D | undefined } {
  if (!masks) return { cls_BD: vitCls(parameters, images, config, input).cls_BD };
  const { selection_IKP, hidden } = masks;
  const mask = hidden ? { mask_BP: tf.sum<tf.Tensor2D>(selection_IKP, 1) } : {};
  const { tokens_BND } = vitTokens(parameters, images, config, { ...input, ...mask });
  // A product with rows of zeros and one 1 picks patches, and its gradient puts them back, without a scatter.
  return {
    cls_BD: clsToken(tokens_BND),
    places_IKD: tf.matMul(selection_IKP, patchTokens(tokens_BND, config)),
  };
}

function flatten(places_IKD: tf.Tensor3D): tf.Tensor2D {
  return tf.reshape(places_IKD, [-1, places_IKD.shape[2]]);
}

export function networkParameters({ backbone, head, patchHead }: NetworkConfig): ParameterSpec[] {
  return [
    ...prefixed('backbone', vitParameters(backbone)),
    ...prefixed('head', projectorParameters(head)),
    ...(patchHead ? prefixed('ibot_head', projectorParameters(patchHead)) : []),
  ];
}

const interpolations: Record<ResolvedConfig['model']['positionResize'], PositionInterpolation> = {
  plain: { offset: 0.1, antialias: false },
  antialiased: { offset: 0, antialias: true },
};

/** The networks of a configuration. */
export function networkConfig({
  model,
  projector: head,
  crops,
  dino,
  dinov2,
  masking,
}: Pick<ResolvedConfig, 'model' | 'projector' | 'crops' | 'dino' | 'dinov2' | 'masking'>): NetworkConfig {
  const { width, depth, heads, patchSizePx, mlpRatio, feedForward, initStd, registers, layerScale } = model;
  const mlp = {
    inputDim: width,
    hiddenDim: head.hiddenDim,
    outputDim: head.outputDim,
    layers: head.layers,
    initStd,
  };
  return {
    backbone: {
      width,
      depth,
      heads,
      patchSizePx,
      mlpRatio,
      feedForward,
      initStd,
      imageSizePx: model.positionTablePx ?? crops.global.sizePx,
      interpolation: interpolations[model.positionResize],
      registers,
      ...(layerScale === undefined ? {} : { layerScale }),
      maskToken: masking !== undefined,
    },
    head: { ...mlp, ...(dino ? { prototypes: dino.prototypes } : {}) },
    ...(dinov2?.patchHead === 'separate' ? { patchHead: { ...mlp, prototypes: dinov2.patchPrototypes } } : {}),
  };
}
