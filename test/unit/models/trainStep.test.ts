import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import type { ConfigInput } from '../../../configs/schema.ts';
import { resolveConfig } from '../../../configs/resolve.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import type { CompiledStep, EngineState, Tensors, TypedArray } from '../../../runtime/engines/engine.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { buildFeatureProgram } from '../../../runtime/featureStep.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import type { TrainStep } from '../../../runtime/trainStep.ts';

const engine = createOnnxEngine({ threads: 1 });
const totals = { stepsPerEpoch: 4, totalSteps: 20, warmupSteps: 2 };

const small: ConfigInput = {
  data: { kind: 'synthetic' },
  crops: { global: { sizePx: 16 }, local: { count: 2, sizePx: 8 } },
  model: { architecture: 'custom', width: 12, depth: 2, heads: 2, patchSizePx: 4, dropPathRate: 0.2 },
  projector: { hiddenDim: 16, outputDim: 8 },
  teacher: { momentum: 0.9 },
  optim: { lr: 0.1 },
  train: { batchSize: 8, epochs: 1 },
};
const resolved = (changes: ConfigInput | object = {}) => resolveConfig(configSchema.parse({ ...small, ...changes }));

/** The same crops for the same step. */
function cropsAt(step: number): Record<string, Uint8Array> {
  const stream = randomStream({ seed: 11, purpose: 'synthetic', epoch: step });
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => stream.integer(256));
  return { globalCrops: bytes(2 * 8 * 16 * 16 * 3), localCrops: bytes(2 * 8 * 8 * 8 * 3) };
}

/** Eight images that differ in which channels are bright; every view of an image has the same. */
function patterns(views: number, sizePx: number): Uint8Array {
  const values = sizePx * sizePx * 3;
  return Uint8Array.from({ length: views * 8 * values }, (_, at) => {
    const image = Math.floor(at / values) % 8;
    return ((image >> (at % 3)) & 1) * 200 + ((at * 37) % 50);
  });
}

async function start(step: TrainStep, values = step.initialState()) {
  const compiled = await engine.compile(step.program);
  const state = engine.createState(step.program.state, values);
  return { compiled, state };
}

async function take(step: TrainStep, run: { compiled: CompiledStep; state: EngineState }, from: number, to: number) {
  const losses: number[] = [];
  for (let at = from; at < to; at++) {
    const outputs = await run.compiled.run(run.state, { ...cropsAt(at), ...step.inputsAt(at) });
    losses.push(outputs['loss']![0]!);
  }
  return losses;
}

const arrays = (state: Record<string, TypedArray>) =>
  Object.fromEntries(Object.entries(state).map(([name, data]) => [name, Array.from(data)]));

