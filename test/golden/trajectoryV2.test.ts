import type * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import type { Precision, StepProgram, TensorSpec, TypedArray } from '../../runtime/engines/engine.ts';
import { dinov2Objective } from '../../runtime/losses/dinov2.ts';
import type { Objective } from '../../runtime/losses/objective.ts';
import { simdinov2Objective } from '../../runtime/losses/simdinov2.ts';
import type { SimdinoOptions } from '../../runtime/losses/simdino.ts';
import type { Centering } from '../../runtime/losses/teacherDistribution.ts';
import { patchSelection } from '../../runtime/models/network.ts';
import type { ViewStack } from '../../runtime/models/network.ts';
import { biasCorrections } from '../../runtime/optim/adamw.ts';
import { parameterRules } from '../../runtime/optim/parameterRules.ts';
import {
  trainedParameters,
  updatedState,
  updateScalars,
  updateState,
  updateStudentAndTeacher,
} from '../../runtime/studentTeacherUpdate.ts';
import type { UpdateSettings } from '../../runtime/studentTeacherUpdate.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { engine, precisions, toArray } from './compute.ts';
import { golden } from './reference.ts';
import type { GoldenName, NamedTensors } from './reference.ts';
import { expectSummary } from './summary.ts';
import type { Summary } from './summary.ts';

interface Batch {
  global_crops: ReferenceTensor;
  local_crops: ReferenceTensor;
  masks: ReferenceTensor;
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
    reg: number;
    clip: number;
    layerwise: number;
    pe_mult: number;
  };
  /** DINOv2's. */
  config_overrides?: { dino: { head_n_prototypes: number; koleo_loss_weight: number } };
  lr_per_step: ReferenceTensor;
  wd_per_step: ReferenceTensor;
  momentum_per_step: ReferenceTensor;
  teacher_temp_per_step?: number[];
  adamw: { betas: [number, number]; eps: number };
  initial_weights_student_and_teacher: NamedTensors;
  batches: Batch[];
  f64: {
    steps: {
      losses: SimdinoLosses | DinoLosses;
      grad_norm_before_clip: { backbone: number; dino_head: number };
    }[];
    student_final: Record<string, Summary>;
    teacher_final: Record<string, Summary>;
    student_final_mask_token: ReferenceTensor;
    student_final_head_last_bias: ReferenceTensor;
  };
}

interface SimdinoLosses {
  dino_mcr_comp_loss: number;
  dino_mcr_expa_loss: number;
  ibot_comp_loss: number;
  total_loss: number;
}

interface DinoLosses {
  dino_loss: number;
  /** Weighted sum over the two global views. */
  koleo_loss: number;
  ibot_loss: number;
  total_loss: number;
}

/** Four steps with a learning rate of 0.02 carry single-precision noise of the first gradients into later ones. */
const singleNorms = { rtol: 1e-3, atol: 2e-4 };
const singleWeights = { rtol: 1e-3, atol: 5e-4 };
/** A third of it, the keys', has a gradient of zero, which AdamW turns into rounding noise of the size of the learning rate. */
const isNoisyInSingle = (name: string) => name.endsWith('attn.qkv.bias');

const ownName = (official: string) => official.replace(/^dino_head\./, 'head.');

type Method = 'simdinov2' | Centering;

const methods = {
  traj_simdinov2: 'simdinov2',
  traj_dinov2_centering: { kind: 'ema', momentum: 0.9 },
  traj_dinov2_sinkhorn: { kind: 'sinkhornKnopp', iterations: 3 },
} satisfies Partial<Record<GoldenName, Method>>;

for (const [name, method] of Object.entries(methods) as [keyof typeof methods, Method][]) {
  golden<Trajectory>(name, (reference) => {
    for (const precision of precisions) {
      it(`four steps, ${precision}`, () => follow(reference, method, precision));
    }
  });
}

