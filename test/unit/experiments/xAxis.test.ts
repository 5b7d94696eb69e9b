import { describe, expect, it } from 'vitest';
import { pausesOf, xColumn } from '../../../experiments/xAxis.ts';

const columns = (step: number[], seconds: number[]) => ({
  step: Float64Array.from(step),
  epoch: Float64Array.from(step, (s) => s / 4),
  time: Float64Array.from(seconds, (s) => 1_000_000 + 1000 * s),
});

describe('xColumn', () => {
  it('is the column itself for steps and epochs', () => {
    const c = columns([1, 2, 3], [0, 1, 2]);
    expect(xColumn(c, 'step', { startMs: 0, pauses: [] })).toBe(c.step);
    expect([...xColumn(c, 'epoch', { startMs: 0, pauses: [] })]).toEqual([0.25, 0.5, 0.75]);
  });

  it('leaves the pause between attempts out of the time', () => {
    const c = columns([1, 2, 3, 4], [1, 2, 1000, 1001]);
    const pauses = pausesOf(c, [2]);
    expect(pauses).toEqual([{ endMs: 2_000_000, lengthMs: 998_000 }]);
    expect([...xColumn(c, 'time', { startMs: 1_000_000, pauses })]).toEqual([1, 2, 2, 3]);
  });

  it('stands still when the clock jumps back', () => {
    const c = columns([1, 2, 3, 4], [10, 20, 5, 30]);
    expect([...xColumn(c, 'time', { startMs: 1_000_000, pauses: [] })]).toEqual([10, 20, 20, 30]);
  });
});