describe('the training step', () => {
  it('learns: on images that differ, the loss falls and the coding rate grows', async () => {
    const step = buildTrainStep(resolved({ seed: 1, optim: { lr: 0.05, warmupEpochs: 0 } }), totals);
    const run = await start(step);
    const crops = { globalCrops: patterns(2, 16), localCrops: patterns(2, 8) };
    const lines: { loss: number; codingRate: number }[] = [];
    for (let at = 0; at < 40; at++) {
      const { loss, codingRate } = await run.compiled.run(run.state, { ...crops, ...step.inputsAt(at) });
      lines.push({ loss: loss![0]!, codingRate: codingRate![0]! });
    }
    // The first steps bring the untrained features, which differ by little, together; then they are spread out.
    const [together, spread] = [lines[3]!, lines.at(-1)!];
    expect(spread.loss).toBeLessThan(together.loss - 0.3);
    expect(spread.codingRate).toBeGreaterThan(1.4 * together.codingRate);
    expect(spread.codingRate).toBeLessThan(step.constants.codingRateMax);
  });

  it('takes the same steps after a stop as without one, bit for bit', async () => {
    const step = buildTrainStep(resolved(), totals);
    const whole = await start(step);
    const uninterrupted = await take(step, whole, 0, 6);

    const before = await start(step);
    const first = await take(step, before, 0, 3);
    const saved = (await before.state.read()) as Record<string, Float32Array>;
    const after = await start(buildTrainStep(resolved(), totals), saved);
    const second = await take(step, after, 3, 6);

    expect([...first, ...second]).toEqual(uninterrupted);
    expect(arrays(await after.state.read())).toEqual(arrays(await whole.state.read()));
  });

  it('starts from the seed, with the teacher a copy of the student', () => {
    const one = buildTrainStep(resolved({ seed: 5 }), totals).initialState();
    const again = buildTrainStep(resolved({ seed: 5 }), totals).initialState();
    const other = buildTrainStep(resolved({ seed: 6 }), totals).initialState();
    expect(again).toEqual(one);
    expect(other['student.backbone.cls_token']).not.toEqual(one['student.backbone.cls_token']);
    expect(one['teacher.backbone.cls_token']).toEqual(one['student.backbone.cls_token']);
    expect(one['teacher.backbone.cls_token']).not.toBe(one['student.backbone.cls_token']);
  });

  it('changes nothing, to the bit, when the loss is not finite', async () => {
    const step = buildTrainStep(resolved(), totals);
    const run = await start(step);
    await take(step, run, 0, 3);
    const poisoned = (await run.state.read()) as Record<string, Float32Array>;
    // Finite itself, but its products are not.
    poisoned['student.backbone.blocks.0.mlp.fc1.weight']!.fill(3e38);
    await run.state.write(poisoned);
    const outputs = await run.compiled.run(run.state, { ...cropsAt(3), ...step.inputsAt(3) });
    expect(outputs['loss']![0]).toBeNaN();
    expect(outputs['updated']![0]).toBe(0);
    expect(arrays(await run.state.read())).toEqual(arrays(poisoned));
  });

  it('says 1 when it updates, and every tensor of both networks moves', async () => {
    const step = buildTrainStep(resolved(), totals);
    const run = await start(step);
    const before = step.initialState();
    const outputs = await run.compiled.run(run.state, { ...cropsAt(1), ...step.inputsAt(1) });
    expect(outputs['updated']![0]).toBe(1);
    expect(outputs['gradientNorms']!.length).toBe(step.parameterNames.length);
    const norms = Array.from(outputs['gradientNorms']!);
    expect(outputs['gradientNorm']![0]).toBeCloseTo(Math.hypot(...norms), 4);
    const after = await run.state.read();
    for (const name of step.parameterNames) {
      expect(after[`student.${name}`], name).not.toEqual(before[`student.${name}`]);
      expect(after[`teacher.${name}`], name).not.toEqual(before[`teacher.${name}`]);
    }
  });

  it('without self-distillation the teacher is the student after every step', async () => {
    const step = buildTrainStep(resolved({ teacher: { update: 'student' } }), totals);
    const run = await start(step);
    await take(step, run, 0, 2);
    const state = await run.state.read();
    for (const name of step.parameterNames) expect(state[`teacher.${name}`]).toEqual(state[`student.${name}`]);
  });

  it('runs without local views, and without stochastic depth', async () => {
    const step = buildTrainStep(
      resolved({
        crops: { global: { sizePx: 16 }, local: { count: 0, sizePx: 8 } },
        model: { ...small.model, dropPathRate: 0 },
      }),
      totals,
    );
    expect(Object.keys(step.program.inputs)).not.toContain('localCrops');
    expect(Object.keys(step.inputsAt(0))).not.toContain('globalDropPath');
    const run = await start(step);
    const outputs = await run.compiled.run(run.state, {
      globalCrops: cropsAt(0)['globalCrops']!,
      ...step.inputsAt(0),
    });
    expect(outputs['loss']![0]).toBeTypeOf('number');
    expect(Number.isFinite(outputs['loss']![0])).toBe(true);
  });

  it('agrees with tfjs run eagerly, and leaves no tensor behind', async () => {
    const step = buildTrainStep(resolved(), totals);
    const run = await start(step);
    const expected = await run.compiled.run(run.state, { ...cropsAt(2), ...step.inputsAt(2) });

    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    const inputs = Object.entries({ ...cropsAt(2), ...step.inputsAt(2) });
    const { loss, gradientNorm } = eagerly(step, Object.fromEntries(inputs));
    expect(tf.memory().numTensors).toBe(before);
    expect(loss).toBeCloseTo(expected['loss']![0]!, 5);
    expect(gradientNorm / expected['gradientNorm']![0]!).toBeCloseTo(1, 3);
  });
});

