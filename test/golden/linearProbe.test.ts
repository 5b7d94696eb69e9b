import type * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { buildLinearProbePrograms, probeInput, type ProbeInput } from '../../runtime/eval/linearProbeStep.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, engine, precisions, toArray } from './compute.ts';
import { golden } from './reference.ts';

interface Reference {
  lr: number;
  momentum: number;
  weight_decay: number;
  epochs: number;
  batch: number;
  features: ReferenceTensor;
  labels: ReferenceTensor;
  weight0: ReferenceTensor;
  bias0: ReferenceTensor;
  assembly: { tokens_per_block: ReferenceTensor[]; outputs_f64: Record<string, ReferenceTensor> };
  f64: {
    losses: ReferenceTensor;
    lr_per_epoch: ReferenceTensor;
    final_weight: ReferenceTensor;
    final_bias: ReferenceTensor;
    acc1: number;
  };
}

golden<Reference>('linear_probe', (reference) => {
  const { features, labels, weight0, bias0, batch, epochs, momentum, f64 } = reference;
  const [images, width] = features.shape as [number, number];
  const classes = weight0.shape[0]!;
  const transposed = ({ shape: [rows, columns], data }: ReferenceTensor) =>
    Array.from({ length: data.length }, (_, at) => data[(at % rows!) * columns! + Math.floor(at / rows!)]!);

  for (const precision of precisions) {
    it(`trains as the authors do, ${precision}`, async () => {
      const { state: specs, programs } = buildLinearProbePrograms({
        width,
        storedBlocks: 1,
        classes,
        batch,
        inputs: [{ blocks: 1, pooling: 'cls' }],
        rates: 1,
        momentum,
        weightDecay: reference.weight_decay,
      });
      const train = await engine.compile(programs['train']!, { precision });
      const predict = await engine.compile(programs['predict']!, { precision });
      const values = { '0.weight': toArray(transposed(weight0), precision), '0.bias': toArray(bias0.data, precision) };
      const state = engine.createState(specs, values, { precision });
      const rowsFrom = (start: number) => {
        // Behind the CLS token stands a mean patch token, which this classifier does not see.
        const rows = Array.from({ length: batch }, (_, row) => [
          ...features.data.slice((start + row) * width, (start + row + 1) * width),
          ...new Array<number>(width).fill(7),
        ]).flat();
        return {
          features: toArray(rows, precision),
          labels: toArray(labels.data.slice(start, start + batch), precision),
        };
      };
      const losses: number[] = [];
      for (let epoch = 0; epoch < epochs; epoch++) {
        const rate = (reference.lr * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
        expect(rate).toBeCloseTo(f64.lr_per_epoch.data[epoch]!, 12);
        for (let start = 0; start < images; start += batch) {
          const rates = toArray([rate], precision);
          losses.push(Number((await train.run(state, { ...rowsFrom(start), rates }))['losses']![0]));
        }
      }
      const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
      expectClose('losses', losses, f64.losses, tolerance);
      const final = await state.read(['0.weight', '0.bias']);
      expectClose('weight', final['0.weight']!, transposed(f64.final_weight), tolerance);
      expectClose('bias', final['0.bias']!, f64.final_bias, tolerance);
      let correct = 0;
      for (let start = 0; start < images; start += batch) {
        const counted = toArray(new Array<number>(batch).fill(1), precision);
        correct += Number((await predict.run(state, { ...rowsFrom(start), counted }))['top1']![0]);
      }
      expect((100 * correct) / images).toBeCloseTo(f64.acc1, 4);
    });
  }

  const { tokens_per_block: blocks, outputs_f64: outputs } = reference.assembly;
  for (const [name, expected] of Object.entries(outputs)) {
    it(`assembles ${name}`, async () => {
      const [, count, pooled] = /_n(\d)_avg(\d)/.exec(name)!;
      const input: ProbeInput = { blocks: Number(count), pooling: pooled === '1' ? 'clsAndMean' : 'cls' };
      const [rows, tokens, channels] = blocks[0]!.shape as [number, number, number];
      const stored = Array.from({ length: rows }, (_, row) => {
        const token = (block: ReferenceTensor, index: number) =>
          block.data.slice((row * tokens + index) * channels, (row * tokens + index + 1) * channels);
        const patches = Array.from({ length: tokens - 1 }, (_, index) => token(blocks.at(-1)!, index + 1));
        const mean = patches[0]!.map((_, at) => patches.reduce((sum, patch) => sum + patch[at]!, 0) / patches.length);
        return [...blocks.flatMap((block) => token(block, 0)), ...mean];
      });
      const { assembled } = await compute(
        precisions[0]!,
        { stored: { shape: [rows, stored[0]!.length], data: stored.flat() } },
        ({ stored: features }) => ({
          assembled: probeInput(features as tf.Tensor2D, input, { storedBlocks: blocks.length, width: channels }),
        }),
      );
      // DINO's first protocol alternates the elements of the two tokens: the same classifier with its weights in another order.
      const ordered = name.endsWith('interleaved')
        ? Array.from(assembled!, (_, at) => {
            const row = Math.floor(at / (2 * channels)) * 2 * channels;
            return assembled![row + ((at - row) % 2) * channels + Math.floor((at - row) / 2)]!;
          })
        : assembled!;
      expectClose(name, ordered, expected, tolerances.double);
    });
  }
});
