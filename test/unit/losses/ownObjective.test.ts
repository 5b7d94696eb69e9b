/** An objective of one's own, as the README adds one: a file, a line in the registry, a preset. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ResolvedConfig } from '../../../configs/schema.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { ownObjectives } from '../../../runtime/losses/index.ts';
import type { Objective } from '../../../runtime/losses/objective.ts';
import { simdino } from '../../../runtime/losses/simdino.ts';
import { simdinoOptions } from '../../../runtime/losses/simdinoOptions.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';

const config = (loss: object): ResolvedConfig =>
  resolveConfig(
    configSchema.parse({
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 8 }, local: { count: 0 } },
      model: { architecture: 'custom', width: 8, depth: 1, heads: 1, patchSizePx: 4, dropPathRate: 0 },
      projector: { hiddenDim: 8, outputDim: 4 },
      train: { batchSize: 4, epochs: 1 },
      loss,
    }),
  );
const totals = { stepsPerEpoch: 4, totalSteps: 4, warmupSteps: 0 };

/** Distance alone: the README's example. */
function alignmentObjective(config: ResolvedConfig): Objective {
  const measured = simdinoOptions(config);
  return {
    state: {},
    scalars: [],
    evaluate: ({ student_VBO, teacher_GBO }) => {
      const { loss: _, ofViews, ...terms } = simdino(student_VBO, teacher_GBO, measured);
      return { loss: tf.square(terms.distance), terms: { ...terms, ...ofViews }, state: {} };
    },
  };
}

afterEach(() => {
  delete ownObjectives['alignment'];
});

test('trains by its name, and its terms are measured like any other\u2019s', async () => {
  ownObjectives['alignment'] = alignmentObjective;
  const step = buildTrainStep(config({ own: 'alignment' }), totals);
  const engine = createOnnxEngine({ threads: 1 });
  const compiled = await engine.compile(step.program);
  const state = engine.createState(step.program.state, step.initialState());
  const globalCrops = Uint8Array.from({ length: 2 * 4 * 8 * 8 * 3 }, (_, at) => (at * 37) % 251);
  const { loss, distance, updated } = await compiled.run(state, { globalCrops, ...step.inputsAt(0) });
  expect(updated![0]).toBe(1);
  expect(loss![0]).toBeCloseTo(distance![0]! ** 2, 6);
  await compiled.dispose();
  await state.dispose();
});

test('a name that nobody added is one sentence', () => {
  expect(() => buildTrainStep(config({ own: 'alignment' }), totals)).toThrowErrorMatchingInlineSnapshot(
    `[SimdinoError: loss.own is 'alignment', but runtime/losses/index.ts has no objective of your own. Add it to \`ownObjectives\` there and build, or remove loss.own.]`,
  );
  ownObjectives['alignment'] = alignmentObjective;
  expect(() => buildTrainStep(config({ own: 'toString' }), totals)).toThrowErrorMatchingInlineSnapshot(
    `[SimdinoError: loss.own is 'toString', but runtime/losses/index.ts has only alignment. Add it to \`ownObjectives\` there and build, or remove loss.own.]`,
  );
});
