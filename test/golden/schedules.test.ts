import { expect, it } from 'vitest';
import { effectiveLr } from '../../configs/derive.ts';
import {
  cosineSchedule,
  cosineScheduleV2,
  stepSchedules,
  teacherTemperature,
} from '../../runtime/optim/schedules.ts';
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
interface CosineCaseV2 {
  args: {
    base_value: number;
    final_value: number;
    total_iters: number;
    warmup_iters: number;
    start_warmup_value: number;
    freeze_iters?: number;
    peak_iters?: number;
    freeze_cut_iters?: number;
  };
  facebook?: ReferenceTensor;
  simdino?: ReferenceTensor;
}
interface ConfigV2 {
  epoch_length: number;
  epochs: number;
  batch_per_gpu: number;
  gpus: number;
  base_lr: number;
  iters: number[];
  lr: ReferenceTensor;
  wd: ReferenceTensor;
  momentum: ReferenceTensor;
  teacher_temp: ReferenceTensor;
  last_layer_lr: ReferenceTensor;
}
interface Reference {
  v2_lr_small: CosineCaseV2;
  v2_freeze_iters: CosineCaseV2;
  v2_sim_peak_and_cut: CosineCaseV2;
  v2_simdino_config: ConfigV2;
  v2_scaling_rules: { base_lr: number; global_batch: number; rule: string; lr: number }[];
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
        optim: { lr: recipe.base_lr_arg, lrScaling: 'linear256', schedule: 'v1', minLr: 1e-6, weightDecay: 0.04, weightDecayEnd: 0.4 },
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

  for (const name of ['v2_lr_small', 'v2_freeze_iters', 'v2_sim_peak_and_cut'] as const) {
    for (const tree of ['facebook', 'simdino'] as const) {
      it(`${name}, ${tree}`, () => {
        const { args, [tree]: expected } = reference[name];
        if (!expected) { expect(name).toBe('v2_sim_peak_and_cut'); return; }
        const schedule = {
          base: args.base_value,
          final: args.final_value,
          totalSteps: args.total_iters,
          warmupSteps: args.warmup_iters,
          warmupStart: args.start_warmup_value,
          freezeSteps: args.freeze_iters ?? 0,
          plateauSteps: args.peak_iters ?? 0,
          zeroSteps: args.freeze_cut_iters ?? 0,
          warmupReachesBase: tree === 'facebook' ? ('yes' as const) : ('no' as const),
        };
        const got = expected.data.map((_, step) => cosineScheduleV2(step, schedule));
        expectClose(name, got, expected, exact);
      });
    }
  }

  it('v2_simdino_config: the 100-epoch recipe', () => {
    const recipe = reference.v2_simdino_config;
    const totalSteps = recipe.epochs * recipe.epoch_length;
    const peak = effectiveLr(recipe.base_lr, recipe.batch_per_gpu * recipe.gpus, 'sqrt1024');
    const common = { totalSteps, warmupSteps: 0, warmupStart: 0, warmupReachesBase: 'no' } as const;
    const warmup = { warmupSteps: 10 * recipe.epoch_length, warmupStart: 1e-6 };
    const lr = { ...common, ...warmup, base: peak, final: 1e-6 };
    const at = (schedule: typeof lr & { zeroSteps?: number }) =>
      recipe.iters.map((step) => cosineScheduleV2(step, schedule));
    expectClose('lr', at(lr), recipe.lr, exact);
    expectClose('last layer', at({ ...lr, zeroSteps: recipe.epoch_length }), recipe.last_layer_lr, exact);
    expectClose('weight decay', at({ ...common, base: 0.04, final: 0.4 }), recipe.wd, exact);
    expectClose('momentum', at({ ...common, base: 0.9, final: 1 }), recipe.momentum, exact);
    const temperature = { warmupSteps: 30 * recipe.epoch_length, warmupStart: 0.04 };
    const temperatures = at({ ...common, ...temperature, totalSteps: temperature.warmupSteps, base: 0.07, final: 0.07 });
    expectClose('teacher temperature', temperatures, recipe.teacher_temp, exact);
  });

  it('v2_scaling_rules', () => {
    for (const { base_lr, global_batch, rule, lr } of reference.v2_scaling_rules) {
      // Linear from 1024 is linear from 256 at a quarter of the rate.
      const got =
        rule === 'sqrt_wrt_1024'
          ? effectiveLr(base_lr, global_batch, 'sqrt1024')
          : effectiveLr(base_lr / 4, global_batch, 'linear256');
      expectClose(rule, got, lr, exact);
    }
  });
});
