/**
 * A training step in micro-batches: the batch goes through the networks a few images at a time, and the result is that of the whole
 * batch, to rounding.
 *
 * Summing the gradients of parts would be another objective: the coding rate of a batch is not the mean of its parts' (nor are a centre,
 * Sinkhorn's columns, a nearest neighbour). But an objective sees features alone, and those are small. So:
 *
 * 1. `embed`, per micro-batch: features of student and teacher, nothing kept for a backward pass;
 * 2. `objective`, once: loss, and its gradient with respect to the features of the whole batch;
 * 3. `accumulate`, per micro-batch: the student once more, now with a backward pass from the features' gradients, summed;
 * 4. `apply`, once: clipping, AdamW, the teacher's average.
 *
 * The price is the student's forward pass a second time, about a quarter of the step; memory falls to that of a micro-batch. Until `apply`
 * nothing of the training state changes: a step that fails half-way was not taken.
 */
import * as tf from '@tensorflow/tfjs-core';
import { partSpec, putPart, takePart } from './batchParts.ts';
import type { BatchAxis, Part } from './batchParts.ts';
import type { StepProgram, TensorSpec, Tensors, TypedArray } from './engines/engine.ts';
import type { Arrays } from './engines/executor/messages.ts';
import type { ComposedStep } from './engines/executor/programSet.ts';
import { sizeOf } from './engines/graph/ir.ts';
import type { MaskedPatches } from './losses/objective.ts';
import { networkFeatures, patchHeadName } from './models/network.ts';
import type { NetworkFeatures, ViewStack } from './models/network.ts';
import { submodule } from './models/parameters.ts';
import { lossScaleOf } from './optim/lossScale.ts';
import { applyGradients, asTeacherSees, trainedParameters } from './studentTeacherUpdate.ts';
import type { UpdateSettings } from './studentTeacherUpdate.ts';

export interface MicroBatchOptions {
  /** The step of the whole batch, whose state and inputs these programs take. */
  program: StepProgram;
  settings: UpdateSettings;
  /** The views in inputs of any number of images. */
  viewsOf: (inputs: Tensors) => ViewStack[];
  /** Patches of a global view, where some are hidden. */
  patches: number;
  /** Which inputs hold something of each image, and where. */
  axes: Readonly<Record<string, BatchAxis>>;
  /** Images that go through the networks at a time; a divisor of the batch. */
  microBatch: number;
}

export interface MicroBatchedStep {
  /** Sums of gradients, and the objective's next state until it is known whether the step counts. */
  scratch: Record<string, TensorSpec>;
  programs: Record<string, StepProgram>;
  step: ComposedStep;
}

