import type * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec, Tensors } from '../engines/engine.ts';
import type { Parameters } from '../models/parameters.ts';

/** Features of the patches of the global views that were hidden from the student. */
export interface MaskedPatches {
  /** I images, all of the first global view first; K places, more than the masked patches of any. */
  student_IKO: tf.Tensor3D;
  teacher_IKO: tf.Tensor3D;
  /** 1 where a place holds a masked patch, 0 where it is empty. */
  isMasked_IK: tf.Tensor2D;
  /** Patches of an image, masked or not. */
  patches: number;
}

/** What an objective is given of a step. */
export interface ObjectiveInput {
  /** Unit features of all views, the global ones first. */
  student_VBO: tf.Tensor3D;
  /** Unit features of the global views; constants as far as the gradient is concerned. */
  teacher_GBO: tf.Tensor3D;
  /** The student's class tokens of the global views before the projector, not of unit length. */
  studentClasses_GBD: tf.Tensor3D;
  /** Where the student's global views are masked. */
  patches?: MaskedPatches;
  /** The projectors' parameters, for objectives that go on from the unit features. */
  studentHead: Parameters;
  teacherHead: Parameters;
  /** The projectors that masked patches went through: the same ones unless the network has a second. */
  studentPatchHead: Parameters;
  teacherPatchHead: Parameters;
  /** The objective's own entries of the state. */
  state: Tensors;
  /** The numbers of the step that it asks for. */
  scalars: Record<string, tf.Scalar>;
}

export interface ObjectiveOutput {
  /** What is minimised. */
  loss: tf.Scalar;
  /**
   * What is measured. Every objective reports `distance`, `codingRate` and `teacherStudentCosine` of the unit features, whether it uses
   * them or not, so that runs of different methods compare.
   */
  terms: { distance: tf.Scalar; codingRate: tf.Scalar; teacherStudentCosine: tf.Scalar } & Record<string, tf.Scalar>;
  /** The next values of its own entries of the state. */
  state: Tensors;
}

/** What is minimised, with whatever it carries from step to step. */
export interface Objective {
  /** Entries of the state besides the networks and the optimiser, such as a centre; they start at zero. */
  readonly state: Readonly<Record<string, TensorSpec>>;
  /** Numbers that it needs anew at each step, such as a temperature. */
  readonly scalars: readonly string[];
  evaluate: (input: ObjectiveInput) => ObjectiveOutput;
}
