import { describe, expect, test } from 'vitest';
import { analyse } from '../../../configs/language/analyse.ts';
import { hints } from '../../../configs/language/hints.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { estimateFrom, memoryEstimate, stepWork, type MeasuredRun } from '../../../configs/stepCost.ts';
import { loadFrom } from './presetFiles.ts';

function config(text: string) {
  const { config } = readConfig(text, { path: 'my.yaml', load: loadFrom({}) });
  if (!config) throw new Error('not valid');
  return config;
}
const tiny = config('extends: tiny\n');
const measured: MeasuredRun = { name: 'tiny-1', config: tiny, msPerStep: 50, memoryBytes: 400 * 2 ** 20 };

describe('stepWork', () => {
  test('of a block of known size', () => {
    // One view of 2 tokens, width 8, one block, no local crops: student three times, teacher once.
    const small = config(
      'data: { kind: synthetic }\nmodel: { architecture: custom, width: 8, depth: 1, heads: 1, patchSizePx: 8, mlpRatio: 2 }\ncrops: { global: { count: 2, sizePx: 8 }, local: { count: 0 } }\nprojector: { layers: 1, outputDim: 4 }\nloss: { pairs: all }\ntrain: { batchSize: 4 }\n',
    );
    const view = 2 * (4 * 64 + 2 * 8 * 16 + 2 * 2 * 8) + (8 * 4 + 4);
    expect(stepWork(small)).toBe(4 * (3 * 2 * view + 2 * view));
  });

  test('is proportional to the batch, and memory grows with it', () => {
    const twice = config('extends: tiny\ntrain: { batchSize: 32 }\n');
    expect(stepWork(twice) / stepWork(tiny)).toBeCloseTo(2, 9);
    expect(memoryEstimate(twice)).toBeGreaterThan(memoryEstimate(tiny));
  });
});

describe('estimateFrom', () => {
  test('the same work takes what it took', () => {
    expect(estimateFrom(measured, config('extends: tiny\nloss: { eps: 0.3 }\nseed: 4\n'))).toEqual({
      msPerStep: 50,
      memoryBytes: 400 * 2 ** 20,
      isSame: true,
      isTelling: true,
    });
  });

  test('more work takes more, and memory never falls to nothing', () => {
    const more = estimateFrom(measured, config('extends: tiny\ntrain: { batchSize: 32 }\n'));
    expect(more).toMatchObject({ isSame: false, msPerStep: expect.closeTo(100, 6) as number });
    expect(more.memoryBytes).toBeGreaterThan(400 * 2 ** 20);
    const large = { ...measured, config: config('extends: simdino_vits16\n'), memoryBytes: 2 ** 30 };
    expect(estimateFrom(large, tiny).memoryBytes).toBeGreaterThan(0);
    expect(estimateFrom({ ...measured, memoryBytes: undefined }, tiny).memoryBytes).toBeUndefined();
  });
});

test('the quick start tells of the paper\u2019s ViT-S/16, a network of a few thousand parameters does not', () => {
  const paper = config('extends: simdino_vits16\n');
  expect(estimateFrom({ ...measured, config: config('extends: quickstart\n') }, paper).isTelling).toBe(true);
  expect(estimateFrom(measured, paper).isTelling).toBe(false);
});

describe('the hint', () => {
  const hintOf = (text: string) => {
    const analysis = analyse(text, { path: 'my.simdino.yaml', load: loadFrom({}) });
    if (!analysis) throw new Error('not a SimDINO file');
    return hints(analysis, { measured }).find((hint) => hint.text.startsWith('~'));
  };

  test('stands behind train, else behind what is there', () => {
    expect(hintOf('extends: tiny\ntrain: { epochs: 10 }\n')).toMatchObject({
      path: 'train',
      text: '~ 0.2 s per epoch, 400 MiB',
      tooltip:
        'As tiny-1 took on this machine: 0.05 s a step, evaluations included. The run: 2 s. Memory is that of trainer and executor together.',
    });
    expect(hintOf('extends: tiny\nseed: 3\n')?.path).toBe('extends');
  });

  test('says when it is scaled', () => {
    expect(hintOf('extends: tiny\ntrain: { batchSize: 32 }\n')?.tooltip).toContain('in proportion to the work');
  });
});
