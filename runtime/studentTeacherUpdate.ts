/**
 * One update of student and teacher as a pure function, in the authors' order: the teacher as it was before the update, loss and
 * gradients, clipping tensor by tensor, AdamW, then the teacher's moving average.
 *
 * State entries are `student.NAME`, `teacher.NAME`, `adam.first.NAME` and `adam.second.NAME`, NAME as in the authors' checkpoints.
 *
 * An update whose loss or gradient is not finite changes nothing: its gradients are replaced by zeros and a scalar gate sets the
 * learning rate and the averaging rates to 0. Selecting between old and new state would need one more pass over four copies of the
 * parameters; this needs one over the gradients.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec, Tensors } from './engines/engine.ts';
import type { MaskedPatches, Objective, ObjectiveOutput } from './losses/objective.ts';
import { networkFeatures, networkParameters, patchHeadName } from './models/network.ts';
import type { NetworkConfig, NetworkFeatures, ViewStack } from './models/network.ts';
import { elementCount, initialiseParameters, prefixed, submodule } from './models/parameters.ts';
import type { ParameterSpec, Parameters, Random } from './models/parameters.ts';
import { gatherOverRanks, sumOverRanks } from './ops/sumOverRanks.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import { adamw } from './optim/adamw.ts';
import type { AdamOptions, AdamScalars } from './optim/adamw.ts';
import { clipFactor, globalNorm, gradientNorms } from './optim/clip.ts';
import { ema } from './optim/ema.ts';
import { inGroups, joined, parted } from './optim/inGroups.ts';
import { lossScaleOf, lossScaleState, nextLossScale } from './optim/lossScale.ts';
import type { ParameterRules } from './optim/parameterRules.ts';

/** What the update is made of; constant over a run. */
export interface UpdateSettings {
  network: NetworkConfig;
  objective: Objective;
  adam: AdamOptions;
  /** Largest norm of a gradient; 0: no clipping. */
  clipGradNorm: number;
  /** What has that norm: each tensor by itself (v1), or backbone and head each as a whole (v2). */
  clipBy: 'tensor' | 'module';
  rules: ParameterRules;
  /** `student` copies the student after every update (no self-distillation). */
  teacherUpdate: 'ema' | 'student';
  /** Images of a step that this process takes: all B, or its share of them. */
  batch: number;
  /** Which share, where several processes take a step together. */
  share?: OwnShare;
  /** Names of tensors that are never trained. */
  frozen?: ReadonlySet<string>;
  /** Tensors that are trained from a later step on. */
  delayed?: DelayedTraining;
  /** Gradients are computed of a scaled loss, for mixed precision. */
  lossScaling?: boolean;
}

export interface DelayedTraining {
  names: ReadonlySet<string>;
  /**
   * What happens until then: `skipped` leaves them out entirely, weight decay and moments included, and counts their updates from there
   * (v1); `zeroRate` only sets their learning rate to 0, while the moments move (v2). The scalar `delayedGate` is 0 until then and 1
   * afterwards; the bias corrections of `skipped` are `delayedBiasCorrection1` and `delayedBiasCorrection2`.
   */
  until: 'skipped' | 'zeroRate';
}

const commonScalars = ['lr', 'weightDecay', 'momentum', 'biasCorrection1', 'biasCorrection2'] as const;
const delayedScalars = {
  skipped: ['delayedGate', 'delayedBiasCorrection1', 'delayedBiasCorrection2'],
  zeroRate: ['delayedGate'],
} as const;
export type StepScalar = (typeof commonScalars)[number];

/** The numbers that an update needs at each step. */
export function updateScalars({ objective, delayed }: UpdateSettings): string[] {
  return [...commonScalars, ...(delayed?.names.size ? delayedScalars[delayed.until] : []), ...objective.scalars];
}

/** The tensors that an update trains, in the order of the output `gradientNorms`. */
export function trainedParameters({ network, frozen }: UpdateSettings): ParameterSpec[] {
  return networkParameters(network).filter(({ name }) => !frozen?.has(name));
}

