/** How a workgroup brings its tiles of a product's operands into its memory: through registers, while it computes the tile before. */
import type { Shape, Value } from '../../graph/ir.ts';
import { coordinatesOf, flatIndex, type Position } from '../wgsl/position.ts';
import type { Scope, Shader } from '../wgsl/shader.ts';
import { THREADS } from './kernel.ts';

export interface Side {
  operand: Value;
  /** Elements of a tile across the inner axis, and of the whole operand. */
  length: number;
  limit: number;
  /** Elements of a tile along the inner axis. */
  depth: number;
  /** For names: `A` or `B`. */
  name: 'A' | 'B';
  /** The place across the inner axis where the tile begins. */
  first: string;
  /** Neighbours in memory are neighbours along the inner axis. */
  isInnerLast: boolean;
}

export interface TileLoads {
  declare: string[];
  /** From memory at `k` and beyond to registers; zeros outside of the operand. */
  load: string[];
  /** From registers to the workgroup's memory. */
  keep: string[];
}

/** An element or, where the operand lies in memory as it is, four neighbours. */
export interface Piece {
  register: string;
  isVector: boolean;
  /** Where it is in the tile. */
  depth: string;
  across: string;
}

/**
 * @param keep statements that write an element, or four (`vec4f`) that are neighbours along the axis that the operand has last, to the
 *   workgroup's memory
 */
export function tileLoads(
  shader: Shader,
  scope: Scope,
  side: Side,
  { batch, inner, isSplit }: { batch: Shape; inner: number; isSplit: boolean },
  keep: (piece: Piece) => string,
): TileLoads {
  const { operand, length, limit, depth, name, first, isInnerLast } = side;
  const isVector = shader.isStored(operand) && operand.type === 'real' && operand.shape.at(-1)! % 4 === 0;
  const width = isVector ? 4 : 1;
  // Neighbouring threads read neighbouring elements.
  const perLine = (isInnerLast ? depth : length) / width;
  const lines = THREADS / perLine;
  const along = isVector ? `(thread % ${perLine}u) * 4u` : `thread % ${perLine}u`;
  const line = (part: number) => `thread / ${perLine}u + ${lines * part}u`;
  const isGuarded = inner % depth !== 0 || limit % length !== 0 || isSplit;
  const batchAt = coordinatesOf(scope, { shape: batch, flat: 'sample' });
  const loads: TileLoads = { declare: [], load: [], keep: [] };
  for (let part = 0; part < (length * depth) / width / THREADS; part++) {
    const [depthAt, acrossAt] = isInnerLast ? [along, line(part)] : [line(part), along];
    const register = `next${name}${part}`;
    const guard = scope.nested();
    const innerAt = guard.name(`k + ${depthAt}`);
    const outerAt = guard.name(`${first} + ${acrossAt}`);
    const inside = guard.nested();
    const position = operandPosition(operand.shape, batchAt, isInnerLast ? [outerAt, innerAt] : [innerAt, outerAt]);
    const element = isVector
      ? `${shader.readVectors(operand).name}[(${flatIndex(inside, position)}) / 4u]`
      : shader.evaluate(operand, position, inside);
    const zero = isVector ? 'vec4f()' : '0f';
    loads.declare.push(`var ${register} = ${zero};`);
    loads.load.push('{', ...guard.lines);
    if (isGuarded) loads.load.push(`${register} = ${zero};`, `if (${innerAt} < end && ${outerAt} < ${limit}u) {`);
    loads.load.push(...inside.lines, `${register} = ${element};`, ...(isGuarded ? ['}'] : []), '}');
    loads.keep.push(keep({ register, depth: depthAt, across: acrossAt, isVector }));
  }
  return loads;
}

/** An element of an operand whose leading axes broadcast. */
export function operandPosition(shape: Shape, batchAt: readonly string[], last: [string, string]): Position {
  const leading = shape.slice(0, -2);
  const first = batchAt.length - leading.length;
  const coordinates = leading.map((length, axis) => (length === 1 ? '0u' : batchAt[first + axis]!));
  return { shape, coordinates: [...coordinates, ...last] };
}
