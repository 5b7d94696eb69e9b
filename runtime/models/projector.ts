/**
 * The head between backbone and loss: linear layers with GELU between them, then rows of unit length. SimDINO and SimDINOv2 end
 * there; DINO and DINOv2 go on with a weight-normalised layer of prototypes.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gelu } from '../ops/gelu.ts';
import { l2Normalise } from '../ops/l2Normalise.ts';
import { linear } from '../ops/linear.ts';
import { matrix, ones, vector, weightNormal, zeros } from './parameters.ts';
import type { Initialiser, ParameterSpec, Parameters } from './parameters.ts';

export interface ProjectorConfig {
  /** Width of the features that come in. */
  inputDim: number;
  hiddenDim: number;
  /** Dimension d of the unit vectors that come out. */
  outputDim: number;
  layers: number;
  /** Batch normalisation (of the batch at hand) before each GELU: an option of the authors' v1 tree, off in every recipe. */
  batchNorm?: boolean;
  /** Standard deviation of the layers' initial weights; 0.02 unless told. Prototypes don't follow it. */
  initStd?: number;
  /** Prototypes K of the weight-normalised layer after the unit vectors; absent: no such layer. */
  prototypes?: number;
}

const batchNormEpsilon = 1e-5;
const unitEpsilon = 1e-12;

/** Features to unit vectors, `z = MLP(x) / max(|MLP(x)|, 1e-12)`; [N, inputDim] to [N, outputDim]. */
export function projector(parameters: Parameters, features_ND: tf.Tensor2D, config: ProjectorConfig): tf.Tensor2D {
  let x: tf.Tensor = features_ND;
  for (const [index, layer] of layers(config).entries()) {
    x = linear(x, matrix(parameters, `${layer.name}.weight`), vector(parameters, `${layer.name}.bias`));
    if (index === config.layers - 1) break;
    if (layer.normName) x = batchNorm(x as tf.Tensor2D, parameters, layer.normName);
    x = gelu(x);
  }
  return l2Normalise(x as tf.Tensor2D, { epsilon: unitEpsilon });
}

/**
 * Scores of unit vectors against K prototypes, `z . g_k v_k / |v_k|`, without bias.
 *
 * @param unit what `projector` returns, [..., O]
 * @returns [..., K]
 */
export function prototypeScores(parameters: Parameters, unit: tf.Tensor): tf.Tensor {
  const direction_KO = matrix(parameters, 'last_layer.weight_v');
  const magnitude_K1 = matrix(parameters, 'last_layer.weight_g');
  const norm_K1 = tf.sqrt(tf.sum(tf.square(direction_KO), 1, true));
  const weight_KO = tf.mul(direction_KO, tf.div(magnitude_K1, norm_K1));
  return linear(unit, weight_KO as tf.Tensor2D);
}

/** Names as in the authors' `nn.Sequential`: `mlp.0`, `mlp.2`, `mlp.4`; `mlp` alone for a single layer. */
export function projectorParameters(config: ProjectorConfig): ParameterSpec[] {
  const initialiser: Initialiser = { kind: 'normal', std: config.initStd ?? weightNormal.std };
  const mlp = layers(config).flatMap(({ name, normName, inputs, outputs }): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [outputs, inputs], initialiser },
    { name: `${name}.bias`, shape: [outputs], initialiser: zeros },
    ...(normName
      ? [
          { name: `${normName}.weight`, shape: [outputs], initialiser: ones },
          { name: `${normName}.bias`, shape: [outputs], initialiser: zeros },
        ]
      : []),
  ]);
  if (config.prototypes === undefined) return mlp;
  const { prototypes, outputDim } = config;
  return [
    ...mlp,
    { name: 'last_layer.weight_g', shape: [prototypes, 1], initialiser: ones },
    // The authors' heads make this layer after their own initialisation has passed: it keeps PyTorch's of a linear layer.
    {
      name: 'last_layer.weight_v',
      shape: [prototypes, outputDim],
      initialiser: { kind: 'uniform', limit: 1 / Math.sqrt(outputDim) },
    },
  ];
}

interface Layer {
  name: string;
  /** Name of the batch normalisation behind it, where there is one. */
  normName?: string;
  inputs: number;
  outputs: number;
}

function layers({ inputDim, hiddenDim, outputDim, layers: count, batchNorm }: ProjectorConfig): Layer[] {
  if (count === 1) return [{ name: 'mlp', inputs: inputDim, outputs: outputDim }];
  const stride = batchNorm ? 3 : 2;
  return Array.from({ length: count }, (_, index) => {
    const last = index === count - 1;
    return {
      name: `mlp.${index * stride}`,
      ...(batchNorm && !last ? { normName: `mlp.${index * stride + 1}` } : {}),
      inputs: index === 0 ? inputDim : hiddenDim,
      outputs: last ? outputDim : hiddenDim,
    };
  });
}

/** With the statistics of this batch, as in training; the variance is biased. */
function batchNorm(x_NH: tf.Tensor2D, parameters: Parameters, name: string): tf.Tensor {
  const centred = tf.sub(x_NH, tf.mean(x_NH, 0, true));
  const variance = tf.mean(tf.square(centred), 0, true);
  const normalised = tf.mul(centred, tf.rsqrt(tf.add(variance, batchNormEpsilon)));
  return tf.add(tf.mul(normalised, vector(parameters, `${name}.weight`)), vector(parameters, `${name}.bias`));
}
