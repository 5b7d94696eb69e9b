import { describe, expect, it } from 'vitest';
import { assess } from '../../../experiments/watchdog.ts';
import { run } from './fixtureRuns.ts';

const ofSimdino = { method: 'simdino' };

const at = (codingRate: number, step = 500, config = {}) =>
  assess(
    run({
      id: 'a',
      step,
      totalSteps: 1000,
      last: { loss: 1, codingRate, codingRateMax: 103, effectiveRank: 3.14 },
      codingRateCollapsed: 3,
      config: { ...ofSimdino, 'projector.outputDim': 256, 'loss.gammaFactor': 0.5, 'optim.lr': 0.001, ...config },
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
    expect(diverged).toMatchObject({
      verdict: 'diverged',
      remedy: { changes: { 'optim.lr': 0.0005 }, fromStep: 0 },
    });
    expect(assess(run({ id: 'a', last: { loss: 1 } })).verdict).toBe('unknown');
  });

  describe('with what was logged', () => {
    /** A coding rate (of 3 to 103) per step, 1000 steps in all. */
    const after = (rates: number[], checkpointSteps: number[] = []) => {
      const step = rates.map((_, i) => i + 1);
      const last = { loss: 1, codingRate: rates.at(-1)!, codingRateMax: 103, teacherStudentCosine: 0.995 };
      const config = { ...ofSimdino, 'loss.gammaFactor': 1 };
      return assess(
        run({ id: 'a', step: rates.length, totalSteps: 1000, last, codingRateCollapsed: 3, config, checkpointSteps }),
        (metric) => (metric === 'codingRate' ? { step, values: rates } : undefined),
      );
    };
    const flat = (value: number, count: number) => Array<number>(count).fill(value);

    it('takes an early fall that came back for a spike', () => {
      const { verdict, reason } = after([...flat(80, 60), ...flat(5, 8), ...flat(80, 30)]);
      expect(verdict).toBe('healthy');
      expect(reason).toContain('It fell to 2 % at step 61 and came back: a spike.');
    });

    it('waits before it calls a fall a collapse, and offers nothing meanwhile', () => {
      expect(after([...flat(80, 60), ...flat(5, 10)])).toMatchObject({ verdict: 'spike', remedy: null });
      expect(after([...flat(80, 60), ...flat(5, 10)]).reason).toContain('after 20 steps without coming back');
    });

    it('calls it a collapse when it stays, and goes on from the checkpoint before it', () => {
      const { verdict, reason, remedy } = after([...flat(80, 300), ...flat(5, 40)], [100, 200, 320]);
      expect(verdict).toBe('collapsed');
      expect(reason).toContain('low since step 301');
      expect(remedy).toEqual({
        changes: { 'loss.gammaFactor': 2 },
        words: expect.any(String) as string,
        fromStep: 200,
      });
    });

    it('that never spread is told from the start, after the warm-up alone', () => {
      expect(after(flat(5, 40)).verdict).toBe('warmingUp');
      expect(after(flat(5, 80), [50])).toMatchObject({ verdict: 'collapsed', remedy: { fromStep: 0 } });
    });

    it('says what teacher and student agree on', () => {
      expect(after(flat(80, 80)).reason).toContain('teacher-student cosine 0.99');
    });
  });
});
