import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cosineSchedule, stepSchedules, teacherTemperature } from '../../../runtime/optim/schedules.ts';

it('warms up through both ends and decays towards, not to, the final value', () => {
  const schedule = { base: 1, final: 0.1, totalSteps: 10, warmupSteps: 3 };
  expect(cosineSchedule(0, schedule)).toBe(0);
  expect(cosineSchedule(1, schedule)).toBe(0.5);
  expect(cosineSchedule(2, schedule)).toBe(1);
  expect(cosineSchedule(3, schedule)).toBe(1);
  expect(cosineSchedule(9, schedule)).toBeGreaterThan(0.1);
});

it('a warm-up of one step is its start; steps past the end keep the last value', () => {
  const schedule = { base: 1, final: 0, totalSteps: 4, warmupSteps: 1, warmupStart: 0.25 };
  expect(cosineSchedule(0, schedule)).toBe(0.25);
  expect(cosineSchedule(9, schedule)).toBe(cosineSchedule(3, schedule));
});

it('never leaves the interval of its values, and falls after the warm-up', () => {
  const schedules = fc.record({
    base: fc.double({ min: 0.001, max: 1, noNaN: true }),
    totalSteps: fc.integer({ min: 1, max: 200 }),
    warmupSteps: fc.integer({ min: 0, max: 250 }),
  });
  fc.assert(
    fc.property(schedules, ({ base, totalSteps, warmupSteps }) => {
      const schedule = { base, final: 1e-6, totalSteps, warmupSteps: Math.min(warmupSteps, totalSteps) };
      const values = Array.from({ length: totalSteps }, (_, step) => cosineSchedule(step, schedule));
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(base * (1 + 1e-12));
      }
      const after = values.slice(schedule.warmupSteps);
      after.slice(1).forEach((value, index) => expect(value).toBeLessThanOrEqual(after[index]!));
    }),
  );
});

it('a teacher that copies the student has no momentum, whatever the configuration says', () => {
  const { momentum } = stepSchedules(
    {
      optim: { lr: 1, lrScaling: 'linear256', schedule: 'v1', minLr: 0, weightDecay: 0, weightDecayEnd: 0 },
      teacher: { update: 'student', momentum: 0.9, momentumEnd: 1 },
      train: { batchSize: 256 },
    },
    { totalSteps: 5, warmupSteps: 0 },
  );
  expect([0, 2, 4].map((step) => momentum(step))).toEqual([0, 0, 0]);
});

it('scales the learning rate linearly from a batch of 256', () => {
  const { lr } = stepSchedules(
    {
      optim: { lr: 0.0005, lrScaling: 'linear256', schedule: 'v1', minLr: 0, weightDecay: 0, weightDecayEnd: 0 },
      teacher: { update: 'ema', momentum: 0.9, momentumEnd: 1 },
      train: { batchSize: 512 },
    },
    { totalSteps: 5, warmupSteps: 0 },
  );
  expect(lr(0)).toBeCloseTo(0.001, 12);
});

it('holds the teacher temperature after its warm-up', () => {
  const schedule = { warmup: 0.04, final: 0.07, warmupEpochs: 3 };
  const expected = [0.04, 0.055, 0.07, 0.07, 0.07];
  [0, 1, 2, 3, 50].forEach((epoch, index) => {
    expect(teacherTemperature(epoch, schedule)).toBeCloseTo(expected[index]!, 12);
  });
  expect(teacherTemperature(0, { warmup: 0.04, final: 0.04, warmupEpochs: 0 })).toBe(0.04);
});
