/**
 * The vision transformer of DINO, DINOv2 and SimDINO, as pure functions of its parameters.
 *
 * Pre-norm blocks, a learned CLS token, learned position embeddings that are resized to other grids, exact GELU. Parameters carry the
 * names and layouts of the authors' state dict, so that their checkpoints load without renaming. Randomness (stochastic depth) enters
 * as an argument; intermediates are returned rather than hooked.
 */
import * as tf from '@tensorflow/tfjs-core';
import { hiddenWidth } from '../../configs/derive.ts';
import { attention, clsAttention } from '../ops/attention.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import { linear } from '../ops/linear.ts';
import { mlp } from '../ops/mlp.ts';
import { patchEmbedding } from '../ops/patchEmbedding.ts';
import { selfAttention } from '../ops/selfAttention.ts';
import { swiglu } from '../ops/swiglu.ts';
import { matrix, nearZero, ones, parameter, vector, weightNormal, zeros } from './parameters.ts';
import type { Initialiser, ParameterSpec, Parameters } from './parameters.ts';
import { positionEmbedding } from './positionEmbedding.ts';
import type { PositionInterpolation } from './positionEmbedding.ts';

export interface VitConfig {
  width: number;
  depth: number;
  heads: number;
  patchSizePx: number;
  mlpRatio: number;
  /** `swiglu` in DINOv2's giant; an MLP unless told. */
  feedForward?: 'mlp' | 'swiglu';
  /** Side of the images that the position table is learned for: the global crop's. */
  imageSizePx: number;
  interpolation: PositionInterpolation;
  /** Standard deviation of the linear layers' initial weights; 0.02 unless told. */
  initStd?: number;
  /** DINOv2's: learned tokens behind the CLS token, without position. */
  registers?: number;
  /** DINOv2's: a learned factor per channel of each residual branch, and the value that it starts at. */
  layerScale?: number;
  /** DINOv2's: a learned token that stands for masked patches. */
  maskToken?: boolean;
}

export interface VitInput {
  layout: 'BHWC' | 'BCHW';
  /** 1 where a patch is hidden from the network, 0 elsewhere; needs a mask token. */
  mask_BP?: tf.Tensor2D;
  /** Factors of stochastic depth, [depth, 2, B]; absent: every branch is kept. */
  dropPath_L2B?: tf.Tensor3D;
}

export interface VitClsOutput {
  /** The CLS token of the last block after the final normalisation. */
  cls_BD: tf.Tensor2D;
  /** What the CLS token of the last block attends to, itself first. */
  clsAttention_BAN: tf.Tensor3D;
}

/**
 * The CLS feature alone. The last block is computed for the CLS query only - its keys and values come from all tokens - which gives
 * the same numbers as `vitTokens` for less work.
 */
export function vitCls(parameters: Parameters, images: tf.Tensor4D, config: VitConfig, input: VitInput): VitClsOutput {
  const last = config.depth - 1;
  let tokens_BND = embed(parameters, images, config, input);
  for (let index = 0; index < last; index++) {
    tokens_BND = transformerBlock(tokens_BND, parameters, index, config, input).tokens_BND;
  }
  const { cls_BD, attention_BAN } = clsBlock(tokens_BND, parameters, last, config, input);
  return { cls_BD: norm(cls_BD, parameters, 'norm') as tf.Tensor2D, clsAttention_BAN: attention_BAN };
}

export interface VitTokensOutput {
  /** Every token of the last block after the final normalisation: CLS, registers, patches in raster order. */
  tokens_BND: tf.Tensor3D;
  intermediates: {
    /** Tokens that enter the first block. */
    embedded_BND: tf.Tensor3D;
    /** Tokens after each block, before the final normalisation. */
    blocks_BND: tf.Tensor3D[];
    /** Attention of the last block, built only when asked for. */
    lastAttention_BANN: () => tf.Tensor4D;
  };
}

