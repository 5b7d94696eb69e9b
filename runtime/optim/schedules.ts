/**
 * Schedules as plain numbers, in the semantics of the authors' SimDINO tree (v1), which takes them from DINO.
 */
import { effectiveLr } from '../../configs/derive.ts';

export interface CosineSchedule {
  base: number;
  final: number;
  totalSteps: number;
  warmupSteps?: number;
  /** Value at step 0 where there is a warm-up; 0 unless told. */
  warmupStart?: number;
}

/**
 * A value per step: a linear warm-up that includes both of its ends, then half a cosine whose end is not reached.
 *
 *     step < W:  start + (base - start) step / (W - 1)          (W = 1: start)
 *     step >= W: final + (base - final) / 2 (1 + cos(pi (step - W) / (total - W)))
 *
 * So the first step has `warmupStart`, and both the last warm-up step and the first cosine step have `base`.
 * Steps past the end keep the last value.
 */
export function cosineSchedule(
  step: number,
  { base, final, totalSteps, warmupSteps = 0, warmupStart = 0 }: CosineSchedule,
): number {
  const at = Math.min(step, totalSteps - 1);
  if (at < warmupSteps) {
    return warmupSteps === 1 ? warmupStart : warmupStart + ((base - warmupStart) * at) / (warmupSteps - 1);
  }
  const progress = (at - warmupSteps) / (totalSteps - warmupSteps);
  return final + 0.5 * (base - final) * (1 + Math.cos(Math.PI * progress));
}

export interface CosineScheduleV2 {
  base: number;
  final: number;
  totalSteps: number;
  warmupSteps: number;
  warmupStart: number;
  /** Steps at 0 in front of the warm-up. */
  freezeSteps?: number;
  /** Steps at `base` between warm-up and cosine. */
  plateauSteps?: number;
  /** Steps at the start whose value is replaced by 0, everything else unmoved: the last layer's. */
  zeroSteps?: number;
  /** Whether the last warm-up step already has `base`: `yes` in DINOv2's code, `no` in SimDINOv2's. */
  warmupReachesBase: 'yes' | 'no';
}

/**
 * The schedule of the v2 trees: zeros, a linear warm-up, a plateau, half a cosine; past the end the final value.
 */
export function cosineScheduleV2(step: number, schedule: CosineScheduleV2): number {
  const { base, final, totalSteps, warmupSteps, warmupStart, freezeSteps = 0, plateauSteps = 0 } = schedule;
  const { zeroSteps = 0, warmupReachesBase } = schedule;
  if (step >= totalSteps) return final;
  if (step < Math.max(freezeSteps, zeroSteps)) return 0;
  const warming = step - freezeSteps;
  if (warming < warmupSteps) {
    const intervals = warmupReachesBase === 'yes' ? Math.max(1, warmupSteps - 1) : warmupSteps;
    return warmupStart + ((base - warmupStart) * warming) / intervals;
  }
  const falling = warming - warmupSteps - plateauSteps;
  if (falling < 0) return base;
  const length = totalSteps - freezeSteps - warmupSteps - plateauSteps;
  return final + 0.5 * (base - final) * (1 + Math.cos((Math.PI * falling) / length));
}

export interface TeacherTemperature {
  warmup: number;
  final: number;
  warmupEpochs: number;
}

/** Temperature of DINO's teacher in an epoch (from 0): linear from `warmup` to `final`, both included, then `final`. */
export function teacherTemperature(epoch: number, { warmup, final, warmupEpochs }: TeacherTemperature): number {
  if (epoch >= warmupEpochs) return final;
  return warmupEpochs === 1 ? warmup : warmup + ((final - warmup) * epoch) / (warmupEpochs - 1);
}

export interface StepSchedules {
  lr: (step: number) => number;
  weightDecay: (step: number) => number;
  momentum: (step: number) => number;
}

/** The part of a configuration that schedules depend on. */
export interface ScheduledConfig {
  optim: {
    lr: number;
    lrScaling: 'linear256' | 'sqrt1024';
    minLr: number;
    schedule: 'v1' | 'v2';
    weightDecay: number;
    weightDecayEnd: number;
  };
  teacher: { update: 'ema' | 'student'; momentum: number; momentumEnd: number };
  train: { batchSize: number };
}

/** What `derive` knows of a run's length. */
export interface ScheduleTotals {
  stepsPerEpoch: number;
  totalSteps: number;
  warmupSteps: number;
}

/**
 * Learning rate, weight decay and teacher momentum of each step of a run (step counts from 0).
 * A teacher that copies the student has momentum 0 throughout.
 */
export function stepSchedules(
  { optim, teacher, train }: ScheduledConfig,
  { totalSteps, warmupSteps }: Pick<ScheduleTotals, 'totalSteps' | 'warmupSteps'>,
): StepSchedules {
  const base = effectiveLr(optim.lr, train.batchSize, optim.lrScaling);
  const lr = { base, final: optim.minLr, totalSteps, warmupSteps };
  const lrV2 = { ...lr, warmupStart: optim.minLr, warmupReachesBase: 'no' as const };
  const weightDecay = { base: optim.weightDecay, final: optim.weightDecayEnd, totalSteps };
  const momentum =
    teacher.update === 'student'
      ? { base: 0, final: 0, totalSteps }
      : { base: teacher.momentum, final: teacher.momentumEnd, totalSteps };
  return {
    lr: (step) => (optim.schedule === 'v2' ? cosineScheduleV2(step, lrV2) : cosineSchedule(step, lr)),
    weightDecay: (step) => cosineSchedule(step, weightDecay),
    momentum: (step) => cosineSchedule(step, momentum),
  };
}
