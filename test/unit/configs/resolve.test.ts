import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../configs/readConfig.ts';
import { referenceGroups, resolveConfig } from '../../../configs/resolve.ts';
import { configSchema, type ConfigInput, type ResolvedConfig } from '../../../configs/schema.ts';
import { loadFromRepository, yamlFiles } from './presetFiles.ts';

const resolved = (input: Omit<ConfigInput, 'data'>): ResolvedConfig =>
  resolveConfig(configSchema.parse({ data: { kind: 'synthetic' }, ...input }));

describe('loss.preset', () => {
  test('paper sets every option to the text', () => {
    expect(resolved({ loss: { preset: 'paper' } }).loss).toMatchObject({
      gamma: 'balanced',
      pairs: 'all',
      codingRate: { on: 'student', normalise: 'group', groups: 1 },
    });
  });

  test('reference sets every option to the published code', () => {
    expect(resolved({ loss: { preset: 'reference' } }).loss).toMatchObject({
      gamma: 'auto',
      pairs: 'crossView',
      codingRate: { on: 'studentTeacherMean', normalise: 'batch', groups: 8 },
    });
  });

  test('an explicit key wins', () => {
    const { loss } = resolved({ loss: { preset: 'paper', pairs: 'crossView', codingRate: { groups: 4 } } });
    expect(loss).toMatchObject({
      gamma: 'balanced',
      pairs: 'crossView',
      codingRate: { on: 'student', normalise: 'group', groups: 4 },
    });
  });

  test('groups of the reference hold at least 64 images', () => {
    expect([64, 128, 504, 512, 516, 1024].map(referenceGroups)).toEqual([1, 1, 1, 8, 1, 8]);
  });
});

test('a named architecture fills width, depth and heads', () => {
  expect(resolved({ model: { architecture: 'vit_base' } }).model).toMatchObject({ width: 768, depth: 12, heads: 12 });
});

test.each(yamlFiles())('$path is valid, and resolving its result changes nothing', ({ path, text }) => {
  const { config, diagnostics } = readConfig(text, { path, load: loadFromRepository });
  expect(diagnostics).toEqual([]);
  const again = readConfig(JSON.stringify(config), { path: 'config.yaml', load: loadFromRepository });
  expect(again.diagnostics).toEqual([]);
  expect(again.config).toEqual(config);
});

test('options of DINO are resolved for its own method alone', () => {
  expect(resolved({}).dino).toBeUndefined();
  expect(resolved({ method: 'dino' }).dino).toMatchObject({ prototypes: 65536, teacherTemperature: 0.07 });
});

test('options of DINO beside another method are one error', () => {
  const { diagnostics } = readConfig('data: { kind: synthetic }\nmethod: simdino\ndino: { prototypes: 128 }\n', {
    path: 'my.yaml',
    load: loadFromRepository,
  });
  expect(diagnostics.map(({ severity, message, remedy, line }) => ({ severity, message, remedy, line }))).toEqual([
    {
      severity: 'error',
      message: '`dino` holds the options of `dino` and `dinov2`, but the method is `simdino`.',
      remedy: 'Remove the section, or set method: dino.',
      line: 3,
    },
  ]);
});

test('a loss preset decides the distances of SimDINOv2', () => {
  expect(resolved({}).masking).toBeUndefined();
  expect(resolved({ method: 'simdinov2' }).masking).toEqual({
    share: 0.5,
    ratio: [0.1, 0.5],
    viewWeight: 1,
    patchWeight: 1,
    average: 'maskedPatches',
  });
  expect(resolved({ method: 'simdinov2', loss: { preset: 'paper' } }).masking).toMatchObject({
    viewWeight: 0.5,
    patchWeight: 0.5,
    average: 'allPatches',
  });
});

test('DINOv2 has its own way with prototypes and centres; a loss preset decides between the paper\u2019s text and the code', () => {
  const code = resolved({ method: 'dinov2', dino: { prototypes: 300 } });
  expect(code.dino?.prototypeNorm).toBe('trained');
  expect(code.dinov2).toEqual({
    centering: 'ema',
    sinkhornIterations: 3,
    koleoWeight: 0.1,
    koleoGroups: 1,
    patchHead: 'shared',
    patchPrototypes: 300,
  });
  expect(code.masking).toMatchObject({ viewWeight: 1, patchWeight: 1, average: 'maskedPatches' });
  const text = resolved({ method: 'dinov2', loss: { preset: 'paper' } });
  expect(text.dinov2?.centering).toBe('sinkhornKnopp');
  expect(text.masking).toMatchObject({ viewWeight: 1, patchWeight: 1 });
  expect(resolved({ method: 'dino' }).dino?.prototypeNorm).toBe('fixed');
  expect(resolved({ method: 'dino' }).dinov2).toBeUndefined();
});

test('giant2 has SwiGLU, the others an MLP unless told', () => {
  expect(resolved({ model: { architecture: 'vit_giant2' } }).model).toMatchObject({
    width: 1536,
    depth: 40,
    heads: 24,
    feedForward: 'swiglu',
  });
  expect(resolved({}).model.feedForward).toBe('mlp');
  expect(resolved({ model: { feedForward: 'swiglu' } }).model.feedForward).toBe('swiglu');
});
