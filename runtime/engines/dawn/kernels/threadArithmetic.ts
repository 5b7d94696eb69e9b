import type { TileArithmetic } from './tileArithmetic.ts';

/** A line has a vector more than it holds, or threads that write along the inner axis would meet in one bank of memory. */
const strideOf = (length: number): number => length / 4 + 1;

const DEPTH = 16;

/**
 * Products in single precision by the threads themselves: each of 16 x 16 computes blocks of 4 x 4 elements, 64 apart, so that neighbours
 * read neighbouring vectors. Tiles lie across the inner axis.
 */
export const threadArithmetic: TileArithmetic = {
  label: 'product',
  speed: 1,
  depth: DEPTH,

  declare(shader, scope, tile, sides) {
    for (const { name, length } of sides)
      shader.declarations.add(`var<workgroup> tile${name}: array<vec4f, ${DEPTH * strideOf(length)}>;`);
    scope.add('let threadColumn = thread % 16u;', 'let threadRow = thread / 16u;');
    for (let row = 0; row < tile.rows / 16; row++)
      for (let column = 0; column < tile.columns / 64; column++) scope.add(`var sum${row}_${column} = vec4f();`);
  },

  keep({ name, length, isInnerLast }, { register, depth, across, isVector }) {
    const vector = (at: string) => `tile${name}[(${at}) * ${strideOf(length)}u + across / 4u]`;
    const stores = !isVector
      ? [`${vector(depth)}[across % 4u] = ${register};`]
      : isInnerLast
        ? [0, 1, 2, 3].map((lane) => `${vector(`${depth} + ${lane}u`)}[across % 4u] = ${register}[${lane}];`)
        : [`${vector(depth)} = ${register};`];
    return `{ let across = ${across}; ${stores.join(' ')} }`;
  },

  multiply(scope, tile) {
    const [down, across] = [tile.rows / 64, tile.columns / 64];
    scope.add(`for (var d = 0u; d < ${DEPTH}u; d++) {`);
    for (let part = 0; part < down; part++)
      scope.add(`let a${part} = tileA[d * ${strideOf(tile.rows)}u + threadRow + ${16 * part}u];`);
    for (let part = 0; part < across; part++)
      scope.add(`let b${part} = tileB[d * ${strideOf(tile.columns)}u + threadColumn + ${16 * part}u];`);
    for (let row = 0; row < 4 * down; row++) {
      for (let column = 0; column < across; column++) {
        const sum = `sum${row}_${column}`;
        scope.add(`${sum} = fma(vec4f(a${row >> 2}[${row % 4}]), b${column}, ${sum});`);
      }
    }
    scope.add('}');
  },

  finish(_shader, scope, tile, { rows, columns }, write) {
    const columnsAt = Array.from({ length: tile.columns / 16 }, (_, column) =>
      scope.name(`firstColumn + threadColumn * 4u + ${64 * (column >> 2) + (column % 4)}u`),
    );
    for (let row = 0; row < tile.rows / 16; row++) {
      const rowAt = scope.name(`firstRow + threadRow * 4u + ${64 * (row >> 2) + (row % 4)}u`);
      scope.add(rows % tile.rows === 0 ? '{' : `if (${rowAt} < ${rows}u) {`);
      columnsAt.forEach((columnAt, column) => {
        const inside = scope.nested();
        write(inside, rowAt, columnAt, `sum${row}_${column >> 2}[${column % 4}]`);
        scope.add(columns % tile.columns === 0 ? '{' : `if (${columnAt} < ${columns}u) {`, ...inside.lines, '}');
      });
      scope.add('}');
    }
  },
};