export function microBatchedStep(options: MicroBatchOptions): MicroBatchedStep {
  const { program, settings, axes, microBatch } = options;
  const { batch, objective } = settings;
  if (batch % microBatch !== 0)
    throw new Error(`internal: microBatches: ${microBatch} images at a time do not divide a batch of ${batch}.`);
  const features = featureArrays(program, settings, axes);
  const trained = trainedParameters(settings);
  const scratch = {
    ...Object.fromEntries(trained.map(({ name, shape }) => [`sum.${name}`, real(shape)])),
    ...Object.fromEntries(Object.entries(objective.state).map(([name, spec]) => [`pending.${name}`, spec])),
  };
  const programs = {
    embed: embedProgram(options, features),
    objective: objectiveProgram(options, features, scratch),
    accumulate: accumulateProgram(options, features),
    apply: applyProgram(options, scratch),
  };
  const parts: Part[] = Array.from({ length: batch / microBatch }, (_, index) => ({
    first: index * microBatch,
    count: microBatch,
  }));

  async function run(inputs: Arrays, runProgram: (name: string, given: Arrays) => Promise<Arrays>): Promise<Arrays> {
    const inputsOf = (part: Part) =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, values]) => {
          const axis = axes[name];
          return [name, axis ? takePart(values, program.inputs[name]!, axis, part) : values];
        }),
      );
    const whole: Arrays = {};
    for (const part of parts) {
      const found = await runProgram('embed', inputsOf(part));
      for (const [name, { spec, axis }] of Object.entries(features)) {
        whole[name] ??= emptyLike(found[name]!, sizeOf(spec.shape));
        putPart(whole[name], spec, axis, part, found[name]!);
      }
    }
    const evaluated = await runProgram('objective', { ...inputs, ...whole });
    for (const part of parts) {
      const cotangents = Object.fromEntries(
        studentNames(features).map((name) => {
          const { spec, axis } = features[name]!;
          return [gradientOf(name), takePart(evaluated[gradientOf(name)]!, spec, axis, part)];
        }),
      );
      await runProgram('accumulate', { ...inputsOf(part), ...cotangents });
    }
    const applied = await runProgram('apply', { ...inputs, loss: evaluated['loss']! });
    const terms = Object.entries(evaluated).filter(([name]) => !name.startsWith('gradientOf.'));
    const firstView = (values: TypedArray) => values.subarray(0, batch * settings.network.head.outputDim);
    return {
      ...Object.fromEntries(terms),
      ...applied,
      studentFeatures: firstView(whole['studentViews']!),
      teacherFeatures: firstView(whole['teacherViews']!),
    };
  }

  return { scratch, programs, step: { programs: Object.keys(programs), run } };
}

function emptyLike<T extends TypedArray>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length);
}

/** An array with a row for each image of each view: the features of a batch as they travel between programs. */
interface FeatureArray {
  spec: TensorSpec;
  axis: BatchAxis;
}

function featureArrays(
  { inputs }: StepProgram,
  { batch, network }: UpdateSettings,
  axes: MicroBatchOptions['axes'],
): Record<string, FeatureArray> {
  const { head, patchHead = head, backbone } = network;
  const globals = axes['globalCrops']!.views;
  const views = globals + (axes['localCrops']?.views ?? 0);
  const rows = (count: number, ...rest: number[]): FeatureArray => ({
    spec: real([count * batch, ...rest]),
    axis: { axis: 0, views: count },
  });
  const places = inputs['maskedPatches'];
  const placesOf = () => rows(globals, places!.shape[1]!, patchHead.outputDim);
  return {
    studentViews: rows(views, head.outputDim),
    studentClasses: rows(globals, backbone.width),
    ...(places ? { studentPlaces: placesOf() } : {}),
    teacherViews: rows(globals, head.outputDim),
    ...(places ? { teacherPlaces: placesOf() } : {}),
  };
}

function embedProgram(options: MicroBatchOptions, features: Record<string, FeatureArray>): StepProgram {
  const { program, settings, viewsOf, microBatch } = options;
  return {
    state: entriesWhere(program.state, (name) => /^(student|teacher)\./.test(name)),
    updates: [],
    inputs: partInputs(options),
    run(state, inputs) {
      const views = viewsOf(inputs);
      const batch = { batch: microBatch };
      const seen = views.slice(0, 1).map(asTeacherSees);
      const found = {
        ...rowsOf('student', networkFeatures(submodule(state, 'student'), views, settings.network, batch)),
        ...rowsOf('teacher', networkFeatures(submodule(state, 'teacher'), seen, settings.network, batch)),
      };
      return { state: {}, outputs: pick(found, Object.keys(features)) };
    },
  };
}

