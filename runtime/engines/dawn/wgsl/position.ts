/** Where an element of an array is, in names of a shader: the text of index arithmetic. */
import { sameShape, type Shape } from '../../graph/ir.ts';

/** By its place in memory, its place along each axis, or both. */
export interface Position {
  readonly shape: Shape;
  readonly flat?: string;
  readonly coordinates?: readonly string[];
}

/** Whatever gives an expression a name, once. */
export interface Namer {
  name(expression: string): string;
}

export function flatIndex(namer: Namer, { shape, flat, coordinates }: Position): string {
  if (flat !== undefined) return flat;
  const terms: string[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const at = coordinates![axis]!;
    if (at !== '0u') terms.push(stride === 1 ? at : `${at} * ${stride}u`);
    stride *= shape[axis]!;
  }
  if (terms.length === 0) return '0u';
  return namer.name(terms.reverse().join(' + '));
}

export function coordinatesOf(namer: Namer, position: Position): readonly string[] {
  if (position.coordinates) return position.coordinates;
  const { shape } = position;
  const flat = position.flat!;
  let stride = shape.reduce((product, length) => product * length, 1);
  let isFirst = true;
  return shape.map((length) => {
    stride /= length;
    if (length === 1) return '0u';
    const quotient = stride === 1 ? flat : namer.name(`${flat} / ${stride}u`);
    const at = isFirst ? quotient : namer.name(`${quotient} % ${length}u`);
    isFirst = false;
    return at;
  });
}

/** Where an operand is read for the result's element at `position`, as numpy broadcasts. */
export function broadcastPosition(namer: Namer, position: Position, operand: Shape): Position {
  if (sameShape(operand, position.shape)) return position;
  const size = operand.reduce((product, length) => product * length, 1);
  if (size === 1) return { shape: operand, flat: '0u' };
  const own = size === position.shape.reduce((product, length) => product * length, 1);
  if (own && position.flat !== undefined) return { shape: operand, flat: position.flat };
  const all = coordinatesOf(namer, position);
  const first = position.shape.length - operand.length;
  return { shape: operand, coordinates: operand.map((length, axis) => (length === 1 ? '0u' : all[first + axis]!)) };
}

export function shifted(namer: Namer, at: string, by: number, stride = 1): string {
  if (stride === 1 && by === 0) return at;
  if (stride === 1) return namer.name(`${at} + ${by}u`);
  // Counting down needs signs.
  if (stride < 0) return namer.name(`u32(${by}i + i32(${at}) * ${stride}i)`);
  return namer.name(`${at} * ${stride}u + ${by}u`);
}