describe('the training step of DINO', () => {
  const dino = (changes: object = {}) =>
    resolved({
      method: 'dino',
      dino: { prototypes: 10, freezePrototypesEpochs: 1, teacherTemperatureWarmupEpochs: 3, ...changes },
    });
  const direction = 'head.last_layer.weight_v';
  const magnitude = 'head.last_layer.weight_g';

  it('trains the prototypes from the second epoch on, never their norm, and carries a centre', async () => {
    const step = buildTrainStep(dino(), totals);
    expect(step.parameterNames).toContain(direction);
    expect(step.parameterNames).not.toContain(magnitude);
    const run = await start(step);
    const initial = await run.state.read();
    await take(step, run, 0, 4);
    const afterFirstEpoch = await run.state.read();
    expect(afterFirstEpoch[`student.${direction}`]).toEqual(initial[`student.${direction}`]);
    expect(afterFirstEpoch[`adam.first.${direction}`]).toEqual(initial[`adam.first.${direction}`]);
    expect(afterFirstEpoch['student.head.mlp.0.weight']).not.toEqual(initial['student.head.mlp.0.weight']);
    expect(afterFirstEpoch['objective.center']).not.toEqual(initial['objective.center']);
    await take(step, run, 4, 6);
    const later = await run.state.read();
    expect(later[`student.${direction}`]).not.toEqual(initial[`student.${direction}`]);
    expect(later[`student.${magnitude}`]).toEqual(initial[`student.${magnitude}`]);
    expect(later[`teacher.${magnitude}`]).toEqual(initial[`teacher.${magnitude}`]);
  });

  it('trains the norm of the prototypes where asked to', async () => {
    const step = buildTrainStep(dino({ prototypeNorm: 'trained', freezePrototypesEpochs: 0 }), totals);
    const run = await start(step);
    await take(step, run, 0, 3);
    const later = await run.state.read();
    expect(new Set(later[`student.${magnitude}`]).size).toBeGreaterThan(1);
  });

  it('measures what SimDINO runs measure, and the teacher\u2019s entropy', async () => {
    const step = buildTrainStep(dino(), totals);
    const run = await start(step);
    const outputs = await run.compiled.run(run.state, { ...cropsAt(0), ...step.inputsAt(0) });
    for (const name of ['loss', 'distance', 'codingRate', 'teacherStudentCosine', 'gradientNorm', 'teacherEntropy']) {
      expect(Number.isFinite(outputs[name]![0]), name).toBe(true);
    }
    expect(outputs['teacherEntropy']![0]).toBeLessThanOrEqual(Math.log(10) + 1e-5);
    expect(outputs['codingRate']![0]).toBeLessThanOrEqual(step.constants.codingRateMax);
  });

  it('raises the teacher\u2019s temperature epoch by epoch', () => {
    const { scalarsAt } = buildTrainStep(dino(), totals);
    const temperatures = [0, 3, 4, 8, 19].map((step) => scalarsAt(step)['teacherTemperature']!);
    [0.04, 0.04, 0.055, 0.07, 0.07].forEach((expected, index) => {
      expect(temperatures[index]).toBeCloseTo(expected, 12);
    });
  });
});

describe('the training step of SimDINOv2', () => {
  const v2 = (changes: object = {}) =>
    resolved({
      method: 'simdinov2',
      model: {
        ...small.model,
        registers: 2,
        layerScale: 0.1,
        positionResize: 'antialiased',
        dropPath: 'batchSubset',
      },
      optim: {
        lr: 0.05,
        lrScaling: 'sqrt1024',
        schedule: 'v2',
        layerDecay: 0.9,
        patchEmbeddingRate: 0.2,
        clipBy: 'module',
      },
      ...changes,
    });

  it('hides patches of half of the global views, by seed and step', () => {
    const step = buildTrainStep(v2(), totals);
    const places = (at: number) => step.inputsAt(at)['maskedPatches']!;
    const perImage = 8;
    expect(step.program.inputs['maskedPatches']!.shape).toEqual([16, perImage]);
    const masked = Array.from({ length: 16 }, (_, image) => places(3)[image * perImage]! >= 0).filter(Boolean);
    // A target of one patch in sixteen may find no block.
    expect(masked.length).toBeGreaterThanOrEqual(6);
    expect(masked.length).toBeLessThanOrEqual(8);
    expect(Math.max(...places(3))).toBeLessThan(16);
    expect(places(3)).toEqual(buildTrainStep(v2(), totals).inputsAt(3)['maskedPatches']);
    expect(places(4)).not.toEqual(places(3));
  });

  it('trains registers, LayerScale and mask token, and measures the patches', async () => {
    const step = buildTrainStep(v2(), totals);
    const run = await start(step);
    const before = await run.state.read();
    const outputs = await run.compiled.run(run.state, { ...cropsAt(1), ...step.inputsAt(1) });
    expect(outputs['updated']![0]).toBe(1);
    expect(outputs['patchDistance']![0]).toBeGreaterThan(0);
    const after = await run.state.read();
    for (const name of ['register_tokens', 'mask_token', 'blocks.0.ls1.gamma', 'blocks.1.ls2.gamma']) {
      expect(after[`student.backbone.${name}`], name).not.toEqual(before[`student.backbone.${name}`]);
    }
  });

  it('adds the distance of the patches to that of the views, less gamma times the coding rate', async () => {
    const step = buildTrainStep(v2({ loss: { preset: 'paper', gamma: 0.05 } }), totals);
    const run = await start(step);
    const outputs = await run.compiled.run(run.state, { ...cropsAt(1), ...step.inputsAt(1) });
    const [loss, distance, patchDistance, codingRate] = ['loss', 'distance', 'patchDistance', 'codingRate'].map(
      (name) => outputs[name]![0]!,
    ) as [number, number, number, number];
    expect(loss).toBeCloseTo(0.5 * distance + 0.5 * patchDistance - 0.05 * codingRate, 5);
  });
});