/** Leaves the gradients of what the objective itself has parameters of (prototypes) in the sums, and zeros elsewhere. */
function objectiveProgram(
  { program, settings, patches, axes }: MicroBatchOptions,
  features: Record<string, FeatureArray>,
  scratch: Record<string, TensorSpec>,
): StepProgram {
  const { objective, batch, network } = settings;
  const trained = trainedParameters(settings);
  const heads = trained.map(({ name }) => name).filter(isHead);
  const isRead = (name: string) =>
    /^(objective|lossScale)\./.test(name) || isHead(name.replace(/^(student|teacher)\./, ''));
  return {
    state: { ...entriesWhere(program.state, isRead), ...scratch },
    updates: Object.keys(scratch),
    inputs: {
      ...Object.fromEntries(Object.entries(features).map(([name, { spec }]) => [name, spec])),
      ...entriesWhere(program.inputs, (name) => !(name in axes) || name === 'maskedPatches'),
    },
    run(state, inputs) {
      const [student, teacher] = [submodule(state, 'student'), submodule(state, 'teacher')];
      const byView = (name: string) => tf.reshape<tf.Rank.R3>(inputs[name]!, [-1, batch, inputs[name]!.shape[1]!]);
      const variables = {
        ...pick(inputs, studentNames(features)),
        ...Object.fromEntries(heads.map((name) => [`head ${name}`, student[name]!])),
      };
      const scale = settings.lossScaling ? lossScaleOf(state) : undefined;
      const { kept, gradients } = gradientsOf(variables, scale, () =>
        objective.evaluate({
          student_VBO: byView('studentViews'),
          teacher_GBO: byView('teacherViews'),
          studentClasses_GBD: byView('studentClasses'),
          ...maskedPlaces(inputs, patches),
          studentHead: submodule(student, 'head'),
          teacherHead: submodule(teacher, 'head'),
          studentPatchHead: submodule(student, patchHeadName(network)),
          teacherPatchHead: submodule(teacher, patchHeadName(network)),
          state: submodule(state, 'objective'),
          scalars: inputs as Record<string, tf.Scalar>,
        }),
      );
      const sums = trained.map(({ name, shape }) => [`sum.${name}`, gradients[`head ${name}`] ?? tf.zeros([...shape])]);
      const pending = Object.entries(kept.state).map(([name, next]) => [`pending.${name}`, next]);
      const ofFeatures = studentNames(features).map((name) => [gradientOf(name), gradients[name]!]);
      return {
        state: Object.fromEntries([...sums, ...pending]) as Tensors,
        outputs: { ...kept.terms, loss: kept.loss, ...(Object.fromEntries(ofFeatures) as Tensors) },
      };
    },
  };
}

function accumulateProgram(options: MicroBatchOptions, features: Record<string, FeatureArray>): StepProgram {
  const { program, settings, viewsOf, microBatch } = options;
  const trained = trainedParameters(settings);
  const sums = Object.fromEntries(trained.map(({ name, shape }) => [`sum.${name}`, real(shape)]));
  const names = studentNames(features);
  const cotangents = names.map((name): [string, TensorSpec] => {
    const { spec, axis } = features[name]!;
    return [gradientOf(name), partSpec(spec, axis, { count: microBatch })];
  });
  return {
    state: { ...entriesWhere(program.state, (name) => name.startsWith('student.')), ...sums },
    updates: Object.keys(sums),
    inputs: { ...partInputs(options), ...Object.fromEntries(cotangents) },
    run(state, inputs) {
      const student = submodule(state, 'student');
      const variables = Object.fromEntries(trained.map(({ name }) => [name, student[name]!]));
      const { gradients } = gradientsOf(variables, undefined, () => {
        const found = networkFeatures(student, viewsOf(inputs), settings.network, { batch: microBatch });
        const rows = rowsOf('student', found);
        const along = names.map((name) => tf.sum(tf.mul(rows[name]!, inputs[gradientOf(name)]!)));
        return { loss: tf.addN(along) as tf.Scalar, terms: {}, state: {} };
      });
      const next = trained.map(({ name }) => [`sum.${name}`, tf.add(state[`sum.${name}`]!, gradients[name]!)]);
      return { state: Object.fromEntries(next) as Tensors, outputs: { done: tf.scalar(1) } };
    },
  };
}

