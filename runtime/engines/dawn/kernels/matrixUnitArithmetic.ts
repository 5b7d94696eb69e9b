import type { Tile } from './division.ts';
import { THREADS } from './kernel.ts';
import type { TileArithmetic, TileSide } from './tileArithmetic.ts';

const DEPTH = 32;
/** Sides of the matrices that a subgroup multiplies at once. */
export const FRAGMENT = 16;
export const SUBGROUP = 32;
const directives = [
  'enable f16;',
  'enable subgroups;',
  'enable chromium_experimental_subgroup_matrix;',
  // Where a subgroup's fragments are depends on which one it is, which the compiler can't tell from which thread it is.
  'diagnostic(off, chromium.subgroup_matrix_uniformity);',
];
/** Lines of a tile are this much longer than what they hold, lest those that are read together meet in one bank of memory. */
const PADDING = 8;

/**
 * Products by a GPU's matrix units: operands are rounded to 16 bits, products are added in 32. Each of a workgroup's 8 subgroups computes
 * an eighth of the tile. Tiles lie in the workgroup's memory as their operands do in the GPU's: nothing is turned, the units are told.
 */
export const matrixUnitArithmetic: TileArithmetic = {
  label: 'mixed product',
  speed: 3,
  depth: DEPTH,

  declare(shader, scope, tile, sides) {
    for (const directive of directives) shader.directives.add(directive);
    for (const side of sides) {
      const lines = side.isInnerLast ? side.length : DEPTH;
      shader.declarations.add(`var<workgroup> tile${side.name}: array<f16, ${lines * strideOf(side)}>;`);
    }
    const { across, subgroupsAcross, down } = sharesOf(tile);
    scope.add(
      `let subgroup = thread / ${SUBGROUP}u;`,
      `let ownRow = subgroup / ${subgroupsAcross}u * ${down * FRAGMENT}u;`,
      `let ownColumn = subgroup % ${subgroupsAcross}u * ${across * FRAGMENT}u;`,
    );
    for (let row = 0; row < down; row++)
      for (let column = 0; column < across; column++)
        scope.add(`var sum${row}_${column}: subgroup_matrix_result<f32, ${FRAGMENT}, ${FRAGMENT}>;`);
  },

  keep(side, { register, depth, across, isVector }) {
    const [line, along] = side.isInnerLast ? [across, depth] : [depth, across];
    const stores = (isVector ? [0, 1, 2, 3] : [0]).map((lane) => {
      const element = isVector ? `${register}[${lane}]` : register;
      return `tile${side.name}[at + ${lane}u] = f16(${element});`;
    });
    return `{ let at = (${line}) * ${strideOf(side)}u + ${along}; ${stores.join(' ')} }`;
  },

  multiply(scope, tile, [a, b]) {
    const { down, across } = sharesOf(tile);
    for (let depth = 0; depth < DEPTH; depth += FRAGMENT) {
      scope.add('{');
      for (let row = 0; row < down; row++) scope.add(`let left${row} = ${fragment('left', a, row, depth)};`);
      for (let column = 0; column < across; column++)
        scope.add(`let right${column} = ${fragment('right', b, column, depth)};`);
      for (let row = 0; row < down; row++) {
        for (let column = 0; column < across; column++) {
          const sum = `sum${row}_${column}`;
          scope.add(`${sum} = subgroupMatrixMultiplyAccumulate(left${row}, right${column}, ${sum});`);
        }
      }
      scope.add('}');
    }
  },

  /** A unit's result is spread over a subgroup's registers in a way that only it knows: it goes through memory to be looked at. */
  finish(shader, scope, tile, { rows, columns }, write) {
    const { down, across } = sharesOf(tile);
    const area = FRAGMENT * FRAGMENT;
    shader.declarations.add(`var<workgroup> results: array<f32, ${(THREADS / SUBGROUP) * area}>;`);
    for (let row = 0; row < down; row++) {
      for (let column = 0; column < across; column++) {
        scope.add(
          `subgroupMatrixStore<row_major>(&results, subgroup * ${area}u, sum${row}_${column}, ${FRAGMENT}u);`,
          'workgroupBarrier();',
          `for (var e = thread % ${SUBGROUP}u; e < ${area}u; e += ${SUBGROUP}u) {`,
        );
        const inside = scope.nested();
        const rowAt = inside.name(`firstRow + ownRow + ${row * FRAGMENT}u + e / ${FRAGMENT}u`);
        const columnAt = inside.name(`firstColumn + ownColumn + ${column * FRAGMENT}u + e % ${FRAGMENT}u`);
        scope.add(...inside.lines, `if (${rowAt} < ${rows}u && ${columnAt} < ${columns}u) {`);
        const written = inside.nested();
        write(written, rowAt, columnAt, written.name(`results[subgroup * ${area}u + e]`));
        scope.add(...written.lines, '}', '}', 'workgroupBarrier();');
      }
    }
  },
};

const strideOf = ({ isInnerLast, length }: TileSide): number => (isInnerLast ? DEPTH : length) + PADDING;

/** Two rows of four subgroups, or four of two where the tile is narrow, and the fragments that each computes. */
function sharesOf(tile: Tile) {
  const subgroupsDown = tile.columns < tile.rows ? 4 : 2;
  const subgroupsAcross = THREADS / SUBGROUP / subgroupsDown;
  return {
    subgroupsAcross,
    down: tile.rows / subgroupsDown / FRAGMENT,
    across: tile.columns / subgroupsAcross / FRAGMENT,
  };
}

function fragment(kind: 'left' | 'right', side: TileSide, index: number, depth: number): string {
  const { name, isInnerLast } = side;
  const stride = strideOf(side);
  const outer = `${kind === 'left' ? 'ownRow' : 'ownColumn'} + ${index * FRAGMENT}u`;
  // A left fragment's rows and a right one's columns run across the inner axis.
  const order = (kind === 'left') === isInnerLast ? 'row_major' : 'col_major';
  const at = isInnerLast ? `(${outer}) * ${stride}u + ${depth}u` : `${depth}u * ${stride}u + ${outer}`;
  const type = `subgroup_matrix_${kind}<f16, ${FRAGMENT}, ${FRAGMENT}>`;
  return `subgroupMatrixLoad<${type}, ${order}>(&tile${name}, ${at}, ${stride}u)`;
}