describe('the training step of DINOv2', () => {
  const v2 = (dinov2: ConfigInput['dinov2'] = {}, changes: object = {}) =>
    resolved({
      method: 'dinov2',
      model: { ...small.model, registers: 1, layerScale: 0.1, positionResize: 'antialiased', feedForward: 'swiglu' },
      optim: { lr: 0.05, lrScaling: 'sqrt1024', schedule: 'v2', layerDecay: 0.9, clipBy: 'module' },
      dino: { prototypes: 10, teacherTemperatureWarmupEpochs: 3 },
      dinov2,
      ...changes,
    });

  it.each(['ema', 'sinkhornKnopp'] as const)('measures its terms, %s', async (centering) => {
    const step = buildTrainStep(v2({ centering }), totals);
    const run = await start(step);
    const outputs = await run.compiled.run(run.state, { ...cropsAt(1), ...step.inputsAt(1) });
    const value = (name: string) => outputs[name]![0]!;
    expect(value('loss')).toBeCloseTo(value('viewCrossEntropy') + value('patchCrossEntropy') + 0.1 * value('koleo'), 4);
    expect(value('teacherEntropy')).toBeLessThanOrEqual(Math.log(10) + 1e-5);
    for (const name of ['distance', 'codingRate', 'patchDistance', 'distanceView4', 'codingRateView2']) {
      expect(Number.isFinite(value(name)), name).toBe(true);
    }
    expect('objective.center' in step.program.state).toBe(centering === 'ema');
    expect('objective.patchCenter' in step.program.state).toBe(centering === 'ema');
  });

  it('trains prototypes and their norms from the second epoch on, while their moments move before', async () => {
    const direction = 'head.last_layer.weight_v';
    const step = buildTrainStep(v2(), totals);
    expect(step.parameterNames).toContain('head.last_layer.weight_g');
    const run = await start(step);
    const initial = await run.state.read();
    await take(step, run, 0, 4);
    const afterFirstEpoch = await run.state.read();
    expect(afterFirstEpoch[`student.${direction}`]).toEqual(initial[`student.${direction}`]);
    expect(afterFirstEpoch[`adam.first.${direction}`]).not.toEqual(initial[`adam.first.${direction}`]);
    await take(step, run, 4, 6);
    const later = await run.state.read();
    expect(later[`student.${direction}`]).not.toEqual(initial[`student.${direction}`]);
    expect(new Set(later['student.head.last_layer.weight_g']).size).toBeGreaterThan(1);
  });

  it('warms the teacher\u2019s temperature up step by step, in either tree\u2019s way', () => {
    const temperatures = (schedule: string) => {
      const { scalarsAt } = buildTrainStep(v2({}, { optim: { lr: 0.05, schedule } }), totals);
      return [0, 1, 11, 12, 19].map((step) => scalarsAt(step)['teacherTemperature']!);
    };
    // Three epochs of four steps.
    const expected = {
      v1: [0.04, 0.04 + 0.03 / 11, 0.07, 0.07, 0.07],
      v2: [0.04, 0.04 + 0.03 / 12, 0.04 + (0.03 * 11) / 12, 0.07, 0.07],
    };
    for (const [schedule, values] of Object.entries(expected)) {
      temperatures(schedule).forEach((value, index) => expect(value).toBeCloseTo(values[index]!, 12));
    }
  });

  it('gives patches a head of their own where heads are untied', async () => {
    const step = buildTrainStep(v2({ patchHead: 'separate', patchPrototypes: 7 }), totals);
    expect(step.program.state['student.ibot_head.last_layer.weight_v']!.shape).toEqual([7, 8]);
    expect(step.program.state['objective.patchCenter']!.shape).toEqual([1, 7]);
    const run = await start(step);
    const initial = await run.state.read();
    await take(step, run, 0, 2);
    const later = await run.state.read();
    for (const name of ['head.mlp.0.weight', 'ibot_head.mlp.0.weight']) {
      expect(later[`student.${name}`], name).not.toEqual(initial[`student.${name}`]);
      expect(later[`teacher.${name}`], name).not.toEqual(initial[`teacher.${name}`]);
    }
  });
});

