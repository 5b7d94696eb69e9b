/**
 * What the trainer and its executor say to each other. Messages travel by structured clone, large arrays beside them
 * (`arrayPipe.ts`).
 */
import type { TensorSpec, TypedArray } from '../engine.ts';
import type { EngineChoice } from '../selectEngine.ts';

export type Arrays = Record<string, TypedArray>;

export interface InitOptions {
  engine: EngineChoice;
  threads?: number;
  /** The number of processes that train together, which this one joins; absent: it trains alone. */
  ranks?: number;
  /** How long it waits for the others. */
  waitForOthersMs?: number;
  /** What the programs are built from; plain data. */
  spec: unknown;
  /** Absent: the programs' own initial state. */
  initialState?: Arrays;
}

export interface ExecutorInfo {
  engine: string;
  device: string;
  /** Why this engine. */
  reason: string;
  state: Record<string, TensorSpec>;
  programs: string[];
}

/** Each call with what it returns. */
export interface Calls {
  init: { argument: InitOptions; result: ExecutorInfo };
  compile: { argument: { program: string }; result: { elapsedMs: number } };
  run: { argument: { program: string; inputs: Arrays }; result: Arrays };
  readState: { argument: { names: string[] }; result: Arrays };
  /** Announces the end: other processes are left in good order. Without it the trainer has died, and nobody is waited for. Not answered. */
  leave: { argument: null; result: null };
  /** Gives up a sum over processes that is not done after so long, and with it the step. Not queued behind it. */
  interrupt: { argument: { afterMs: number }; result: null };
  writeState: { argument: { values: Arrays }; result: null };
}

export type CallName = keyof Calls;

export type Request = { [Name in CallName]: { id: number; call: Name; argument: Calls[Name]['argument'] } }[CallName];

export type Reply =
  | { id: number; ok: true; result: Calls[CallName]['result'] }
  /** `code` and `remedy` where the user can do something about it. */
  | { id: number; ok: false; message: string; stack?: string; code?: string; remedy?: string };