/**
 * @param views one stack per resolution, the global views first; the teacher sees the first stack without stochastic depth
 * @returns the new state, and as outputs, scalars unless told: `loss`, `distance`, `codingRate`, `teacherStudentCosine`, what else the
 *   objective measures, `gradientNorm` (all tensors together, before clipping), `gradientNorms` [tensors] in the order of
 *   `trainedParameters`, `updated` (1, or 0 if the update was discarded), and the unit features of the first global view,
 *   `studentFeatures` and `teacherFeatures` [B, d]; with loss scaling `lossScale`, that of this update
 */
export function updateStudentAndTeacher(
  state: Tensors,
  views: readonly ViewStack[],
  scalars: Record<string, tf.Scalar>,
  settings: UpdateSettings,
): { state: Tensors; outputs: Tensors } {
  const own = lossAndGradients(state, views, scalars, settings);
  // Each process has found the gradient through its own images; that of the prototypes, which score everyone's features, it has whole.
  const isWhole = (name: string) => name.includes('.last_layer.');
  const gradients = settings.share
    ? Object.fromEntries(
        Object.entries(own.gradients).map(([name, tensor]) => [name, isWhole(name) ? tensor : sumOverRanks(tensor)]),
      )
    : own.gradients;
  const found = { ...own, gradients };
  const updated = applyGradients(state, found, scalars, settings);
  // It outlived the gradient's scope; the update holds what became of it.
  tf.dispose(found.objectiveState);
  return updated;
}

/** What the first half of an update finds out: everything that depends on images. */
export interface LossAndGradients {
  loss: tf.Scalar;
  /** What the objective measures. */
  terms: Record<string, tf.Scalar>;
  /** By name, of the parameters that are trained; times the loss scale, where there is one. */
  gradients: Parameters;
  /** The objective's own entries of the state for the next step. */
  objectiveState: Tensors;
  /** Unit features of the first global view. */
  studentFeatures_BO: tf.Tensor2D;
  teacherFeatures_BO: tf.Tensor2D;
}

/** The first half of an update: teacher, student, loss and gradients. Whatever is summed over parts of a batch is summed of these. */
export function lossAndGradients(
  state: Tensors,
  views: readonly ViewStack[],
  scalars: Record<string, tf.Scalar>,
  settings: UpdateSettings,
): LossAndGradients {
  const { network, batch, objective } = settings;
  const teacher = submodule(state, 'teacher');
  const seen = ofWholeBatch(
    networkFeatures(teacher, views.slice(0, 1).map(asTeacherSees), network, { batch }),
    settings,
  );
  const teacher_GBO = seen.views_VBO;

  const scale = settings.lossScaling ? lossScaleOf(state) : undefined;
  const specs = trainedParameters(settings);
  const { kept, gradients } = differentiate(submodule(state, 'student'), { specs, scale }, (student) => {
    const features = ofWholeBatch(networkFeatures(student, views, network, { batch }), settings);
    const { views_VBO: student_VBO, classes_GBD: studentClasses_GBD, places_IKO } = features;
    const evaluated = objective.evaluate({
      student_VBO,
      teacher_GBO,
      studentClasses_GBD,
      ...maskedPatches(views, places_IKO, seen.places_IKO, settings),
      studentHead: submodule(student, 'head'),
      teacherHead: submodule(teacher, 'head'),
      studentPatchHead: submodule(student, patchHeadName(network)),
      teacherPatchHead: submodule(teacher, patchHeadName(network)),
      state: submodule(state, 'objective'),
      scalars,
    });
    return { ...evaluated, features_BO: firstView(student_VBO) };
  });
  return {
    loss: kept.loss,
    terms: kept.terms,
    gradients,
    objectiveState: kept.state,
    studentFeatures_BO: kept.features_BO,
    teacherFeatures_BO: firstView(teacher_GBO),
  };
}

