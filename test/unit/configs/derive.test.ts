import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  codingRateBounds,
  codingRateShape,
  derive,
  gammaOf,
  halfLifeSteps,
  knownTrainImages,
  type DerivableConfig,
} from '../../../configs/derive.ts';
import { resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ConfigInput } from '../../../configs/schema.ts';

function config(overrides: Omit<ConfigInput, 'data'> = {}): DerivableConfig & ReturnType<typeof resolveConfig> {
  return resolveConfig(configSchema.parse({ data: { kind: 'synthetic' }, ...overrides }));
}

interface Prescription {
  B: number;
  d: number;
  M: number;
  eps_paper: number;
  'eq54_2eps*sqrt(B/(d*M*min))': number;
  'code_active_1/d+1/B': number;
}

const golden = JSON.parse(readFileSync(new URL('../../golden/data/paper_formulas.json', import.meta.url), 'utf8')) as {
  gamma: Prescription[];
};

describe('gamma', () => {
  test.each(golden.gamma)('agrees with the prescriptions for B $B, d $d', (expected) => {
    const written = {
      train: { batchSize: expected.B },
      projector: { outputDim: expected.d },
      crops: { global: { count: 2 }, local: { count: expected.M - 2 } },
    };
    const paper = config({ ...written, loss: { preset: 'paper', eps: expected.eps_paper } });
    const reference = config({ ...written, loss: { preset: 'reference', eps: expected.eps_paper } });
    expect(gammaOf(paper)).toBeCloseTo(expected['eq54_2eps*sqrt(B/(d*M*min))'], 14);
    expect(gammaOf(reference)).toBeCloseTo(expected['code_active_1/d+1/B'], 14);
  });

  test('a number stays what it is; gammaFactor multiplies the others', () => {
    expect(gammaOf(config({ loss: { gamma: 0.3, gammaFactor: 5 } }))).toBe(0.3);
    const auto = config({ loss: { gamma: 'auto' } });
    const tripled = config({ loss: { gamma: 'auto', gammaFactor: 3 } });
    expect(gammaOf(tripled)).toBeCloseTo(3 * gammaOf(auto), 14);
  });
});

describe('coding rate', () => {
  // Images a GPU, GPUs, the authors' eps (epsilon squared); gamma times the largest and the collapsed coding rate, for
  // covariances per GPU divided by the whole batch and for one covariance over all of it.
  test.each([
    [64, 8, 0.05, 0.45, 0.0189, 2.283, 0.025],
    [256, 2, 0.05, 1.798, 0.023, 2.283, 0.025],
    [512, 1, 0.05, 2.283, 0.025, 2.283, 0.025],
    [32, 8, 0.05, 0.381, 0.0252, 3.045, 0.0334],
    [128, 8, 0.05, 0.56, 0.0158, 1.903, 0.0209],
    [64, 8, 0.5, 0.13, 0.0122, 0.824, 0.0183],
    [64, 16, 0.05, 0.28, 0.0141, 1.903, 0.0209],
    [78, 32, 0.05, 0.187, 0.0109, 1.678, 0.0184],
    [24, 1, 0.05, 2.935, 0.195, 2.935, 0.195],
    [32, 1, 0.05, 2.858, 0.15, 2.858, 0.15],
  ])(
    '%i images on %i devices, epsilon squared %f',
    (perDevice, devices, epsSquared, max, collapsed, maxWhole, collapsedWhole) => {
      const batchSize = perDevice * devices;
      const weighted = (groups: number, normalise: 'group' | 'batch'): [number, number] => {
        const made = config({
          train: { batchSize },
          loss: { eps: Math.sqrt(epsSquared), gamma: 'auto', codingRate: { groups, normalise } },
        });
        const bounds = codingRateBounds(codingRateShape(made));
        return [gammaOf(made) * bounds.codingRateMax, gammaOf(made) * bounds.codingRateCollapsed];
      };
      const digits = (value: number, expected: number): void => {
        expect(Math.abs(value / expected - 1), `${value} against ${expected}`).toBeLessThan(0.005);
      };
      const [perGroupMax, perGroupCollapsed] = weighted(devices, 'batch');
      digits(perGroupMax, max);
      digits(perGroupCollapsed, collapsed);
      const [wholeMax, wholeCollapsed] = weighted(1, 'group');
      digits(wholeMax, maxWhole);
      digits(wholeCollapsed, collapsedWhole);
    },
  );

  test('normalising by the batch is a larger epsilon', () => {
    const byBatch = codingRateShape(config({ loss: { codingRate: { groups: 4, normalise: 'batch' } } }));
    const byGroup = codingRateShape(config({ loss: { codingRate: { groups: 4, normalise: 'group' } } }));
    expect(byBatch.epsilon).toBeCloseTo(2 * byGroup.epsilon, 14);
  });
});

