import { afterAll, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ConfigInput, type ResolvedConfig } from '../../../configs/schema.ts';
import { putPart, takePart } from '../../../runtime/batchParts.ts';
import type { CompiledStep } from '../../../runtime/engines/engine.ts';
import type { Arrays } from '../../../runtime/engines/executor/messages.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { trainPrograms } from '../../../runtime/trainPrograms.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';

const engine = createOnnxEngine({ threads: 1 });
afterAll(() => engine.dispose());

const totals = { stepsPerEpoch: 4, totalSteps: 40, warmupSteps: 0 };
const model = { architecture: 'custom', width: 16, depth: 2, heads: 2, patchSizePx: 8 } as const;

function configOf(more: Partial<ConfigInput>, microBatch?: number): ResolvedConfig {
  return resolveConfig(
    configSchema.parse({
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 16 }, local: { count: 2, sizePx: 8 } },
      model,
      projector: { hiddenDim: 24, outputDim: 12 },
      train: { batchSize: 12 },
      teacher: { momentum: 0.9 },
      ...more,
      runtime: microBatch === undefined ? {} : { microBatch },
    }),
  );
}

/** State and outputs after some steps, in double precision. */
async function trained(config: ResolvedConfig, { steps = 2 } = {}) {
  const step = buildTrainStep(config, totals);
  const set = trainPrograms(step, config, { reductions: 0 })!;
  const state = engine.createState({ ...step.program.state, ...set.scratch }, step.initialState(), {
    precision: 'float64',
  });
  const compiled = new Map<string, CompiledStep>();
  for (const [name, program] of Object.entries(set.programs))
    compiled.set(name, await engine.compile(program, { precision: 'float64' }));
  const run = (name: string, inputs: Arrays) => compiled.get(name)!.run(state, inputs);

  const outputs: Arrays[] = [];
  for (let index = 0; index < steps; index++) {
    const inputs = { ...images(step.program.inputs, index), ...step.inputsAt(index) };
    const composed = set.composed?.['train'];
    outputs.push(composed ? await composed.run(inputs, run) : await run('train', inputs));
  }
  const values = await state.read(Object.keys(step.program.state));
  for (const each of compiled.values()) await each.dispose();
  return { outputs, values, programs: Object.keys(set.programs) };
}

function images(specs: Readonly<Record<string, { shape: readonly number[]; dtype: string }>>, seed: number): Arrays {
  let state = seed + 1;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const crops = Object.entries(specs).filter(([, { dtype }]) => dtype === 'uint8');
  return Object.fromEntries(
    crops.map(([name, { shape }]) => [name, Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, noise)]),
  );
}

function worstDifference(a: Arrays, b: Arrays): number {
  let worst = 0;
  for (const name of Object.keys(a)) {
    expect(b[name], name).toHaveLength(a[name]!.length);
    a[name]!.forEach((value, index) => {
      const difference = Math.abs(value - b[name]![index]!);
      worst = difference <= worst ? worst : difference;
    });
  }
  return worst;
}

describe('micro-batches take the step of the whole batch', () => {
  const methods: Record<string, Partial<ConfigInput>> = {
    simdino: { method: 'simdino' },
    'simdino with groups and stochastic depth': {
      method: 'simdino',
      loss: { codingRate: { groups: 3 } },
      model: { ...model, dropPathRate: 0.3 },
    },
    simdinov2: { method: 'simdinov2' },
    dino: { method: 'dino', dino: { prototypes: 20, freezePrototypesEpochs: 0 } },
    'dinov2 with untied heads': {
      method: 'dinov2',
      dino: { prototypes: 20, freezePrototypesEpochs: 0 },
      dinov2: { centering: 'sinkhornKnopp', patchHead: 'separate', patchPrototypes: 9 },
    },
  };

  test.each(Object.keys(methods))('%s', { timeout: 120_000 }, async (name) => {
    const whole = await trained(configOf(methods[name]!));
    const parts = await trained(configOf(methods[name]!, 4));
    expect(whole.programs).toEqual(['train']);
    expect(parts.programs).toEqual(['embed', 'objective', 'accumulate', 'apply']);
    whole.outputs.forEach((outputs, index) => {
      expect(Object.keys(parts.outputs[index]!).sort()).toEqual(Object.keys(outputs).sort());
      expect(worstDifference(outputs, parts.outputs[index]!)).toBeLessThan(1e-10);
    });
    // Adam divides by the root of a mean square: a gradient of 0 but for rounding moves a weight by the whole rate.
    expect(worstDifference(whole.values, parts.values)).toBeLessThan(1e-6);
  });
});

test('a batch is divided evenly, and ever further while a device is too small', () => {
  const config = configOf({}, 5);
  const step = buildTrainStep(config, totals);
  const notes = [0, 1, 2, 3].map((reductions) => trainPrograms(step, config, { reductions })?.note);
  expect(notes).toEqual([
    '4 of 12 images at a time',
    '2 of 12 images at a time',
    '1 of 12 images at a time',
    undefined,
  ]);
  expect(trainPrograms(step, configOf({}), { reductions: 0 })?.note).toBeUndefined();
});

test('parts of an array are put back where they were taken', () => {
  // Two views of four images in the middle axis.
  const spec = { shape: [2, 8, 3], dtype: 'float32' } as const;
  const axis = { axis: 1, views: 2 };
  const values = Float32Array.from({ length: 48 }, (_, index) => index);
  const part = takePart(values, spec, axis, { first: 1, count: 2 });
  expect([...part.slice(0, 6)]).toEqual([3, 4, 5, 6, 7, 8]);
  expect([...part.slice(6, 12)]).toEqual([15, 16, 17, 18, 19, 20]);
  const back = new Float32Array(48);
  for (const first of [0, 2])
    putPart(back, spec, axis, { first, count: 2 }, takePart(values, spec, axis, { first, count: 2 }));
  expect(back).toEqual(values);
});
