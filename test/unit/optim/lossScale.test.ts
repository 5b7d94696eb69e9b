import type * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { lossScaleState, nextLossScale } from '../../../runtime/optim/lossScale.ts';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema } from '../../../configs/schema.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import { numbers } from '../engines/oracle.ts';

async function scalesAfter(gates: readonly number[], start: Record<string, Float32Array> = {}): Promise<number[]> {
  const engine = createOnnxEngine({ threads: 1 });
  const step = await engine.compile({
    state: lossScaleState,
    updates: Object.keys(lossScaleState),
    inputs: { gate: { shape: [], dtype: 'float32' } },
    run: (state, { gate }) => {
      const next = nextLossScale(state, gate as tf.Scalar);
      return { state: next, outputs: { scale: next['lossScale.value']! } };
    },
  });
  const state = engine.createState(lossScaleState, start);
  const scales: number[] = [];
  for (const gate of gates) scales.push((await step.run(state, { gate: Float32Array.of(gate) }))['scale']![0]!);
  await engine.dispose();
  return scales;
}

test('starts at 65536, halves on overflow, doubles after 2000 updates in a row', async () => {
  expect(await scalesAfter([1, 0, 0, 1])).toEqual([65536, 32768, 16384, 16384]);
  const almost = { 'lossScale.value': Float32Array.of(1024), 'lossScale.steps': Float32Array.of(1999) };
  expect(await scalesAfter([1, 1], almost)).toEqual([2048, 2048]);
  expect(await scalesAfter([0, 1], almost)).toEqual([512, 512]);
});

test('a scaled loss trains as an unscaled one, whole or in micro-batches', async () => {
  // The CPU engine computes both in single precision: what is left of mixed precision is its scale, a power of two.
  const [single, mixed] = ['float32', 'float16'].map((precision) =>
    buildTrainStep(
      resolveConfig(
        configSchema.parse({
          method: 'simdino',
          data: { kind: 'synthetic' },
          crops: { global: { sizePx: 16 }, local: { count: 1, sizePx: 8 } },
          model: { architecture: 'custom', width: 16, depth: 2, heads: 2, patchSizePx: 8, dropPathRate: 0 },
          projector: { hiddenDim: 16, outputDim: 8 },
          train: { batchSize: 4 },
          runtime: { precision },
        }),
      ),
      { stepsPerEpoch: 2, totalSteps: 4, warmupSteps: 1 },
    ),
  );
  const crops = Object.fromEntries(
    ['globalCrops', 'localCrops'].map((name, index) => {
      const size = single!.program.inputs[name]!.shape.reduce((a, b) => a * b, 1);
      return [name, Uint8Array.from(numbers(size, index + 1), (x) => 127.5 * (x + 1))];
    }),
  );
  const engine = createOnnxEngine({ threads: 1 });
  type Values = Record<string, ArrayLike<number>>;
  const whole = async (step: typeof single): Promise<Values> => {
    const program = step!.program;
    const state = engine.createState(program.state, step!.initialState());
    const compiled = await engine.compile(program);
    for (const index of [0, 1]) await compiled.run(state, { ...crops, ...step!.inputsAt(index) });
    return state.read();
  };
  const divided = async (step: typeof single): Promise<Values> => {
    const { scratch, programs, step: composed } = step!.inMicroBatches(2);
    const state = engine.createState({ ...step!.program.state, ...scratch }, step!.initialState());
    const compiled = new Map<string, Awaited<ReturnType<typeof engine.compile>>>();
    for (const [name, program] of Object.entries(programs)) compiled.set(name, await engine.compile(program));
    const run = (name: string, given: Parameters<typeof composed.run>[0]) => compiled.get(name)!.run(state, given);
    for (const index of [0, 1]) await composed.run({ ...crops, ...step!.inputsAt(index) }, run);
    return state.read();
  };
  const expected = await whole(single);
  for (const [found, tolerance] of [
    [await whole(mixed), 1e-6],
    [await divided(mixed), 1e-5],
  ] as const) {
    expect(found['lossScale.value']![0]).toBe(65536);
    for (const [name, values] of Object.entries(expected)) {
      const differences = Array.from(values, (value, at) => Math.abs(value - found[name]![at]!));
      expect(Math.max(...differences), name).toBeLessThan(tolerance);
    }
  }
  await engine.dispose();
});