/** All tokens and what happened on the way: for evaluations that look at patches, earlier blocks or attention. */
export function vitTokens(
  parameters: Parameters,
  images: tf.Tensor4D,
  config: VitConfig,
  input: VitInput,
): VitTokensOutput {
  const embedded_BND = embed(parameters, images, config, input);
  let state: BlockOutput = { tokens_BND: embedded_BND, attention_BANN: unreachable };
  const blocks_BND: tf.Tensor3D[] = [];
  for (let index = 0; index < config.depth; index++) {
    state = transformerBlock(state.tokens_BND, parameters, index, config, input);
    blocks_BND.push(state.tokens_BND);
  }
  return {
    tokens_BND: finalNorm(parameters, state.tokens_BND),
    intermediates: { embedded_BND, blocks_BND, lastAttention_BANN: state.attention_BANN },
  };
}

/** The final normalisation, for probing the output of an earlier block. */
export function finalNorm<T extends tf.Tensor>(parameters: Parameters, tokens: T): T {
  return norm(tokens, parameters, 'norm') as T;
}

/** The CLS token of a stack of tokens. */
export function clsToken(tokens_BND: tf.Tensor3D): tf.Tensor2D {
  const [batch, , width] = tokens_BND.shape;
  return tf.reshape(tf.slice(tokens_BND, [0, 0, 0], [batch, 1, width]), [batch, width]);
}

/** The patch tokens of a stack of tokens. */
export function patchTokens(tokens_BND: tf.Tensor3D, { registers = 0 }: Pick<VitConfig, 'registers'>): tf.Tensor3D {
  const [batch, tokens, width] = tokens_BND.shape;
  const before = 1 + registers;
  return tf.slice(tokens_BND, [0, before, 0], [batch, tokens - before, width]);
}

/**
 * Names, shapes and initialisation: weights N(0, 0.02^2), biases 0; the patch projection uniform in +- 1/sqrt(fan in). With registers
 * (DINOv2) the CLS token and they start at N(0, 1e-6^2), and the mask token at 0.
 */
export function vitParameters(config: VitConfig): ParameterSpec[] {
  const { width, depth, patchSizePx, imageSizePx, registers = 0, layerScale, maskToken = false } = config;
  const tokens = 1 + Math.floor(imageSizePx / patchSizePx) ** 2;
  const limit = 1 / Math.sqrt(3 * patchSizePx ** 2);
  const fanInUniform = { kind: 'uniform', limit } as const;
  const linearNormal: Initialiser = { kind: 'normal', std: config.initStd ?? weightNormal.std };
  return [
    { name: 'cls_token', shape: [1, 1, width], initialiser: maskToken ? nearZero : weightNormal },
    { name: 'pos_embed', shape: [1, tokens, width], initialiser: weightNormal },
    ...(registers > 0 ? [{ name: 'register_tokens', shape: [1, registers, width], initialiser: nearZero }] : []),
    ...(maskToken ? [{ name: 'mask_token', shape: [1, width], initialiser: zeros }] : []),
    { name: 'patch_embed.proj.weight', shape: [width, 3, patchSizePx, patchSizePx], initialiser: fanInUniform },
    { name: 'patch_embed.proj.bias', shape: [width], initialiser: fanInUniform },
    ...Array.from({ length: depth }, (_, index) => [
      ...normParameters(`blocks.${index}.norm1`, width),
      ...linearParameters(`blocks.${index}.attn.qkv`, width, 3 * width, linearNormal),
      ...linearParameters(`blocks.${index}.attn.proj`, width, width, linearNormal),
      ...scaleParameters(`blocks.${index}.ls1`, width, layerScale),
      ...normParameters(`blocks.${index}.norm2`, width),
      ...feedForwardParameters(`blocks.${index}.mlp`, config, linearNormal),
      ...scaleParameters(`blocks.${index}.ls2`, width, layerScale),
    ]).flat(),
    ...normParameters('norm', width),
  ];
}

function normParameters(name: string, width: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [width], initialiser: ones },
    { name: `${name}.bias`, shape: [width], initialiser: zeros },
  ];
}

function linearParameters(name: string, inputs: number, outputs: number, initialiser: Initialiser): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], initialiser },
    { name: `${name}.bias`, shape: [outputs], initialiser: zeros },
  ];
}

