/** Updates written over the state that they replace: only where nobody can read it any more, and to the same bits. */
import type { InferenceSession } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ConfigInput } from '../../../configs/schema.ts';
import { HostState } from '../../../runtime/engines/onnx/hostState.ts';
import { inPlaceUpdates, runWith } from '../../../runtime/engines/onnx/inPlace.ts';
import type { OnnxNode } from '../../../runtime/engines/onnx/model.ts';
import { compileOnnxStep, type StepState } from '../../../runtime/engines/onnx/onnxStep.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';

const names = { state: (name: string) => `state/${name}`, update: (name: string) => `update/${name}` };
const node = (output: string, op: string, ...inputs: string[]): OnnxNode => ({
  op,
  domain: '',
  inputs,
  outputs: [output],
  attributes: {},
});
/** Operators in the order of computing. */
const inPlace = (entries: string[], ...nodes: OnnxNode[]) => inPlaceUpdates({ nodes: nodes.reverse() }, entries, names);

describe('an update may be written over its entry', () => {
  test('when all who read the entry come before it', () => {
    const { entries } = inPlace(
      ['w'],
      node('y', 'MatMul', 'x', 'state/w'),
      node('g', 'MatMul', 'x', 'y'),
      node('update/w', 'Sub', 'state/w', 'g'),
    );
    expect([...entries]).toEqual(['w']);
  });

  test('not when somebody might read the entry afterwards, be it through a view', () => {
    const late = node('loss', 'ReduceSum', 'state/w');
    expect(inPlace(['w'], node('update/w', 'Sub', 'state/w', 'g'), late).entries.size).toBe(0);
    const view = node('flat', 'Reshape', 'state/w', 'shape');
    const lateView = node('loss', 'ReduceSum', 'flat');
    expect(inPlace(['w'], view, node('update/w', 'Add', 'flat', 'g'), lateView).entries.size).toBe(0);
    expect([...inPlace(['w'], view, node('update/w', 'Add', 'flat', 'g')).entries]).toEqual(['w']);
  });

  test('not by an operator that reads one place and writes another', () => {
    expect(inPlace(['w'], node('update/w', 'MatMul', 'state/w', 'g')).entries.size).toBe(0);
    expect(inPlace(['w'], node('update/w', 'Slice', 'state/w', 'begin')).entries.size).toBe(0);
  });

  test('entries are judged one by one: a mean of new weights reads them where they are written', () => {
    const { entries, precedesAll } = inPlace(
      ['w', 'slow'],
      node('g', 'MatMul', 'x', 'state/w'),
      node('update/w', 'Sub', 'state/w', 'g'),
      node('update/slow', 'Add', 'state/slow', 'update/w'),
    );
    expect([...entries]).toEqual(['w', 'slow']);
    expect(['g', 'update/w', 'update/slow'].map(precedesAll)).toEqual([true, true, false]);
  });
});

describe('a model that fails', () => {
  const found = inPlace(
    ['w'],
    node('g', 'MatMul', 'x', 'state/w'),
    node('update/w', 'Sub', 'state/w', 'g'),
    node('loss', 'Neg', 'g'),
  );
  const failingAt = (operator: string) =>
    ({
      run: () =>
        Promise.reject(
          new Error(
            `Non-zero status code returned while running Sub node. Name:'${operator}' Status Message: bad allocation`,
          ),
        ),
    }) as unknown as InferenceSession;
  const run = (operator: string, state: StepState) =>
    runWith(failingAt(operator), { feeds: {}, fetches: {} }, { state, inPlace: found });
  const newState = () => new HostState({ w: { shape: [2], dtype: 'float32' } }, { w: Float32Array.of(1, 2) }, {});

  test('before any update leaves the state as it was', async () => {
    const state = newState();
    await expect(run('g', state)).rejects.toThrow(/^Non-zero status/);
    expect(await state.read()).toEqual({ w: Float32Array.of(1, 2) });
  });

  test('where updates may have been written gives the state up: nobody saves half a step', async () => {
    const state = newState();
    await expect(run('loss', state)).rejects.toThrow(/^A training step failed while it wrote its results/);
    await expect(state.read()).rejects.toThrow(/half old, half new/);
  });
});

const methods: [string, Partial<ConfigInput>][] = [
  ['simdino', { method: 'simdino' }],
  ['simdinov2', { method: 'simdinov2', crops: { global: { sizePx: 16 }, local: { count: 2, sizePx: 8 } } }],
  ['dino', { method: 'dino', dino: { prototypes: 32 } }],
  ['dinov2', { method: 'dinov2', dinov2: {}, dino: { prototypes: 32 } }],
  ['a teacher that is the student', { method: 'simdino', teacher: { update: 'student' } }],
];

test.each(methods)('%s: the same bits as with a second copy of the state, without one', async (_, changes) => {
  const config = resolveConfig(
    configSchema.parse({
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 16 }, local: { count: 2, sizePx: 8 } },
      model: { architecture: 'custom', width: 16, depth: 2, heads: 2, patchSizePx: 4, dropPathRate: 0 },
      projector: { hiddenDim: 16, outputDim: 8 },
      train: { batchSize: 4, epochs: 2 },
      ...changes,
    }),
  );
  const step = buildTrainStep(config, { stepsPerEpoch: 4, totalSteps: 8, warmupSteps: 1 });
  const takeSteps = async (updatesInPlace: boolean) => {
    const compiled = await compileOnnxStep(step.program, {
      target: { precision: 'float32', provider: 'cpu', threads: 1 },
      session: {
        executionProviders: ['cpu'],
        executionMode: 'sequential',
        graphOptimizationLevel: 'disabled',
        intraOpNumThreads: 1,
      },
      updatesInPlace,
      isOwn: (state): state is StepState => state instanceof HostState,
    });
    const state = new CountingState(step.program.state, step.initialState(), {});
    const losses: number[] = [];
    for (let index = 0; index < 6; index++) {
      const { loss } = await compiled.run(state, { ...noise(step.program.inputs), ...step.inputsAt(index) });
      losses.push(loss![0]!);
    }
    await compiled.dispose();
    return { losses, final: await state.read(), spares: state.spares };
  };
  const [inPlace, copied] = [await takeSteps(true), await takeSteps(false)];
  expect(inPlace.losses).toEqual(copied.losses);
  expect(inPlace.final).toEqual(copied.final);
  expect(copied.spares).toBe(step.program.updates.length);
  // DINO's centres, which are small, are read by nobody that the updates depend on.
  expect(inPlace.spares).toBeLessThanOrEqual(2);
});

class CountingState extends HostState {
  readonly #spares = new Set<string>();
  get spares(): number {
    return this.#spares.size;
  }
  override spare(name: string) {
    this.#spares.add(name);
    return super.spare(name);
  }
}

function noise(
  specs: Readonly<Record<string, { shape: readonly number[]; dtype: string }>>,
): Record<string, Uint8Array> {
  const crops = Object.entries(specs).filter(([, { dtype }]) => dtype === 'uint8');
  return Object.fromEntries(
    crops.map(([name, { shape }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, Uint8Array.from({ length: size }, (_, at) => (at * 37) % 251)];
    }),
  );
}
