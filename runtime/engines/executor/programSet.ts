import type { StepProgram, TensorSpec } from '../engine.ts';
import type { Arrays } from './messages.ts';

/** Programs that share one state, by name. */
export interface ProgramSet {
  state: Readonly<Record<string, TensorSpec>>;
  /** Entries that programs hand on to each other; nobody outside reads them, and they start as zeros. */
  scratch?: Readonly<Record<string, TensorSpec>>;
  programs: Readonly<Record<string, StepProgram>>;
  /** Steps made of several programs; they are called like programs. */
  composed?: Readonly<Record<string, ComposedStep>>;
  /** State at the start where none is given; absent: zeros. */
  initialState?(): Arrays;
  /** For people, where something was divided to fit: one clause. */
  note?: string;
}

/** A step that runs programs one after another. */
export interface ComposedStep {
  readonly programs: readonly string[];
  run(inputs: Arrays, runProgram: (name: string, inputs: Arrays) => Promise<Arrays>): Promise<Arrays>;
}

/**
 * Functions do not cross processes: both sides know how to build the programs from plain data.
 *
 * @param reductions how often a set turned out too large for the device: each asks for one that needs about half as much at a time
 * @returns undefined if it can't be made smaller; the state is the same whatever the size
 */
export type BuildPrograms = (spec: never, reductions: number) => ProgramSet | undefined;
