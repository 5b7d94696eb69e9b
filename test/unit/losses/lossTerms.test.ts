/** The terms that a panel draws are those that are minimised: a step of every method, and its loss as their sum. */
import { expect, test } from 'vitest';
import { validateConfig } from '../../../configs/validateConfig.ts';
import { flattenConfig } from '../../../experiments/flattenConfig.ts';
import { lossTerms } from '../../../experiments/lossTerms.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';

const totals = { stepsPerEpoch: 4, totalSteps: 4, warmupSteps: 0 };

/** What one step of a small run logs. */
async function logged(method: string, sections: Record<string, object>) {
  const { config, findings } = validateConfig({
    method,
    data: { kind: 'synthetic' },
    crops: { global: { sizePx: 16, count: 2 }, local: { sizePx: 8, count: 2 } },
    model: { architecture: 'custom', width: 8, depth: 1, heads: 1, patchSizePx: 4, dropPathRate: 0 },
    projector: { hiddenDim: 8, outputDim: 4 },
    train: { batchSize: 4, epochs: 1 },
    ...sections,
  });
  if (!config) throw new Error(findings.map(({ message }) => message).join('\n'));
  const step = buildTrainStep(config, totals);
  const engine = createOnnxEngine({ threads: 1 });
  const compiled = await engine.compile(step.program);
  const state = engine.createState(step.program.state, step.initialState());
  const crops = (views: number, side: number) =>
    Uint8Array.from({ length: views * 4 * side * side * 3 }, (_, at) => (at * at * 37 + at) % 251);
  const outputs = await compiled.run(state, {
    globalCrops: crops(2, 16),
    localCrops: crops(2, 8),
    ...step.inputsAt(1),
  });
  await compiled.dispose();
  await state.dispose();
  const { gamma } = step.constants;
  return {
    flat: flattenConfig(config),
    value: (metric: string) => (metric === 'gamma' ? gamma : outputs[metric]![0]!),
  };
}

const prototypes = { dino: { prototypes: 16 } };
const cases: [string, string, Record<string, object>, (rest: number) => boolean][] = [
  ['SimDINO', 'simdino', {}, (rest) => rest === 0],
  ['SimDINO by the paper', 'simdino', { loss: { preset: 'paper' } }, (rest) => rest === 0],
  ['SimDINO with InfoNCE', 'simdino', { loss: { regulariser: 'infoNce' } }, (rest) => rest > 0],
  ['SimDINO with uniformity', 'simdino', { loss: { regulariser: 'uniformity' } }, (rest) => rest < 0],
  ['SimDINO with Barlow Twins', 'simdino', { loss: { regulariser: 'barlowTwins' } }, (rest) => rest > 0],
  ['SimDINOv2', 'simdinov2', {}, (rest) => rest === 0],
  ['SimDINOv2 by the paper', 'simdinov2', { loss: { preset: 'paper' } }, (rest) => rest === 0],
  ['SimDINOv2 without patches', 'simdinov2', { masking: { patchWeight: 0 } }, (rest) => rest === 0],
  ['DINO', 'dino', prototypes, (rest) => rest > 0],
  ['DINOv2', 'dinov2', prototypes, (rest) => rest === 0],
  ['DINOv2 without KoLeo', 'dinov2', { ...prototypes, dinov2: { koleoWeight: 0 } }, (rest) => rest === 0],
];

test.each(cases)('%s: the terms and what they leave are the loss', async (_, method, sections, isRest) => {
  const { flat, value } = await logged(method, sections);
  const objective = lossTerms(flat)!;
  const terms = objective.terms.map(({ metric, weight, times }) => weight * value(metric) * (times ? value(times) : 1));
  const left = value('loss') - terms.reduce((sum, term) => sum + term, 0);
  const rounding = 1e-5 * terms.reduce((sum, term) => sum + Math.abs(term), 1);
  const rest = Math.abs(left) < rounding ? 0 : left;
  expect(isRest(rest), `rest ${rest}`).toBe(true);
  expect(objective.rest !== null).toBe(rest !== 0);
});

test('nothing is said of an objective that is not known', () => {
  expect(lossTerms({ method: 'simdino', 'loss.own': 'mine' })).toBeNull();
  expect(lossTerms({ method: 'simdinov2' })).toBeNull();
  expect(lossTerms({})).toBeNull();
});
