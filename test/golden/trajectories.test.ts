import type * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { dinoObjective } from '../../runtime/losses/dino.ts';
import { simdinoObjective } from '../../runtime/losses/simdino.ts';
import type { SimdinoOptions } from '../../runtime/losses/simdino.ts';
import { dropPathFactors } from '../../runtime/models/dropPath.ts';
import type { NetworkConfig, ViewStack } from '../../runtime/models/network.ts';
import { biasCorrections } from '../../runtime/optim/adamw.ts';
import {
  trainedParameters,
  updatedState,
  updateScalars,
  updateState,
  updateStudentAndTeacher,
} from '../../runtime/studentTeacherUpdate.ts';
import type { UpdateSettings } from '../../runtime/studentTeacherUpdate.ts';
import type { Precision, StepProgram, TensorSpec, TypedArray } from '../../runtime/engines/engine.ts';
import { parameterRules } from '../../runtime/optim/parameterRules.ts';
import { stepSchedules, teacherTemperature } from '../../runtime/optim/schedules.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { engine, precisions, toArray } from './compute.ts';
import { golden } from './reference.ts';
import type { GoldenName, NamedTensors } from './reference.ts';
import { expectSummary } from './summary.ts';
import type { Summary } from './summary.ts';

interface TrajectoryStep {
  loss: number;
  grad_norms_before_clip: ReferenceTensor;
  /** SimDINO: mean cosine, and gamma R. */
  comp?: number;
  expa?: number;
  /** DINO. */
  center_after?: ReferenceTensor;
}

interface Trajectory {
  config: {
    dim: number;
    depth: number;
    heads: number;
    ps: number;
    img: number;
    loc: number;
    B: number;
    nl: number;
    hid: number;
    bot: number;
    /** Prototypes. */
    out: number;
    eps: number;
    expa: 0 | 1;
    clip: number;
    lr: number;
    min_lr: number;
    wd: number;
    wde: number;
    mom: number;
    epochs: number;
    niter: number;
    warm: number;
    /** Epochs in which the last layer is left out. */
    freeze: number;
    nodistill?: 1;
  };
  grad_norm_order: string[];
  lr_per_step: ReferenceTensor;
  wd_per_step: ReferenceTensor;
  momentum_per_step: ReferenceTensor;
  adamw: { betas: [number, number]; eps: number };
  initial_weights_student_and_teacher: NamedTensors;
  batches: { crops: ReferenceTensor[] }[];
  f64: {
    steps: TrajectoryStep[];
    student_final: Record<string, Summary>;
    teacher_final: Record<string, Summary>;
    student_final_cls_token: ReferenceTensor;
    student_final_first_qkv_bias: ReferenceTensor;
    teacher_final_head_last_bias: ReferenceTensor;
  };
}

/** A third of it, the keys', has a gradient of zero, which AdamW turns into rounding noise of the size of the learning rate. */
const isNoisyInSingle = (name: string) => name.endsWith('attn.qkv.bias');

for (const name of ['traj_simdino', 'traj_simdino_no_distillation', 'traj_dino'] satisfies GoldenName[]) {
  golden<Trajectory>(name, (reference) => {
    it('has the schedules of the configuration', () => {
      const { config } = reference;
      const schedules = stepSchedules(
        {
          optim: { lr: config.lr, lrScaling: 'linear256', schedule: 'v1', minLr: config.min_lr, weightDecay: config.wd, weightDecayEnd: config.wde },
          teacher: { update: config.nodistill ? 'student' : 'ema', momentum: config.mom, momentumEnd: 1 },
          train: { batchSize: 256 },
        },
        { totalSteps: config.epochs * config.niter, warmupSteps: config.warm * config.niter },
      );
      const steps = reference.f64.steps.map((_, step) => step);
      expectClose('lr', steps.map(schedules.lr), reference.lr_per_step, tolerances.double);
      expectClose('weight decay', steps.map(schedules.weightDecay), reference.wd_per_step, tolerances.double);
      expectClose('momentum', steps.map(schedules.momentum), reference.momentum_per_step, tolerances.double);
    });

    for (const precision of precisions) {
      it(`six steps, ${precision}`, () => follow(reference, name === 'traj_dino' ? 'dino' : 'simdino', precision));
    }
  });
}