function applyProgram(
  { program, settings, axes }: MicroBatchOptions,
  scratch: Record<string, TensorSpec>,
): StepProgram {
  return {
    state: { ...program.state, ...scratch },
    updates: program.updates,
    inputs: { ...entriesWhere(program.inputs, (name) => !(name in axes)), loss: real([]) },
    run(state, inputs) {
      // Everything that depends on images is known by now.
      const nothing_11 = tf.zeros<tf.Rank.R2>([1, 1]);
      const found = {
        loss: inputs['loss'] as tf.Scalar,
        terms: {},
        gradients: submodule(state, 'sum'),
        objectiveState: submodule(state, 'pending'),
        studentFeatures_BO: nothing_11,
        teacherFeatures_BO: nothing_11,
      };
      const { state: next, outputs } = applyGradients(state, found, inputs as Record<string, tf.Scalar>, settings);
      return {
        state: next,
        outputs: pick(outputs, [
          'gradientNorm',
          'gradientNorms',
          'updated',
          ...(settings.lossScaling ? ['lossScale'] : []),
        ]),
      };
    },
  };
}

interface Differentiated {
  loss: tf.Scalar;
  terms: Tensors;
  state: Tensors;
}

/** What `forward` returns, which outlives the gradient's scope, and the gradients of its loss, times `scale`; zeros where it does not depend on a variable. */
function gradientsOf(variables: Tensors, scale: tf.Scalar | undefined, forward: () => Differentiated) {
  let kept: Differentiated | undefined;
  const { grads } = tf.engine().gradients(() => {
    kept = forward();
    for (const tensor of [kept.loss, ...Object.values(kept.terms), ...Object.values(kept.state)]) tf.keep(tensor);
    return scale ? tf.mul<tf.Scalar>(kept.loss, scale) : kept.loss;
  }, Object.values(variables));
  const gradients = Object.entries(variables).map(([name, variable], index) => [
    name,
    grads[index] ?? tf.zerosLike(variable),
  ]);
  return { kept: kept!, gradients: Object.fromEntries(gradients) as Tensors };
}

function rowsOf(model: 'student' | 'teacher', { views_VBO, classes_GBD, places_IKO }: NetworkFeatures): Tensors {
  const rows = (x_VBO: tf.Tensor3D) => tf.reshape(x_VBO, [-1, x_VBO.shape[2]]);
  return {
    [`${model}Views`]: rows(views_VBO),
    [`${model}Classes`]: rows(classes_GBD),
    ...(places_IKO ? { [`${model}Places`]: places_IKO } : {}),
  };
}

function maskedPlaces(inputs: Tensors, patches: number): { patches?: MaskedPatches } {
  const [places, student, teacher] = ['maskedPatches', 'studentPlaces', 'teacherPlaces'].map((name) => inputs[name]);
  if (!places || !student || !teacher) return {};
  return {
    patches: {
      student_IKO: student as tf.Tensor3D,
      teacher_IKO: teacher as tf.Tensor3D,
      isMasked_IK: tf.cast<tf.Tensor2D>(tf.greaterEqual(places, 0), 'float32'),
      patches,
    },
  };
}

function partInputs({ program, axes, microBatch }: MicroBatchOptions): Record<string, TensorSpec> {
  const ofImages = Object.entries(program.inputs).filter(([name]) => name in axes);
  return Object.fromEntries(ofImages.map(([name, spec]) => [name, partSpec(spec, axes[name]!, { count: microBatch })]));
}

const isHead = (name: string): boolean => /^(head|ibot_head)\./.test(name);
const studentNames = (features: Record<string, FeatureArray>) =>
  Object.keys(features).filter((name) => name.startsWith('student'));
const gradientOf = (name: string): string => `gradientOf.${name}`;
const real = (shape: readonly number[]): TensorSpec => ({ shape, dtype: 'float32' });

function entriesWhere<T>(entries: Readonly<Record<string, T>>, isWanted: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => isWanted(name)));
}

function pick(tensors: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(names.map((name) => [name, tensors[name]!]));
}