describe('sizes', () => {
  test.each([
    ['vit_tiny', 16, 5_524_416],
    ['vit_small', 16, 21_665_664],
    ['vit_small', 8, 21_670_272],
    ['vit_base', 16, 85_798_656],
    ['vit_base', 8, 85_807_872],
    ['vit_large', 16, 303_301_632],
  ] as const)('%s/%i has %i parameters', (architecture, patchSizePx, parameters) => {
    const derived = derive(config({ model: { architecture, patchSizePx } }), { trainImages: 1000 });
    expect(derived.parametersBackbone).toBe(parameters);
  });

  test.each([
    ['vit_small', 5_509_376],
    ['vit_base', 6_295_808],
    ['vit_large', 6_820_096],
  ] as const)('the projector of %s has %i parameters', (architecture, parameters) => {
    const derived = derive(config({ model: { architecture } }), { trainImages: 1000 });
    expect(derived.parametersProjector).toBe(parameters);
  });

  test('tokens of the default crops', () => {
    const derived = derive(config(), { trainImages: 1000 });
    expect(derived).toMatchObject({ tokensGlobal: 197, tokensLocal: 37, tokensPerImage: 2 * 197 + 10 * 37 });
  });
});

describe('schedule', () => {
  test('the last incomplete batch is dropped', () => {
    const made = config({ train: { batchSize: 512, epochs: 100 }, optim: { lr: 0.0005, warmupEpochs: 10 } });
    expect(derive(made, { trainImages: 1_281_167 })).toMatchObject({
      stepsPerEpoch: 2502,
      totalSteps: 250_200,
      warmupSteps: 25_020,
      imagesPerRun: 250_200 * 512,
      effectiveLr: 0.001,
    });
  });

  test('fractions of an epoch round to steps, and the warm-up is no longer than the run', () => {
    const made = config({ train: { batchSize: 100, epochs: 0.25 }, optim: { warmupEpochs: 2 } });
    expect(derive(made, { trainImages: 1000 })).toMatchObject({ totalSteps: 3, warmupSteps: 3 });
  });

  test('half-life of the teacher', () => {
    expect(halfLifeSteps(0.996)).toBeCloseTo(172.94, 2);
    expect(0.996 ** halfLifeSteps(0.996)).toBeCloseTo(0.5, 12);
    expect(halfLifeSteps(1)).toBe(Infinity);
    expect(halfLifeSteps(0)).toBe(0);
  });

  test('training images as far as the configuration tells', () => {
    const images = (data: ConfigInput['data']): number | undefined =>
      knownTrainImages(resolveConfig(configSchema.parse({ data })));
    expect(images({ kind: 'fashion-mnist', heldOut: 10_000 })).toBe(50_000);
    expect(images({ kind: 'fashion-mnist', maxTrainImages: 500 })).toBe(500);
    expect(images({ kind: 'synthetic' })).toBe(512);
    expect(images({ kind: 'imagefolder', path: 'x' })).toBeUndefined();
  });
});
