import type { Adapter } from './adapter.ts';

export const engineNames = ['onnx', 'webgpu', 'dawn', 'tensorflow'] as const;
export type EngineName = (typeof engineNames)[number];

/** What a probe found out about an engine on this machine. */
export interface EngineReport {
  engine: EngineName;
  /** What it computes on, for people. */
  device: string;
  /**
   * `second choice`: it works, but is slower at training than the CPU engine whatever its products say, and `auto` passes over it.
   * `unavailable`: a part is missing. `faulty`: it computes wrong numbers. `crashed`: its process ended, or never answered.
   */
  verdict: 'works' | 'second choice' | 'unavailable' | 'faulty' | 'crashed';
  /** One clause: why it can't be used, or what is odd about it; empty where all is well. */
  reason: string;
  /** Speed at products of large matrices, in 10^9 operations per second. */
  gflops?: number;
  adapter?: Adapter;
}

/** Whether training may run on it, when it is asked for by name. */
export const isUsable = ({ verdict }: EngineReport): boolean => verdict === 'works' || verdict === 'second choice';