/** Runs the product's update from the recorded weights over the recorded crops and masks. */
async function follow(reference: Trajectory, method: Method, precision: Precision): Promise<void> {
  const { config, batches, f64 } = reference;
  const isDouble = precision === 'float64';
  const gamma = 1 / config.bot + 1 / config.B;
  const settings = settingsOf(reference, method, gamma);
  const step = await engine.compile(programOf(reference, settings), { precision });
  const state = engine.createState(updateState(settings), initialState(reference, precision), { precision });
  const tolerance = isDouble ? tolerances.doubleTrajectory : tolerances.singleGradient;

  for (const [index, expected] of f64.steps.entries()) {
    const batch = batches[index]!;
    const got = await step.run(state, inputsOf(reference, index, batch, precision));
    const what = (quantity: string) => `step ${index}, ${quantity}`;
    if ('dino_loss' in expected.losses) {
      const { dino_loss, koleo_loss, ibot_loss, total_loss } = expected.losses;
      const weight = reference.config_overrides!.dino.koleo_loss_weight;
      expectClose(what('views'), got['viewCrossEntropy']!, dino_loss, tolerance);
      expectClose(what('KoLeo'), weight * got['koleo']![0]!, koleo_loss, tolerance);
      expectClose(what('patches'), got['patchCrossEntropy']!, ibot_loss, tolerance);
      expectClose(what('loss'), got['loss']!, total_loss, tolerance);
    } else {
      const { masks } = batch;
      const masked = placesOf(masks).filter((places) => places.length > 0).length / masks.shape[0]!;
      const { dino_mcr_comp_loss, dino_mcr_expa_loss, ibot_comp_loss, total_loss } = expected.losses;
      expectClose(what('1 - distance'), 1 - got['distance']![0]!, dino_mcr_comp_loss, tolerance);
      expectClose(what('gamma R'), got['codingRate']![0]! * gamma, dino_mcr_expa_loss, tolerance);
      expectClose(what('patches'), got['patchDistance']![0]! - masked, ibot_comp_loss, tolerance);
      expectClose(what('loss'), got['loss']![0]! - 1 - masked, total_loss, tolerance);
    }
    for (const [module, norm] of Object.entries(expected.grad_norm_before_clip)) {
      const ofModule = trainedParameters(settings).flatMap(({ name }, position) =>
        name.startsWith(ownName(`${module}.`)) ? [got['gradientNorms']![position]!] : [],
      );
      const total = Math.hypot(...ofModule);
      expectClose(what(`gradient norm of ${module}`), total, norm, isDouble ? tolerance : singleNorms);
    }
  }

  const final = await state.read();
  for (const network of ['student', 'teacher'] as const) {
    for (const [official, summary] of Object.entries(f64[`${network}_final`])) {
      if (!isDouble && isNoisyInSingle(official)) continue;
      const name = `${network}.${ownName(official)}`;
      expectSummary(`final ${name}`, final[name]!, summary, {
        precision,
        tolerance: isDouble ? tolerance : singleWeights,
      });
    }
  }
  const weights = isDouble ? tolerance : singleWeights;
  expectClose('final mask token', final['student.backbone.mask_token']!, f64.student_final_mask_token, weights);
  expectClose('final head bias', final['student.head.mlp.4.bias']!, f64.student_final_head_last_bias, weights);
  await step.dispose();
  await state.dispose();
}

function settingsOf(reference: Trajectory, method: Method, gamma: number): UpdateSettings {
  const { config, config_overrides, adamw } = reference;
  const prototypes = method === 'simdinov2' ? {} : { prototypes: config_overrides!.dino.head_n_prototypes };
  return {
    network: {
      backbone: {
        width: config.dim,
        depth: config.depth,
        heads: config.heads,
        patchSizePx: config.ps,
        mlpRatio: 4,
        imageSizePx: config.img,
        interpolation: { offset: 0, antialias: true },
        registers: config.reg,
        layerScale: 0.1,
        maskToken: true,
      },
      head: { inputDim: config.dim, hiddenDim: config.hid, outputDim: config.bot, layers: 3, ...prototypes },
    },
    objective: objectiveOf(reference, method, gamma),
    adam: { beta1: adamw.betas[0], beta2: adamw.betas[1], epsilon: adamw.eps },
    clipGradNorm: config.clip,
    clipBy: 'module',
    rules: parameterRules({ depth: config.depth, layerDecay: config.layerwise, patchEmbedding: config.pe_mult }),
    teacherUpdate: 'ema',
    batch: config.B,
  };
}

