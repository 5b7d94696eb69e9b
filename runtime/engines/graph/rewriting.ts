import type { ElementType, Op, Shape, Value } from './ir.ts';

/** A value before it has an identity. */
export interface Candidate {
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly shape: Shape;
  readonly type: ElementType;
}

/** What a rewrite builds its replacement with: the graph under construction, as far as a rewrite may see it. */
export interface ValueMaker {
  apply(op: Op, inputs: readonly Value[], shape: Shape, type: ElementType): Value;
  constant(data: Float64Array, shape: Shape, type: ElementType): Value;
}
