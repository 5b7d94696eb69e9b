/**
 * The conformance suite's second half; the first is the golden suite, run on each engine. Here engines are held against the CPU's in double
 * precision over a whole training: student, teacher, objective, AdamW and teacher's average, step by step.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../configs/resolve.ts';
import { configSchema } from '../../configs/schema.ts';
import type { Engine, Precision, TypedArray } from '../../runtime/engines/engine.ts';
import { createWebGpuEngine } from '../../runtime/engines/onnx/webgpuEngine.ts';
import { buildTrainStep } from '../../runtime/trainStep.ts';
import { engineOfTests, testedEngine } from './testedEngine.ts';

/** A GPU played by the processor takes a second for a step: it takes fewer. */
const steps = Number(process.env['SIMDINO_CONFORMANCE_STEPS'] ?? 100);

/**
 * The loss may differ by this from the one in double precision. Rounding errors of 6e-8 pass through AdamW, whose first steps divide a
 * gradient by its own size: weights with next to no gradient then move by rounding alone, and losses part by a few 1e-6 a step. A wrong
 * formula shows in the third digit.
 */
const lossTolerance = (step: number) => 5e-5 + 1e-5 * step;

const trainStep = buildTrainStep(
  resolveConfig(
    configSchema.parse({
      method: 'simdino',
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 16 }, local: { count: 1, sizePx: 8 } },
      model: { architecture: 'custom', width: 16, depth: 1, heads: 2, patchSizePx: 8, dropPathRate: 0 },
      projector: { hiddenDim: 16, outputDim: 8 },
      train: { batchSize: 4 },
      teacher: { momentum: 0.95 },
      optim: { lr: 0.01 },
    }),
  ),
  { stepsPerEpoch: 10, totalSteps: 200, warmupSteps: 10 },
);

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

describe(`${testedEngine} follows the CPU engine in double precision`, () => {
  test(`loss by loss over ${steps} steps`, { timeout: 600_000 }, async () => {
    const reference = await losses(await engineOfTests('onnx'), 'float64');
    const followed = await losses(await engineOfTests(), 'float32');
    // It must be a training, not a standstill.
    expect(Math.abs(reference.at(-1)! - reference[0]!)).toBeGreaterThan(0.01);
    reference.forEach((loss, step) => {
      expect(Math.abs(followed[step]! - loss), `step ${step}: ${followed[step]} and ${loss}`).toBeLessThan(
        lossTolerance(step),
      );
    });
  });

  test('and gives the same bits twice', { timeout: 600_000 }, async () => {
    const engine = await engineOfTests();
    const count = Math.min(steps, 10);
    expect(await losses(engine, 'float32', count)).toEqual(await losses(engine, 'float32', count));
  });

  if (testedEngine === 'webgpu') {
    test('refuses an array beyond what the GPU addresses, and says what to set', async () => {
      const engine = createWebGpuEngine({ adapter: 'a small GPU', maxBindingBytes: 1000 });
      await expect(engine.compile(trainStep.program)).rejects.toThrow(
        /a small GPU addresses at most .* Set runtime\.microBatch/,
      );
      await engine.dispose();
    });
  }

  test('state written is the state read', async () => {
    const engine = await engineOfTests();
    engines.push(engine);
    const initial = trainStep.initialState();
    const state = engine.createState(trainStep.program.state, initial);
    const step = await engine.compile(trainStep.program);
    await step.run(state, inputsAt(0));
    const name = 'student.backbone.cls_token';
    const moved = (await state.read([name]))[name]!;
    const given = Float32Array.from(moved, (value) => value + 1);
    await state.write({ [name]: given });
    expect((await state.read([name]))[name]).toEqual(given);
    await step.run(state, inputsAt(1));
    const after = (await state.read([name]))[name]!;
    after.forEach((value, index) => expect(Math.abs(value - given[index]!)).toBeLessThan(0.1));
  });
});

async function losses(engine: Engine, precision: Precision, count = steps): Promise<number[]> {
  if (!engines.includes(engine)) engines.push(engine);
  const state = engine.createState(trainStep.program.state, trainStep.initialState(), { precision });
  const step = await engine.compile(trainStep.program, { precision });
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    const outputs = await step.run(state, inputsAt(index));
    expect(outputs['updated']![0]).toBe(1);
    found.push(outputs['loss']![0]!);
  }
  await step.dispose();
  await state.dispose();
  return found;
}

/** Other noise at every step, the same on every engine. */
function inputsAt(index: number): Record<string, TypedArray> {
  let state = index + 1;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const crops = Object.entries(trainStep.program.inputs).filter(([, { dtype }]) => dtype === 'uint8');
  return {
    ...Object.fromEntries(
      crops.map(([name, { shape }]) => [name, Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, noise)]),
    ),
    ...trainStep.inputsAt(index),
  };
}
