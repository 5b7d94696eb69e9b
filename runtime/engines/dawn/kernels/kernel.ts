import type { Binding, Grid, Scope, Shader } from '../wgsl/shader.ts';

/** A compute shader and how often it runs. */
export interface Kernel {
  /** For profiles: what it computes. */
  label: string;
  source: string;
  workgroups: Grid['size'];
  bindings: readonly Binding[];
}

/** What every adapter offers. */
export const THREADS = 256;

export function kernel(label: string, shader: Shader, body: Scope, { size }: Grid, threads = THREADS): Kernel {
  return { label, source: shader.source(body, { threads }), workgroups: size, bindings: shader.bindings };
}

export function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}