describe('terms of single views', () => {
  it('average to the terms of all', async () => {
    const step = buildTrainStep(resolved(), totals);
    const run = await start(step);
    const outputs = await run.compiled.run(run.state, { ...cropsAt(1), ...step.inputsAt(1) });
    const value = (name: string) => outputs[name]![0]!;
    // Two global views with one other global view each, two local ones with two.
    const weights = [1, 1, 2, 2];
    const distance = weights.reduce((sum, weight, view) => sum + weight * value(`distanceView${view + 1}`), 0) / 6;
    expect(distance).toBeCloseTo(value('distance'), 5);
    expect((value('codingRateView1') + value('codingRateView2')) / 2).toBeCloseTo(value('codingRate'), 4);
  });

  it('are there with one global view alone, which meets itself', async () => {
    const one = resolved({
      crops: { global: { count: 1, sizePx: 16 }, local: { count: 2, sizePx: 8 } },
      loss: { pairs: 'all' },
    });
    const step = buildTrainStep(one, totals);
    const run = await start(step);
    const crops = {
      globalCrops: cropsAt(0)['globalCrops']!.subarray(0, 8 * 16 * 16 * 3),
      localCrops: cropsAt(0)['localCrops']!,
    };
    const outputs = await run.compiled.run(run.state, { ...crops, ...step.inputsAt(0) });
    expect(outputs['distanceView1']![0]).toBeGreaterThanOrEqual(-1e-6);
    expect(Number.isFinite(outputs['distanceView3']![0])).toBe(true);
  });
});

describe('the feature step', () => {
  it('gives the same features for an image whatever its batch', async () => {
    const config = resolved();
    const { state: specs } = buildTrainStep(config, totals).program;
    const state = engine.createState(specs, buildTrainStep(config, totals).initialState());
    const pixels = cropsAt(4)['globalCrops']!;
    const imageBytes = 16 * 16 * 3;
    const features = async (images: number, from: number) => {
      const step = await engine.compile(buildFeatureProgram(config, { network: 'teacher', images, sizePx: 16 }));
      const part = pixels.subarray(from * imageBytes, (from + images) * imageBytes);
      return Array.from((await step.run(state, { images: part }))['features']!);
    };
    const together = await features(4, 0);
    const alone = await features(1, 2);
    expect(together.length).toBe(4 * 12);
    alone.forEach((value, index) => expect(value).toBeCloseTo(together[2 * 12 + index]!, 5));
  });
});

/** The step on tfjs's own backend, as an eager engine would run it. */
function eagerly(step: TrainStep, inputs: Record<string, TypedArray>): { loss: number; gradientNorm: number } {
  const tensorsOf = (specs: TrainStep['program']['state'], values: Record<string, TypedArray>): Tensors =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => [
        name,
        tf.tensor(Float32Array.from(values[name]!), [...shape], 'float32'),
      ]),
    );
  const given = [tensorsOf(step.program.state, step.initialState()), tensorsOf(step.program.inputs, inputs)] as const;
  const result = tf.tidy(
    () => step.program.run(...given) as unknown as tf.TensorContainerObject,
  ) as unknown as ReturnType<TrainStep['program']['run']>;
  const read = {
    loss: result.outputs['loss']!.dataSync()[0]!,
    gradientNorm: result.outputs['gradientNorm']!.dataSync()[0]!,
  };
  tf.dispose([...given, result.state, result.outputs]);
  return read;
}
