import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ConfigInput, type ResolvedConfig } from '../../../configs/schema.ts';
import { takePart } from '../../../runtime/batchParts.ts';
import type { Collective } from '../../../runtime/engines/engine.ts';
import type { Arrays } from '../../../runtime/engines/executor/messages.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import { inProcessRanks } from './inProcessRanks.ts';

const totals = { stepsPerEpoch: 4, totalSteps: 40, warmupSteps: 0 };
const crops = { global: { count: 2, sizePx: 16 }, local: { count: 2, sizePx: 8 } };
const batch = 8;

function configOf(more: Partial<ConfigInput>): ResolvedConfig {
  return resolveConfig(
    configSchema.parse({
      data: { kind: 'synthetic' },
      crops,
      model: { architecture: 'custom', width: 16, depth: 2, heads: 2, patchSizePx: 8, dropPathRate: 0.2 },
      projector: { hiddenDim: 24, outputDim: 6 },
      train: { batchSize: batch },
      teacher: { momentum: 0.9 },
      ...more,
    }),
  );
}

/** The same images of the whole batch for everyone, from which each takes its own. */
function wholeCrops(step: number): Record<'globalCrops' | 'localCrops', Uint8Array> {
  let state = step + 1;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const bytes = (views: number, sizePx: number) => Uint8Array.from({ length: views * batch * sizePx ** 2 * 3 }, noise);
  return { globalCrops: bytes(2, 16), localCrops: bytes(2, 8) };
}

const cropSpecs = {
  globalCrops: { shape: [2 * batch, 16, 16, 3], dtype: 'uint8' },
  localCrops: { shape: [2 * batch, 8, 8, 3], dtype: 'uint8' },
} as const;

/** State and outputs of one process after some steps, in double precision. */
async function trained(
  config: ResolvedConfig,
  { collective, rank = 0, steps = 2 }: { collective?: Collective; rank?: number; steps?: number } = {},
) {
  const ranks = collective?.ranks ?? 1;
  const engine = createOnnxEngine({ threads: 1, ...(collective ? { collective } : {}) });
  const step = buildTrainStep(config, totals, collective && { rank, ranks });
  const compiled = await engine.compile(step.program, { precision: 'float64' });
  const state = engine.createState(step.program.state, step.initialState(), { precision: 'float64' });
  const part = { first: (rank * batch) / ranks, count: batch / ranks };
  const outputs: Arrays[] = [];
  for (let index = 0; index < steps; index++) {
    const own = Object.entries(wholeCrops(index)).map(([name, values]) => [
      name,
      takePart(values, cropSpecs[name as keyof typeof cropSpecs], { axis: 0, views: 2 }, part),
    ]);
    const halt = collective ? { halt: Float32Array.of(rank === 1 && index === 1 ? 1 : 0) } : {};
    outputs.push(
      await compiled.run(state, { ...(Object.fromEntries(own) as Arrays), ...step.inputsAt(index), ...halt }),
    );
  }
  const values = await state.read();
  await engine.dispose();
  return { outputs, values };
}

function worst(a: Arrays, b: Arrays): number {
  let difference = 0;
  for (const name of Object.keys(a)) {
    expect(b[name], name).toHaveLength(a[name]!.length);
    a[name]!.forEach((value, index) => {
      const own = Math.abs(value - b[name]![index]!) / Math.max(1, Math.abs(value));
      difference = own <= difference ? difference : own;
    });
  }
  return difference;
}

const methods: Record<string, Partial<ConfigInput>> = {
  'simdino, a group per process or more': { loss: { codingRate: { groups: 8 } } },
  'simdino, one group over all processes': { loss: { codingRate: { groups: 1 } } },
  'simdino, two groups': { loss: { preset: 'paper', codingRate: { groups: 2 } } },
  'simdinov2 with masks and batch-wise stochastic depth': {
    method: 'simdinov2',
    model: {
      architecture: 'custom',
      width: 16,
      depth: 2,
      heads: 2,
      patchSizePx: 8,
      dropPathRate: 0.3,
      dropPath: 'batchSubset',
    },
    optim: { clipBy: 'module' },
  },
  dino: { method: 'dino', dino: { prototypes: 10, freezePrototypesEpochs: 0 } },
  'dinov2 with a centre, clipped by module': {
    method: 'dinov2',
    dino: { prototypes: 10, freezePrototypesEpochs: 0 },
    optim: { clipGradNorm: 0.5, clipBy: 'module' },
  },
  'dinov2 by Sinkhorn and Knopp, untied heads': {
    method: 'dinov2',
    dino: { prototypes: 10, freezePrototypesEpochs: 0 },
    dinov2: { centering: 'sinkhornKnopp', patchHead: 'separate', patchPrototypes: 7 },
  },
  'InfoNCE in place of the coding rate': { loss: { regulariser: 'infoNce' } },
};

describe.each(Object.entries(methods))('%s', (_, more) => {
  const config = configOf(more);
  test.each([2, 4])('%i processes take the step of one', { timeout: 120_000 }, async (ranks) => {
    const alone = await trained(config);
    const together = await Promise.all(
      inProcessRanks(ranks).map((collective, rank) => trained(config, { collective, rank })),
    );
    for (const { values, outputs } of together) {
      // Adam divides by the root of a mean square: a gradient of 0 but for rounding moves a weight by the whole rate.
      expect(worst(alone.values, values)).toBeLessThan(1e-6);
      for (const [index, { halted, ...rest }] of outputs.entries()) {
        expect(worst(alone.outputs[index]!, rest)).toBeLessThan(1e-9);
        // One of them asked to stop at the second step, and all know after it.
        expect(halted![0]).toBe(index);
      }
    }
    expect(worst(together[0]!.values, together[1]!.values)).toBe(0);
  });
});