/** The second half of an update: clipping, AdamW and the teacher's average. It sees no images. */
export function applyGradients(
  state: Tensors,
  { loss, terms, gradients: found, objectiveState, studentFeatures_BO, teacherFeatures_BO }: LossAndGradients,
  scalars: Record<string, tf.Scalar>,
  settings: UpdateSettings,
): { state: Tensors; outputs: Tensors } {
  const specs = trainedParameters(settings);
  const scale = settings.lossScaling ? lossScaleOf(state) : undefined;
  const gradients = scale
    ? Object.fromEntries<tf.Tensor>(Object.entries(found).map(([name, gradient]) => [name, tf.div(gradient, scale)]))
    : found;
  const norms_T = gradientNorms(specs.map(({ name }) => gradients[name]!));
  const norm = globalNorm(norms_T);
  const factors = clipFactors(specs, norms_T, settings);
  const gate = tf.mul<tf.Scalar>(isFinite(loss), isFinite(norm));
  return {
    state: {
      ...networkUpdate({ state, gradients, factors, gate, scalars, specs, settings }),
      ...objectiveUpdate(state, objectiveState, gate),
      ...(scale ? nextLossScale(state, gate) : {}),
    },
    outputs: {
      ...terms,
      loss,
      gradientNorm: norm,
      gradientNorms: norms_T,
      updated: gate,
      ...(scale ? { lossScale: scale } : {}),
      studentFeatures: studentFeatures_BO,
      teacherFeatures: teacherFeatures_BO,
    },
  };
}

/** The state that the update reads. */
export function updateState(settings: UpdateSettings): Record<string, TensorSpec> {
  const all = networkParameters(settings.network);
  const trained = trainedParameters(settings);
  return {
    ...tensorSpecs(prefixed('student', all)),
    ...tensorSpecs(prefixed('teacher', all)),
    ...tensorSpecs(prefixed('adam.first', trained)),
    ...tensorSpecs(prefixed('adam.second', trained)),
    ...Object.fromEntries(Object.entries(settings.objective.state).map(([name, spec]) => [`objective.${name}`, spec])),
    ...(settings.lossScaling ? lossScaleState : {}),
  };
}

/** The entries of the state that it replaces: all but what is frozen. */
export function updatedState(settings: UpdateSettings): string[] {
  const { frozen } = settings;
  return Object.keys(updateState(settings)).filter((name) => !frozen?.has(name.replace(/^(student|teacher)\./, '')));
}

/** State at the start of training: the teacher is a copy of the student, everything else zero. */
export function initialUpdateState(settings: UpdateSettings, random: Random): Record<string, Float32Array> {
  const values = initialiseParameters(networkParameters(settings.network), random);
  const networks = [...values].flatMap(([name, data]): [string, Float32Array][] => [
    [`student.${name}`, data],
    [`teacher.${name}`, data.slice()],
  ]);
  const state = Object.fromEntries(networks);
  for (const [name, { shape }] of Object.entries(updateState(settings))) {
    state[name] ??= new Float32Array(elementCount(shape));
  }
  return state;
}

function tensorSpecs(specs: readonly ParameterSpec[]): Record<string, TensorSpec> {
  return Object.fromEntries(specs.map(({ name, shape }): [string, TensorSpec] => [name, { shape, dtype: 'float32' }]));
}

interface Update {
  state: Tensors;
  gradients: Parameters;
  /** By which each gradient is clipped; absent: none is. */
  factors: readonly tf.Tensor1D[] | undefined;
  /** 1 to update, 0 to leave everything as it was. */
  gate: tf.Scalar;
  scalars: Record<string, tf.Scalar>;
  specs: readonly ParameterSpec[];
  settings: UpdateSettings;
}