/** Two layers, `fc1` and `fc2`; SwiGLU's first, `w12`, makes gates and values, which `w3` takes back. */
function feedForwardParameters(name: string, config: VitConfig, initialiser: Initialiser): ParameterSpec[] {
  const { width, mlpRatio, feedForward = 'mlp' } = config;
  const hidden = hiddenWidth({ width, mlpRatio, feedForward });
  const [first, second] = feedForward === 'swiglu' ? ['w12', 'w3'] : ['fc1', 'fc2'];
  return [
    ...linearParameters(`${name}.${first}`, width, feedForward === 'swiglu' ? 2 * hidden : hidden, initialiser),
    ...linearParameters(`${name}.${second}`, hidden, width, initialiser),
  ];
}

function scaleParameters(name: string, width: number, start: number | undefined): ParameterSpec[] {
  if (start === undefined) return [];
  return [{ name: `${name}.gamma`, shape: [width], initialiser: { kind: 'constant', value: start } }];
}

/**
 * Pixels to tokens: [CLS, patches in raster order] plus the position embedding, registers in between. A masked patch is replaced
 * before its position is added, so that the network knows where it misses something.
 */
function embed(parameters: Parameters, images: tf.Tensor4D, config: VitConfig, input: VitInput): tf.Tensor3D {
  const { patchSizePx, interpolation, width, registers = 0 } = config;
  const { layout, mask_BP } = input;
  const [batch, first, second, third] = images.shape;
  const [height, breadth] = layout === 'BHWC' ? [first, second] : [second, third];
  const seen_BPD = patchEmbedding(
    images,
    parameter(parameters, 'patch_embed.proj.weight') as tf.Tensor4D,
    vector(parameters, 'patch_embed.proj.bias'),
    { layout },
  );
  const patches_BPD = mask_BP ? masked(seen_BPD, mask_BP, parameters) : seen_BPD;
  const position_1ND = positionEmbedding(parameter(parameters, 'pos_embed') as tf.Tensor3D, {
    rows: Math.floor(height / patchSizePx),
    columns: Math.floor(breadth / patchSizePx),
    interpolation,
  });
  const patches = patches_BPD.shape[1];
  // The CLS token and its position are added once, not once per image.
  const cls_11D = tf.add(parameter(parameters, 'cls_token'), tf.slice(position_1ND, [0, 0, 0], [1, 1, width]));
  const placed_BPD = tf.add(patches_BPD, tf.slice(position_1ND, [0, 1, 0], [1, patches, width]));
  const everyImage = (token_1ND: tf.Tensor) => tf.add(token_1ND, tf.zeros([batch, 1, width]));
  const registers_BRD = registers > 0 ? [everyImage(parameter(parameters, 'register_tokens'))] : [];
  return tf.concat([everyImage(cls_11D), ...registers_BRD, placed_BPD], 1) as tf.Tensor3D;
}

function masked(patches_BPD: tf.Tensor3D, mask_BP: tf.Tensor2D, parameters: Parameters): tf.Tensor3D {
  const [batch, patches] = patches_BPD.shape;
  const mask_BP1 = tf.reshape(mask_BP, [batch, patches, 1]);
  const kept = tf.mul(patches_BPD, tf.sub(1, mask_BP1));
  return tf.add(kept, tf.mul(mask_BP1, parameter(parameters, 'mask_token')));
}

interface BlockOutput {
  tokens_BND: tf.Tensor3D;
  attention_BANN: () => tf.Tensor4D;
}

/** One block, `x += Attention(LN(x)); x += MLP(LN(x))`, from the parameters `blocks.INDEX.*`. */
export function transformerBlock(
  tokens_BND: tf.Tensor3D,
  parameters: Parameters,
  index: number,
  { heads }: Pick<VitConfig, 'heads'>,
  input: Pick<VitInput, 'dropPath_L2B'>,
): BlockOutput {
  const name = `blocks.${index}`;
  const normed_BND = norm(tokens_BND, parameters, `${name}.norm1`) as tf.Tensor3D;
  const attended_BND = selfAttention(
    normed_BND,
    {
      qkvWeight_ZD: matrix(parameters, `${name}.attn.qkv.weight`),
      qkvBias_Z: vector(parameters, `${name}.attn.qkv.bias`),
      outputWeight_DD: matrix(parameters, `${name}.attn.proj.weight`),
      outputBias_D: vector(parameters, `${name}.attn.proj.bias`),
    },
    { heads },
  );
  const middle_BND = residual(
    tokens_BND,
    scaled(attended_BND, parameters, `${name}.ls1`),
    dropFactors(input, index, 0),
  );
  const mixed_BND = feedForward(norm(middle_BND, parameters, `${name}.norm2`), parameters, name);
  return {
    tokens_BND: residual(
      middle_BND,
      scaled(mixed_BND, parameters, `${name}.ls2`),
      dropFactors(input, index, 1),
    ) as tf.Tensor3D,
    attention_BANN: () =>
      attention(project(normed_BND, parameters, `${name}.attn.qkv`) as tf.Tensor3D, { heads }).probabilities_BANN(),
  };
}

