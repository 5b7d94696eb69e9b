/**
 * A network's backbone at work on images of any size, for evaluations that look at patches. It runs in this process: such evaluations are
 * commands of their own.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import type { CompiledStep, StepProgram, TensorSpec, Tensors } from '../engines/engine.ts';
import { selectEngine } from '../engines/selectEngine.ts';
import { linear } from '../ops/linear.ts';
import { normalisePixels } from '../models/imageInput.ts';
import { networkConfig } from '../models/network.ts';
import { matrix, submodule, vector, type Parameters } from '../models/parameters.ts';
import { finalNorm, patchTokens, vitCls, vitParameters, vitTokens, type VitConfig } from '../models/vit.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import { buildTrainStep } from '../trainStep.ts';
import type { PatchGrid } from './maskCut/maskCut.ts';

/**
 * What can be asked of it, all but `attention` after the final norm:
 *
 * - `cls` [B, D], `patches` [B, P, D] of the last block
 * - `blocks` [B, P, n D]: patch tokens of the blocks named, side by side
 * - `attention` [B, A, P]: what the CLS token of the last block attends to, the share of patches of softmax
 * - `keyCosines` [B, P, P]: cosines between the keys of the last block, heads side by side
 */
export type BackboneOutput = 'cls' | 'patches' | 'blocks' | 'attention' | 'keyCosines';

export interface Backbone {
  readonly vit: VitConfig;
  /** Patches of an image. */
  grid(widthPx: number, heightPx: number): PatchGrid;
  /**
   * @param pixels [count, heightPx, widthPx, 3] bytes; the sides are multiples of the patch's
   * @param options.blocks numbers of blocks from 0, for the output `blocks`
   */
  run<Wanted extends BackboneOutput>(
    pixels: Uint8Array,
    size: { count: number; widthPx: number; heightPx: number },
    wanted: readonly Wanted[],
    options?: { blocks?: readonly number[] },
  ): Promise<Record<Wanted, Float32Array>>;
  close(): Promise<void>;
}

/** Opens one network of a checkpoint; without a state, as the seed draws it. */
export async function openBackbone(
  config: ResolvedConfig,
  state: TensorMap | null,
  network: 'teacher' | 'student' = 'teacher',
): Promise<Backbone> {
  const { runtime } = config;
  const { engine } = await selectEngine(runtime.engine, runtime.threads > 0 ? { threads: runtime.threads } : {});
  const { backbone: vit } = networkConfig(config);
  const specs = Object.fromEntries(
    vitParameters(vit).map(({ name, shape }): [string, TensorSpec] => [
      `${network}.backbone.${name}`,
      { shape, dtype: 'float32' },
    ]),
  );
  const drawn = state
    ? null
    : buildTrainStep(config, { stepsPerEpoch: 1, totalSteps: 1, warmupSteps: 0 }).initialState();
  const values = Object.fromEntries(
    Object.keys(specs).map((name) => [name, state ? state.get(name)!.data : drawn![name]!]),
  );
  const held = engine.createState(specs, values);
  const compiled = new Map<string, Promise<CompiledStep>>();
  return {
    vit,
    grid: (widthPx, heightPx) => ({
      rows: Math.floor(heightPx / vit.patchSizePx),
      columns: Math.floor(widthPx / vit.patchSizePx),
    }),
    async run(pixels, { count, widthPx, heightPx }, wanted, { blocks = [] } = {}) {
      const key = [count, widthPx, heightPx, ...wanted, ...blocks].join();
      let step = compiled.get(key);
      if (!step) {
        const program: StepProgram = {
          state: specs,
          updates: [],
          inputs: { images: { shape: [count, heightPx, widthPx, 3], dtype: 'uint8' } },
          run: (tensors, inputs) => {
            const images = normalisePixels(inputs['images'] as tf.Tensor4D, config.data);
            const parameters = submodule(tensors, `${network}.backbone`);
            return { state: {}, outputs: outputsOf(parameters, images, vit, wanted, blocks) };
          },
        };
        step = engine.compile(program);
        compiled.set(key, step);
      }
      return (await (await step).run(held, { images: pixels })) as Record<(typeof wanted)[number], Float32Array>;
    },
    async close() {
      await held.dispose();
      await engine.dispose();
    },
  };
}

function outputsOf(
  parameters: Parameters,
  images: tf.Tensor4D,
  vit: VitConfig,
  wanted: readonly BackboneOutput[],
  blocks: readonly number[],
): Tensors {
  const input = { layout: 'BHWC' } as const;
  const { tokens_BND, intermediates } = vitTokens(parameters, images, vit, input);
  const make: Record<BackboneOutput, () => tf.Tensor> = {
    cls: () => vitCls(parameters, images, vit, input).cls_BD,
    patches: () => patchTokens(tokens_BND, vit),
    blocks: () =>
      tf.concat(
        blocks.map((index) => patchTokens(finalNorm(parameters, intermediates.blocks_BND[index]!), vit)),
        2,
      ),
    attention: () => {
      const attention_BAN = vitCls(parameters, images, vit, input).clsAttention_BAN;
      const [batch, heads, tokens] = attention_BAN.shape;
      const before = 1 + (vit.registers ?? 0);
      return tf.slice(attention_BAN, [0, 0, before], [batch, heads, tokens - before]);
    },
    keyCosines: () => {
      const last = vit.depth - 1;
      const entering_BND = last === 0 ? intermediates.embedded_BND : intermediates.blocks_BND[last - 1]!;
      return cosines(patchTokens(keysOf(entering_BND, parameters, last), vit));
    },
  };
  return Object.fromEntries(wanted.map((name) => [name, make[name]()]));
}

/** Keys of a block for the tokens that enter it, heads side by side. */
function keysOf(tokens_BND: tf.Tensor3D, parameters: Parameters, block: number): tf.Tensor3D {
  const width = tokens_BND.shape[2];
  const name = `blocks.${block}`;
  const normed = layerNorm(
    tokens_BND,
    vector(parameters, `${name}.norm1.weight`),
    vector(parameters, `${name}.norm1.bias`),
    {
      epsilon: 1e-6,
    },
  );
  const weight = tf.slice(matrix(parameters, `${name}.attn.qkv.weight`), [width, 0], [width, width]);
  const bias = tf.slice(vector(parameters, `${name}.attn.qkv.bias`), [width], [width]);
  return linear(normed, weight, bias) as tf.Tensor3D;
}

function cosines(rows_BPD: tf.Tensor3D): tf.Tensor3D {
  const length = tf.sqrt(tf.sum(tf.square(rows_BPD), -1, true));
  const unit = tf.div<tf.Tensor3D>(rows_BPD, tf.maximum(length, 1e-12));
  return tf.matMul(unit, unit, false, true);
}
