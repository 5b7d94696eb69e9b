import { describe, expect, it } from 'vitest';
import { assess } from '../../../experiments/watchdog.ts';
import { run } from './fixtureRuns.ts';

const at = (codingRate: number, step = 500, config = {}) =>
  assess(
    run({
      id: 'a',
      step,
      totalSteps: 1000,
      last: { loss: 1, codingRate, codingRateMax: 103, effectiveRank: 3.14 },
      codingRateCollapsed: 3,
      config: { 'projector.outputDim': 256, 'loss.gammaFactor': 0.5, 'optim.lr': 0.001, ...config },
    }),
  );

describe('assess', () => {
  it('measures the coding rate between collapsed and maximal', () => {
    expect(at(53)).toEqual({
      verdict: 'healthy',
      reason: 'Coding rate at 50 % of the way from collapsed to its maximum, effective rank 3.1 of 256.',
      spread: 0.5,
      remedy: null,
    });
  });

  it('tells narrow from collapsed and offers a heavier coding rate', () => {
    expect(at(15)).toMatchObject({ verdict: 'narrowing' });
    expect(at(4)).toMatchObject({
      verdict: 'collapsed',
      remedy: { changes: { 'loss.gammaFactor': 1 }, words: 'weigh the coding rate more: loss.gammaFactor 1' },
    });
  });

  it('waits during the first twentieth of the run', () => {
    expect(at(4, 40)).toMatchObject({ verdict: 'warmingUp', remedy: null });
    expect(at(4, 60)).toMatchObject({ verdict: 'collapsed' });
  });

  it('knows divergence, and says nothing where nothing was logged', () => {
    const diverged = assess(run({ id: 'a', step: 7, last: { loss: NaN }, config: { 'optim.lr': 0.001 } }));
    expect(diverged).toMatchObject({ verdict: 'diverged', remedy: { changes: { 'optim.lr': 0.0005 } } });
    expect(assess(run({ id: 'a', last: { loss: 1 } })).verdict).toBe('unknown');
  });
});
