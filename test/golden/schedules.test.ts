import { expect, it } from 'vitest';
import { effectiveLr } from '../../configs/derive.ts';
import { cosineSchedule, stepSchedules, teacherTemperature } from '../../runtime/optim/schedules.ts';
import { expectClose } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { golden } from './reference.ts';

interface CosineCase {
  args: {
    base_value: number;
    final_value: number;
    epochs: number;
    niter_per_ep: number;
    warmup_epochs?: number;
    start_warmup_value?: number;
  };
  values: ReferenceTensor;
}
interface Reference {
  v1_lr_full: CosineCase;
  v1_wd_full: CosineCase;
  v1_momentum_full: CosineCase;
  v1_start_warmup_value: CosineCase;
  v1_realistic: {
    epochs: number;
    niter_per_ep: number;
    iters: number[];
    base_lr_arg: number;
    global_batch: number;
    peak_lr: number;
    lr: ReferenceTensor;
    wd: ReferenceTensor;
    momentum: ReferenceTensor;
  };
  v1_teacher_temp_per_epoch: {
    args: { warmup: number; final: number; warmup_epochs: number; epochs: number };
    values: ReferenceTensor;
  };
}

const exact = { rtol: 1e-12, atol: 1e-15 };

golden<Reference>('schedules', (reference) => {
  for (const name of ['v1_lr_full', 'v1_wd_full', 'v1_momentum_full', 'v1_start_warmup_value'] as const) {
    it(name, () => {
      const { args, values } = reference[name];
      const schedule = {
        base: args.base_value,
        final: args.final_value,
        totalSteps: args.epochs * args.niter_per_ep,
        warmupSteps: (args.warmup_epochs ?? 0) * args.niter_per_ep,
        warmupStart: args.start_warmup_value ?? 0,
      };
      const got = values.data.map((_, step) => cosineSchedule(step, schedule));
      expectClose(name, got, values, exact);
    });
  }

  it('v1_realistic: the 100-epoch recipe', () => {
    const recipe = reference.v1_realistic;
    expect(effectiveLr(recipe.base_lr_arg, recipe.global_batch)).toBeCloseTo(recipe.peak_lr, 12);
    const schedules = stepSchedules(
      {
        optim: { lr: recipe.base_lr_arg, minLr: 1e-6, weightDecay: 0.04, weightDecayEnd: 0.4 },
        teacher: { update: 'ema', momentum: 0.996, momentumEnd: 1 },
        train: { batchSize: recipe.global_batch },
      },
      { totalSteps: recipe.epochs * recipe.niter_per_ep, warmupSteps: 10 * recipe.niter_per_ep },
    );
    expectClose('lr', recipe.iters.map(schedules.lr), recipe.lr, exact);
    expectClose('weight decay', recipe.iters.map(schedules.weightDecay), recipe.wd, exact);
    expectClose('momentum', recipe.iters.map(schedules.momentum), recipe.momentum, exact);
  });

  it('v1_teacher_temp_per_epoch', () => {
    const { args, values } = reference.v1_teacher_temp_per_epoch;
    const schedule = { warmup: args.warmup, final: args.final, warmupEpochs: args.warmup_epochs };
    const got = values.data.map((_, epoch) => teacherTemperature(epoch, schedule));
    expectClose('temperature', got, values, exact);
  });
});