/** The same block for its CLS token alone. */
function clsBlock(
  tokens_BND: tf.Tensor3D,
  parameters: Parameters,
  index: number,
  { heads }: VitConfig,
  input: VitInput,
): { cls_BD: tf.Tensor; attention_BAN: tf.Tensor3D } {
  const name = `blocks.${index}`;
  const cls_BD = clsToken(tokens_BND);
  const { output_BD, probabilities_BAN } = clsAttention(
    norm(tokens_BND, parameters, `${name}.norm1`) as tf.Tensor3D,
    matrix(parameters, `${name}.attn.qkv.weight`),
    vector(parameters, `${name}.attn.qkv.bias`),
    { heads },
  );
  const attended_BD = project(output_BD, parameters, `${name}.attn.proj`);
  const middle_BD = residual(cls_BD, scaled(attended_BD, parameters, `${name}.ls1`), dropFactors(input, index, 0));
  const mixed_BD = feedForward(norm(middle_BD, parameters, `${name}.norm2`), parameters, name);
  const final_BD = residual(middle_BD, scaled(mixed_BD, parameters, `${name}.ls2`), dropFactors(input, index, 1));
  return { cls_BD: final_BD, attention_BAN: probabilities_BAN };
}

/** The MLP, or SwiGLU where the block has its parameters. */
function feedForward(x: tf.Tensor, parameters: Parameters, blockName: string): tf.Tensor {
  const layer = (name: string) => ({
    weight: matrix(parameters, `${blockName}.mlp.${name}.weight`),
    bias: vector(parameters, `${blockName}.mlp.${name}.bias`),
  });
  if (`${blockName}.mlp.w12.weight` in parameters) {
    const [gated, out] = [layer('w12'), layer('w3')];
    return swiglu(x, { weight12_HI: gated.weight, bias12_H: gated.bias, weight3_OH: out.weight, bias3_O: out.bias });
  }
  const [first, second] = [layer('fc1'), layer('fc2')];
  return mlp(x, { weight1_HI: first.weight, bias1_H: first.bias, weight2_OH: second.weight, bias2_O: second.bias });
}

/** A residual branch times its LayerScale, where there is one. */
function scaled(branch: tf.Tensor, parameters: Parameters, name: string): tf.Tensor {
  const gamma_D = parameters[`${name}.gamma`];
  return gamma_D ? tf.mul(branch, gamma_D) : branch;
}

/** `x + factor branch`, one factor per sample. */
function residual(x: tf.Tensor, branch: tf.Tensor, factors_B: tf.Tensor | undefined): tf.Tensor {
  if (!factors_B) return tf.add(x, branch);
  const perSample = [x.shape[0], ...x.shape.slice(1).map(() => 1)];
  return tf.add(x, tf.mul(branch, tf.reshape(factors_B, perSample)));
}

function dropFactors(
  { dropPath_L2B }: Pick<VitInput, 'dropPath_L2B'>,
  block: number,
  branch: 0 | 1,
): tf.Tensor | undefined {
  return dropPath_L2B && tf.slice(dropPath_L2B, [block, branch, 0], [1, 1, dropPath_L2B.shape[2]]);
}

function norm(x: tf.Tensor, parameters: Parameters, name: string): tf.Tensor {
  return layerNorm(x, vector(parameters, `${name}.weight`), vector(parameters, `${name}.bias`), {
    epsilon: 1e-6,
  });
}

function project(x: tf.Tensor, parameters: Parameters, name: string): tf.Tensor {
  return linear(x, matrix(parameters, `${name}.weight`), vector(parameters, `${name}.bias`));
}

function unreachable(): never {
  throw new Error('internal: a vision transformer needs at least one block.');
}