/** Runs the product's update from the recorded weights over the recorded crops, and compares every step and the end. */
async function follow(reference: Trajectory, method: Method, precision: Precision): Promise<void> {
  const { batches, config, f64 } = reference;
  const isDouble = precision === 'float64';
  const gamma = 1 / config.bot + 1 / config.B;
  const settings = settingsOf(reference, method, gamma);
  const step = await engine.compile(programOf(reference, settings), { precision });
  const state = engine.createState(updateState(settings), initialState(reference, precision), { precision });
  const tolerance = isDouble ? tolerances.doubleTrajectory : tolerances.singleGradient;

  for (const [index, expected] of f64.steps.entries()) {
    const got = await step.run(state, inputsOf(reference, index, batches[index % batches.length]!.crops, precision));
    const what = (quantity: string) => `step ${index}, ${quantity}`;
    if (expected.comp !== undefined && expected.expa !== undefined) {
      expectClose(what('loss'), got['loss']![0]! - 1, expected.loss, tolerance);
      expectClose(what('1 - distance'), 1 - got['distance']![0]!, expected.comp, tolerance);
      expectClose(what('gamma R'), got['codingRate']![0]! * gamma, expected.expa, tolerance);
    } else {
      expectClose(what('loss'), got['loss']!, expected.loss, tolerance);
      const { 'objective.center': center } = await state.read(['objective.center']);
      expectClose(what('centre'), center!, expected.center_after!, tolerance);
    }
    expectClose(what('updated'), got['updated']!, 1, tolerance);
    const norms = new Map(
      trainedParameters(settings).map(({ name }, position) => [name, got['gradientNorms']![position]!]),
    );
    for (const [position, name] of reference.grad_norm_order.entries()) {
      if (!isDouble && isNoisyInSingle(name)) continue;
      const norm = expected.grad_norms_before_clip.data[position]!;
      expectClose(what(`gradient norm of ${name}`), norms.get(name)!, norm, isDouble ? tolerance : singleNorms);
    }
  }

  const final = await state.read();
  for (const network of ['student', 'teacher'] as const) {
    for (const [name, summary] of Object.entries(f64[`${network}_final`])) {
      if (!isDouble && isNoisyInSingle(name)) continue;
      const options = { precision, tolerance: isDouble ? tolerance : singleWeights };
      expectSummary(`final ${network}.${name}`, final[`${network}.${name}`]!, summary, options);
    }
  }
  const clsToken = final['student.backbone.cls_token']!;
  expectClose('final cls token', clsToken, f64.student_final_cls_token, isDouble ? tolerance : singleWeights);
  if (isDouble) {
    const qkvBias = final['student.backbone.blocks.0.attn.qkv.bias']!;
    expectClose('final first qkv bias', qkvBias, f64.student_final_first_qkv_bias, tolerance);
  }
  const headBias = final['teacher.head.mlp.4.bias']!;
  expectClose('final head bias', headBias, f64.teacher_final_head_last_bias, isDouble ? tolerance : singleWeights);
  await step.dispose();
  await state.dispose();
}

/** Six steps with a learning rate of 0.02 carry single-precision noise of the first gradients into later ones. */
const singleNorms = { rtol: 1e-3, atol: 2e-4 };
const singleWeights = { rtol: 1e-3, atol: 5e-4 };

type Method = 'simdino' | 'dino';