/** Clipped AdamW for the student, then the teacher's average of it. */
function networkUpdate({ state, gradients, factors, gate, scalars, specs, settings }: Update): Tensors {
  const momentum = tf.sub<tf.Scalar>(1, tf.mul(tf.sub(1, scalars['momentum']!), gate));
  const weightDecay = scalars['weightDecay']!;
  const next: Tensors = {};
  const clipped = new Map(
    specs.map(({ name }, index) => [name, factors ? tf.mul(gradients[name]!, factors[index]!) : gradients[name]!]),
  );
  const treatment = ({ name }: ParameterSpec) => ({
    ...settings.rules(name),
    delayed: settings.delayed?.names.has(name) ? settings.delayed.until : ('no' as const),
  });
  for (const group of inGroups(specs, (spec) => JSON.stringify(treatment(spec)))) {
    const { lrMultiplier, decays, delayed } = treatment(group[0]);
    const entries = (prefix: string) => joined(group, (name) => state[`${prefix}.${name}`]!);
    const { parameter, moments } = adamw(
      entries('student'),
      selected(
        gate,
        joined(group, (name) => clipped.get(name)!),
        0,
      ),
      { first: entries('adam.first'), second: entries('adam.second') },
      adamScalars(scalars, gate, { lrMultiplier, delayed }),
      { ...settings.adam, ...(decays ? { weightDecay } : {}) },
    );
    const results = {
      student: parameter,
      'adam.first': moments.first,
      'adam.second': moments.second,
      teacher:
        settings.teacherUpdate === 'student' ? tf.clone(parameter) : ema(entries('teacher'), parameter, { momentum }),
    };
    for (const [prefix, whole] of Object.entries(results))
      for (const [name, part] of Object.entries(parted(group, whole))) next[`${prefix}.${name}`] = part;
  }
  return next;
}

function adamScalars(
  scalars: Record<string, tf.Scalar>,
  gate: tf.Scalar,
  { lrMultiplier, delayed }: { lrMultiplier: number; delayed: DelayedTraining['until'] | 'no' },
): AdamScalars {
  const scheduled = scalars['lr']!;
  const lr = lrMultiplier === 1 ? scheduled : tf.mul<tf.Scalar>(scheduled, lrMultiplier);
  const common = {
    lr,
    gate,
    biasCorrection1: scalars['biasCorrection1']!,
    biasCorrection2: scalars['biasCorrection2']!,
  };
  switch (delayed) {
    case 'no':
      return common;
    case 'zeroRate':
      return { ...common, lr: tf.mul(lr, scalars['delayedGate']!) };
    case 'skipped':
      return {
        lr,
        gate: tf.mul(gate, scalars['delayedGate']!),
        biasCorrection1: scalars['delayedBiasCorrection1']!,
        biasCorrection2: scalars['delayedBiasCorrection2']!,
      };
  }
}

/** What clips each tensor, a vector of one, by its own norm or by that of its module, backbone or a head, as a whole. */
function clipFactors(
  specs: readonly ParameterSpec[],
  norms_T: tf.Tensor1D,
  { clipGradNorm, clipBy }: UpdateSettings,
): tf.Tensor1D[] | undefined {
  if (clipGradNorm === 0) return undefined;
  const factorsOf = (norms: tf.Tensor1D) => clipFactor(norms, { maxNorm: clipGradNorm });
  const each = (vector_T: tf.Tensor1D) => specs.map((_, index) => tf.slice(vector_T, [index], [1]));
  if (clipBy === 'tensor') return each(factorsOf(norms_T));
  const moduleOf = ({ name }: ParameterSpec) => name.slice(0, name.indexOf('.'));
  const norms = each(norms_T);
  const ofModule = (module: string) => norms.filter((_, index) => moduleOf(specs[index]!) === module);
  const factors = new Map(
    [...new Set(specs.map(moduleOf))].map((module) => [
      module,
      factorsOf(tf.reshape(globalNorm(tf.concat(ofModule(module))), [1])),
    ]),
  );
  return specs.map((spec) => factors.get(moduleOf(spec))!);
}

function objectiveUpdate(state: Tensors, next: Tensors, gate: tf.Scalar): Tensors {
  return Object.fromEntries(
    Object.entries(next).map(([name, tensor]) => [
      `objective.${name}`,
      selected(gate, tensor, state[`objective.${name}`]!),
    ]),
  );
}

