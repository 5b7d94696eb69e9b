import type { TensorSpec, TypedArray } from './engines/engine.ts';

/** Where an array holds the images of a batch: an axis of `views x B`, all images of the first view first. */
export interface BatchAxis {
  axis: number;
  views: number;
}

/** Some consecutive images of a batch. */
export interface Part {
  first: number;
  count: number;
}

/** The same array for a part of the batch. */
export function partSpec(spec: TensorSpec, { axis, views }: BatchAxis, { count }: Pick<Part, 'count'>): TensorSpec {
  return { ...spec, shape: spec.shape.with(axis, views * count) };
}

/** The elements of a part, in the order of `partSpec`. */
export function takePart<T extends TypedArray>(values: T, spec: TensorSpec, axis: BatchAxis, part: Part): T {
  const taken = new (values.constructor as new (length: number) => T)(
    (values.length / (spec.shape[axis.axis]! / axis.views)) * part.count,
  );
  for (const { whole, own, length } of runs(spec, axis, part)) taken.set(values.subarray(whole, whole + length), own);
  return taken;
}

/** Writes the elements of a part to their places. */
export function putPart(values: TypedArray, spec: TensorSpec, axis: BatchAxis, part: Part, given: TypedArray): void {
  for (const { whole, own, length } of runs(spec, axis, part)) values.set(given.subarray(own, own + length), whole);
}

/** Consecutive elements: where they are in the whole and in the part. */
function* runs({ shape }: TensorSpec, { axis, views }: BatchAxis, { first, count }: Part) {
  const product = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);
  const inner = product(shape.slice(axis + 1));
  const batch = shape[axis]! / views;
  const rows = product(shape.slice(0, axis)) * views;
  for (let row = 0; row < rows; row++) {
    yield { whole: (row * batch + first) * inner, own: row * count * inner, length: count * inner };
  }
}
