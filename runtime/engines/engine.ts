/**
 * What training needs of whatever computes it: state that lives where the computing is done, and pure steps over it.
 */
import type * as tf from '@tensorflow/tfjs-core';

export type Tensors = Record<string, tf.Tensor>;

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** `uint8` arrives in the step as float32 tensors holding 0 to 255; everything else as it says. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint8';
}

export type Precision = 'float32' | 'float64';

/**
 * One step, written in tfjs operations: a pure function of state and inputs. Randomness, schedules and time are inputs.
 * It runs once, on symbols; only what it returns is computed afterwards.
 */
export interface StepProgram {
  /** The state entries that the step reads. */
  readonly state: Readonly<Record<string, TensorSpec>>;
  /** Which of them it replaces. */
  readonly updates: readonly string[];
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  run(state: Tensors, inputs: Tensors): { state: Tensors; outputs: Tensors };
}

/** Named arrays kept by an engine, shared by all steps compiled by the same engine. */
export interface EngineState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision;
  /** Copies of the entries named, or of all. */
  read(names?: readonly string[]): Promise<Record<string, TypedArray>>;
  /** Replaces the entries given. */
  write(values: Readonly<Record<string, TypedArray>>): Promise<void>;
  dispose(): Promise<void>;
}

/** The processes that train together, as far as an engine needs them. */
export interface Collective {
  readonly ranks: number;
  /** Replaces each array by the sum of everyone's, element by element. All processes call it with arrays of the same lengths. */
  sum(arrays: readonly (Float32Array | Float64Array)[]): Promise<void>;
}

export interface CompiledStep {
  /** The inputs that the step really uses; others may be left out. */
  readonly inputs: readonly string[];
  /** The most bytes that its values need at once, state and inputs apart; where the engine knows. */
  readonly peakBytes?: number;
  /**
   * Runs the step: reads the state, replaces the entries that it updates, and returns the outputs. One at a time.
   * With float64 precision, `float32` inputs may come as either kind of array, and outputs are Float64Array.
   */
  run(state: EngineState, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>>;
  dispose(): Promise<void>;
}

export interface StateOptions {
  precision?: Precision;
  arrays?: 'copied' | 'givenUp';
}

export interface Engine {
  readonly name: 'dawn' | 'onnx' | 'tensorflow' | 'webgpu';
  /** What it computes on, for people: "CPU, 2 threads". */
  readonly device: string;
  /**
   * Entries without a value start as zeros. Arrays are copied, unless their maker gives them up: then the engine may keep and overwrite
   * them, which saves a copy of the state.
   */
  createState(
    specs: Readonly<Record<string, TensorSpec>>,
    values?: Readonly<Record<string, TypedArray>>,
    options?: StateOptions,
  ): EngineState;
  compile(program: StepProgram, options?: { precision?: Precision }): Promise<CompiledStep>;
  dispose(): Promise<void>;
}