function settingsOf({ config, adamw }: Trajectory, method: Method, gamma: number): UpdateSettings {
  const network: NetworkConfig = {
    backbone: {
      width: config.dim,
      depth: config.depth,
      heads: config.heads,
      patchSizePx: config.ps,
      mlpRatio: 4,
      imageSizePx: config.img,
      interpolation: { offset: 0.1, antialias: false },
    },
    head: {
      inputDim: config.dim,
      hiddenDim: config.hid,
      outputDim: config.bot,
      layers: 3,
      ...(method === 'dino' ? { prototypes: config.out } : {}),
    },
  };
  const codingRate: SimdinoOptions = {
    eps: Math.sqrt(config.eps),
    gamma,
    pairs: 'crossView',
    codingRate: { on: config.expa === 1 ? 'studentTeacherMean' : 'student', normalise: 'batch', groups: 1 },
  };
  return {
    network,
    objective:
      method === 'simdino'
        ? simdinoObjective(codingRate)
        : dinoObjective({ prototypes: config.out, studentTemperature: 0.1, centerMomentum: 0.9, measured: codingRate }),
    adam: { beta1: adamw.betas[0], beta2: adamw.betas[1], epsilon: adamw.eps },
    clipGradNorm: config.clip,
    clipBy: 'tensor',
    rules: parameterRules({ depth: config.depth, layerDecay: 1, patchEmbedding: 1 }),
    teacherUpdate: config.nodistill ? 'student' : 'ema',
    batch: config.B,
    ...(method === 'dino'
      ? {
          frozen: new Set(['head.last_layer.weight_g']),
          delayed: { names: new Set(['head.last_layer.weight_v']), until: 'skipped' },
        }
      : {}),
  };
}

function programOf({ config }: Trajectory, settings: UpdateSettings): StepProgram {
  const { backbone } = settings.network;
  const crops = (views: number, sizePx: number): TensorSpec => ({
    shape: [views * config.B, 3, sizePx, sizePx],
    dtype: 'float32',
  });
  const dropPath = (views: number): TensorSpec => ({
    shape: [backbone.depth, 2, views * config.B],
    dtype: 'float32',
  });
  const stack = (images: tf.Tensor, dropPath: tf.Tensor): ViewStack => ({
    images: images as tf.Tensor4D,
    layout: 'BCHW',
    dropPath_L2B: dropPath as tf.Tensor3D,
  });
  const state = updateState(settings);
  return {
    state,
    updates: updatedState(settings),
    inputs: {
      global: crops(2, config.img),
      local: crops(config.nl, config.loc),
      // Stochastic depth with a rate of zero: the graph of a real run, keeping every branch.
      globalDropPath: dropPath(2),
      localDropPath: dropPath(config.nl),
      ...Object.fromEntries(updateScalars(settings).map((name): [string, TensorSpec] => [name, { shape: [], dtype: 'float32' }])),
    },
    run: (tensors, inputs) =>
      updateStudentAndTeacher(
        tensors,
        [
          stack(inputs['global']!, inputs['globalDropPath']!),
          stack(inputs['local']!, inputs['localDropPath']!),
        ],
        inputs as Record<string, tf.Scalar>,
        settings,
      ),
  };
}

function initialState(reference: Trajectory, precision: Precision): Record<string, TypedArray> {
  return Object.fromEntries(
    Object.entries(reference.initial_weights_student_and_teacher).flatMap(([name, { data }]) => [
      [`student.${name}`, toArray(data, precision)],
      [`teacher.${name}`, toArray(data, precision)],
    ]),
  );
}

function inputsOf(
  { config, lr_per_step, wd_per_step, momentum_per_step, adamw }: Trajectory,
  step: number,
  crops: ReferenceTensor[],
  precision: Precision,
): Record<string, TypedArray> {
  const stacked = (views: ReferenceTensor[]) => toArray(views.flatMap(({ data }) => data), precision);
  const betas = { beta1: adamw.betas[0], beta2: adamw.betas[1] };
  const delay = config.freeze * config.niter;
  const delayed = biasCorrections(Math.max(1, step + 1 - delay), betas);
  const scalars: Record<string, number> = {
    lr: lr_per_step.data[step]!,
    weightDecay: wd_per_step.data[step]!,
    momentum: momentum_per_step.data[step]!,
    ...biasCorrections(step + 1, betas),
    delayedGate: step < delay ? 0 : 1,
    delayedBiasCorrection1: delayed.biasCorrection1,
    delayedBiasCorrection2: delayed.biasCorrection2,
    teacherTemperature: teacherTemperature(Math.floor(step / config.niter), { warmup: 0.04, final: 0.07, warmupEpochs: 1 }),
  };
  const keepAll = (views: number) =>
    toArray(dropPathFactors(new Array<number>(config.depth).fill(0), views * config.B, () => 0), precision);
  return {
    global: stacked(crops.slice(0, 2)),
    local: stacked(crops.slice(2)),
    globalDropPath: keepAll(2),
    localDropPath: keepAll(config.nl),
    ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, toArray([value], precision)])),
  };
}