function objectiveOf({ config_overrides }: Trajectory, method: Method, gamma: number): Objective {
  const measured: SimdinoOptions = {
    eps: Math.sqrt(0.05),
    gamma,
    pairs: 'crossView',
    codingRate: { on: 'studentTeacherMean', normalise: 'batch', groups: 1 },
  };
  const patches = { viewWeight: 1, patchWeight: 1, average: 'maskedPatches' } as const;
  if (method === 'simdinov2') return simdinov2Objective({ ...measured, ...patches });
  const { head_n_prototypes: prototypes, koleo_loss_weight: koleoWeight } = config_overrides!.dino;
  return dinov2Objective({
    ...patches,
    prototypes: { views: prototypes, patches: prototypes },
    centering: method,
    studentTemperature: 0.1,
    koleoWeight,
    koleoGroups: 1,
    measured,
  });
}

function programOf({ config, batches }: Trajectory, settings: UpdateSettings): StepProgram {
  const state = updateState(settings);
  const patches = batches[0]!.masks.shape[1]!;
  const crops = (views: number, sizePx: number): TensorSpec => ({
    shape: [views * config.B, 3, sizePx, sizePx],
    dtype: 'float32',
  });
  return {
    state,
    updates: updatedState(settings),
    inputs: {
      global: crops(2, config.img),
      local: crops(config.nl, config.loc),
      places: { shape: [2 * config.B, patches], dtype: 'float32' },
      ...Object.fromEntries(
        updateScalars(settings).map((name): [string, TensorSpec] => [name, { shape: [], dtype: 'float32' }]),
      ),
    },
    run: (tensors, inputs) => {
      const selection_IKP = patchSelection(inputs['places'] as tf.Tensor2D, { patches });
      const views: ViewStack[] = [
        { images: inputs['global'] as tf.Tensor4D, layout: 'BCHW', masks: { selection_IKP, hidden: true } },
        { images: inputs['local'] as tf.Tensor4D, layout: 'BCHW' },
      ];
      return updateStudentAndTeacher(tensors, views, inputs as Record<string, tf.Scalar>, settings);
    },
  };
}

function initialState(reference: Trajectory, precision: Precision): Record<string, TypedArray> {
  return Object.fromEntries(
    Object.entries(reference.initial_weights_student_and_teacher).flatMap(([official, { data }]) => [
      [`student.${ownName(official)}`, toArray(data, precision)],
      [`teacher.${ownName(official)}`, toArray(data, precision)],
    ]),
  );
}

/** The numbers of the masked patches of each image. */
function placesOf({ shape, data }: ReferenceTensor): number[][] {
  const [images, patches] = shape as [number, number];
  return Array.from({ length: images }, (_, image) =>
    Array.from({ length: patches }, (_, patch) => patch).filter((patch) => data[image * patches + patch] === 1),
  );
}

function inputsOf(
  { lr_per_step, wd_per_step, momentum_per_step, teacher_temp_per_step, adamw }: Trajectory,
  step: number,
  { global_crops, local_crops, masks }: Batch,
  precision: Precision,
): Record<string, TypedArray> {
  const scalars = {
    lr: lr_per_step.data[step]!,
    weightDecay: wd_per_step.data[step]!,
    momentum: momentum_per_step.data[step]!,
    ...biasCorrections(step + 1, { beta1: adamw.betas[0], beta2: adamw.betas[1] }),
    ...(teacher_temp_per_step ? { teacherTemperature: teacher_temp_per_step[step]! } : {}),
  };
  const patches = masks.shape[1]!;
  const places = placesOf(masks).flatMap((masked) => [
    ...masked,
    ...new Array<number>(patches - masked.length).fill(-1),
  ]);
  return {
    global: toArray(global_crops.data, precision),
    local: toArray(local_crops.data, precision),
    places: toArray(places, precision),
    ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, toArray([value], precision)])),
  };
}