/** `updated` where the gate is 1, else `kept`. */
function selected(gate: tf.Scalar, updated: tf.Tensor, kept: tf.Tensor | number): tf.Tensor {
  return tf.where(tf.cast(gate, 'bool'), updated, kept);
}

/**
 * Features of the images of all processes, in the batch's order. An objective is not a mean over images - a coding rate, a centre or a
 * nearest neighbour is of the batch - so every process computes it of all features, which are small, and differentiates by its own.
 */
function ofWholeBatch(own: NetworkFeatures, settings: UpdateSettings): NetworkFeatures {
  const { share } = settings;
  if (!share) return own;
  return {
    views_VBO: gatherOverRanks(own.views_VBO, { axis: 1, ...share }),
    classes_GBD: gatherOverRanks(own.classes_GBD, { axis: 1, ...share }),
    ...(own.places_IKO ? { places_IKO: gatherViews(own.places_IKO, settings) } : {}),
  };
}

/** The same of rows that lie view by view, [views x B, ..]. */
function gatherViews<T extends tf.Tensor>(rows: T, { share, batch }: UpdateSettings): T {
  if (!share) return rows;
  const [all, ...rest] = rows.shape;
  const byView = tf.reshape(rows, [all / batch, batch, ...rest]);
  return tf.reshape(gatherOverRanks(byView, { axis: 1, ...share }), [all * share.ranks, ...rest]) as T;
}

/** Every branch kept, nothing hidden; masked patches are looked at. */
export function asTeacherSees({ images, layout, masks }: ViewStack): ViewStack {
  return { images, layout, ...(masks ? { masks: { ...masks, hidden: false } } : {}) };
}

function maskedPatches(
  [globalViews]: readonly ViewStack[],
  student_IKO: tf.Tensor3D | undefined,
  teacher_IKO: tf.Tensor3D | undefined,
  settings: UpdateSettings,
): { patches?: MaskedPatches } {
  const selection_IKP = globalViews?.masks?.selection_IKP;
  if (!selection_IKP || !student_IKO || !teacher_IKO) return {};
  const isMasked_IK = gatherViews(tf.sum<tf.Tensor2D>(selection_IKP, 2), settings);
  return { patches: { student_IKO, teacher_IKO, isMasked_IK, patches: selection_IKP.shape[2] } };
}

function firstView(features_VBO: tf.Tensor3D): tf.Tensor2D {
  const [, batch, width] = features_VBO.shape;
  return tf.reshape(tf.slice(features_VBO, [0, 0, 0], [1, batch, width]), [batch, width]);
}

interface Evaluated extends ObjectiveOutput {
  features_BO: tf.Tensor2D;
}

/**
 * An objective and its gradients, times `scale`, by name, with respect to the parameters in `specs`. What `forward` returns outlives the gradient's
 * scope; whoever runs the step disposes of it.
 */
function differentiate(
  parameters: Parameters,
  { specs, scale }: { specs: readonly ParameterSpec[]; scale?: tf.Scalar | undefined },
  forward: (parameters: Parameters) => Evaluated,
): { kept: Evaluated; gradients: Parameters } {
  let kept: Evaluated | undefined;
  const { grads } = tf.engine().gradients(
    () => {
      kept = forward(parameters);
      const { loss, terms, state, features_BO } = kept;
      for (const tensor of [loss, ...Object.values(terms), ...Object.values(state), features_BO]) tf.keep(tensor);
      return scale ? tf.mul<tf.Scalar>(loss, scale) : loss;
    },
    specs.map(({ name }) => parameters[name]!),
  );
  return { kept: kept!, gradients: Object.fromEntries(specs.map(({ name }, index) => [name, grads[index]!])) };
}

/** 1 if the number is finite, else 0. */
function isFinite(x: tf.Scalar): tf.Scalar {
  return tf.cast<tf.Scalar>(tf.less(tf.abs(x), 3e38), 'float32');
}
