import { sizeOf, type Shape, type Value } from '../../graph/ir.ts';
import type { Fusion, Root } from '../plan/fusion.ts';
import { coordinatesOf, type Position } from '../wgsl/position.ts';
import { gridOf, Scope, Shader, type Temporary } from '../wgsl/shader.ts';
import { kernel, THREADS, type Kernel } from './kernel.ts';

/** A workgroup's share of a product: each of 16 x 16 threads computes `rows / 16` x `columns / 16` elements. */
interface Tile {
  rows: number;
  columns: number;
  /** Arithmetic per load from workgroup memory, relative to the largest tile's. */
  efficiency: number;
}

const tiles: readonly Tile[] = [
  { rows: 128, columns: 128, efficiency: 1 },
  { rows: 128, columns: 64, efficiency: 0.85 },
  { rows: 64, columns: 128, efficiency: 0.85 },
  { rows: 64, columns: 64, efficiency: 0.65 },
];
/** Elements along the inner axis that are in workgroup memory at a time. */
const DEPTH = 16;
/** Enough for a large GPU. */
const WANTED_WORKGROUPS = 512;
const SHORTEST_PART = 256;

interface Sizes {
  batch: Shape;
  rows: number;
  columns: number;
  inner: number;
}

/**
 * A batch of products and what follows them element by element. Operands are read through their expressions, so that transposes,
 * slices and scales in front of a product cost no memory. A small result of a long inner axis, a weight's gradient, is computed in parts
 * along that axis, which a second kernel adds.
 */
export function matmulKernels(fusion: Fusion, root: Root): Kernel[] {
  const sizes = sizesOf(root.anchor!);
  const { batch, rows, columns, inner } = sizes;
  const tile = bestTile(sizes);
  const groups = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * sizeOf(batch);
  const parts = Math.max(1, Math.min(Math.floor(WANTED_WORKGROUPS / groups), Math.floor(inner / SHORTEST_PART), 64));
  if (parts === 1) return [productKernel(fusion, root, sizes, tile)];
  const partial: Temporary = { elements: parts * sizeOf(batch) * rows * columns };
  return [productKernel(fusion, root, sizes, tile, { parts, partial }), sumKernel(fusion, root, { parts, partial })];
}

function sizesOf({ op, inputs, shape }: Value): Sizes {
  if (op.kind !== 'matmul') throw new Error('internal: dawn: not a product.');
  const inner = inputs[0]!.shape.at(op.transposeA ? -2 : -1)!;
  return { batch: shape.slice(0, -2), rows: shape.at(-2)!, columns: shape.at(-1)!, inner };
}

/** The tile with the least work, what falls outside of the result included; a GPU that is not filled waits for its last workgroup. */
function bestTile({ batch, rows, columns }: Sizes): Tile {
  const cost = (tile: Tile) => {
    const count = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * sizeOf(batch);
    return (Math.max(count, WANTED_WORKGROUPS / 4) * tile.rows * tile.columns) / tile.efficiency;
  };
  return tiles.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best));
}

interface Split {
  parts: number;
  partial: Temporary;
}

function productKernel(fusion: Fusion, { value, anchor }: Root, sizes: Sizes, tile: Tile, split?: Split): Kernel {
  const { batch, rows, columns, inner } = sizes;
  const { op, inputs } = anchor!;
  const { transposeA, transposeB } = op as Value['op'] & { kind: 'matmul' };
  const [a, b] = inputs as [Value, Value];
  const [acrossRows, acrossColumns] = [Math.ceil(rows / tile.rows), Math.ceil(columns / tile.columns)];
  const parts = split?.parts ?? 1;
  const grid = gridOf(acrossRows * acrossColumns * sizeOf(batch) * parts);
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  // A column more than needed, or threads that write along the inner axis would meet in one bank of memory.
  const [strideA, strideB] = [tile.rows / 4 + 1, tile.columns / 4 + 1];
  shader.declarations.add(`var<workgroup> tileA: array<vec4f, ${DEPTH * strideA}>;`);
  shader.declarations.add(`var<workgroup> tileB: array<vec4f, ${DEPTH * strideB}>;`);

  scope.add(
    ...grid.prologue,
    `let firstColumn = (group % ${acrossColumns}u) * ${tile.columns}u;`,
    `let firstRow = (group / ${acrossColumns}u % ${acrossRows}u) * ${tile.rows}u;`,
    `let sample = group / ${acrossColumns * acrossRows}u${parts > 1 ? ` % ${sizeOf(batch)}u` : ''};`,
  );
  const chunk = Math.ceil(inner / parts / DEPTH) * DEPTH;
  if (split) {
    scope.add(
      `let part = group / ${acrossColumns * acrossRows * sizeOf(batch)}u;`,
      `let begin = part * ${chunk}u;`,
      `let end = min(begin + ${chunk}u, ${inner}u);`,
    );
  } else scope.add('let begin = 0u;', `let end = ${inner}u;`);
  scope.add('let threadColumn = thread % 16u;', 'let threadRow = thread / 16u;');

  // What this thread brings into workgroup memory at each turn, held in registers while the tile before is worked on.
  const sides = [
    {
      operand: a,
      length: tile.rows,
      limit: rows,
      stride: strideA,
      memory: 'tileA',
      first: 'firstRow',
      isInnerLast: !transposeA,
    },
    {
      operand: b,
      length: tile.columns,
      limit: columns,
      stride: strideB,
      memory: 'tileB',
      first: 'firstColumn',
      isInnerLast: transposeB,
    },
  ] as const;
  const loads = sides.map((side) => loadsOf(shader, scope, side, { batch, inner, isSplit: parts > 1 }));
  for (const { declare } of loads) scope.add(...declare);

  const [m, n] = [tile.rows / 64, tile.columns / 64];
  for (let row = 0; row < 4 * m; row++)
    for (let column = 0; column < n; column++) scope.add(`var sum${row}_${column} = vec4f();`);
  scope.add('var k = begin;', ...loads.flatMap(({ load }) => load), 'loop {');
  scope.add(...loads.flatMap(({ keep }) => keep), 'workgroupBarrier();', `k += ${DEPTH}u;`);
  scope.add('if (k < end) {', ...loads.flatMap(({ load }) => load), '}');
  scope.add(`for (var d = 0u; d < ${DEPTH}u; d++) {`);
  for (let part = 0; part < m; part++) scope.add(`let a${part} = tileA[d * ${strideA}u + threadRow + ${16 * part}u];`);
  for (let part = 0; part < n; part++)
    scope.add(`let b${part} = tileB[d * ${strideB}u + threadColumn + ${16 * part}u];`);
  for (let row = 0; row < 4 * m; row++) {
    for (let column = 0; column < n; column++) {
      const sum = `sum${row}_${column}`;
      scope.add(`${sum} = fma(vec4f(a${row >> 2}[${row % 4}]), b${column}, ${sum});`);
    }
  }
  scope.add('}', 'workgroupBarrier();', 'if (k >= end) { break; }', '}');

  const columnsAt = Array.from({ length: 4 * n }, (_, column) =>
    scope.name(`firstColumn + threadColumn * 4u + ${64 * (column >> 2) + (column % 4)}u`),
  );
  for (let row = 0; row < 4 * m; row++) {
    const rowAt = scope.name(`firstRow + threadRow * 4u + ${64 * (row >> 2) + (row % 4)}u`);
    scope.add(rows % tile.rows === 0 ? '{' : `if (${rowAt} < ${rows}u) {`);
    columnsAt.forEach((columnAt, column) => {
      const inside = scope.nested();
      writeElement(inside, rowAt, columnAt, `sum${row}_${column >> 2}[${column % 4}]`);
      scope.add(columns % tile.columns === 0 ? '{' : `if (${columnAt} < ${columns}u) {`, ...inside.lines, '}');
    });
    scope.add('}');
  }
  const label = `product [${[...batch, rows, inner, columns].join()}]${split ? `, ${parts} parts` : ''}`;
  return kernel(label, shader, scope, grid);

  function writeElement(inside: Scope, row: string, column: string, sum: string): void {
    const flat = inside.name(`(sample * ${rows}u + ${row}) * ${columns}u + ${column}`);
    if (split) {
      const { name } = partialOf(shader, split.partial);
      inside.add(`${name}[part * ${sizeOf(batch) * rows * columns}u + ${flat}] = ${sum};`);
      return;
    }
    shader.give(anchor!, sum);
    shader.store(
      value,
      flat,
      shader.compute(value, resultPosition(value.shape, flat, row, column, sizes), inside),
      inside,
    );
  }
}

/** A result's place, by coordinates where its last axes are still the product's. */
function resultPosition(
  shape: Shape,
  flat: string,
  row: string,
  column: string,
  { batch, rows, columns }: Sizes,
): Position {
  const isMatrix = sizeOf(batch) === 1 && shape.length >= 2 && shape.at(-1) === columns && shape.at(-2) === rows;
  return isMatrix
    ? { shape, flat, coordinates: [...shape.slice(0, -2).map(() => '0u'), row, column] }
    : { shape, flat };
}

function partialOf(shader: Shader, partial: Temporary) {
  return shader.bindings.find(({ holds }) => holds === partial) ?? shader.temporary(partial, 'read_write');
}

function sumKernel(fusion: Fusion, { value, anchor }: Root, { parts, partial }: Split): Kernel {
  const size = sizeOf(value.shape);
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  const grid = gridOf(Math.ceil(size / THREADS));
  const { name } = shader.temporary(partial, 'read');
  const inside = scope.nested();
  inside.add(
    'var total = 0f;',
    `for (var part = 0u; part < ${parts}u; part++) { total += ${name}[part * ${size}u + i]; }`,
  );
  shader.give(anchor!, 'total');
  shader.store(value, 'i', shader.compute(value, { shape: value.shape, flat: 'i' }, inside), inside);
  scope.add(...grid.prologue, `let i = group * ${THREADS}u + thread;`, `if (i < ${size}u) {`, ...inside.lines, '}');
  return kernel(`sum of ${parts} parts [${size}]`, shader, scope, grid);
}

interface Side {
  operand: Value;
  /** Elements of a tile across the inner axis, and of the whole operand. */
  length: number;
  limit: number;
  stride: number;
  memory: string;
  first: string;
  /** Neighbours in memory are neighbours along the inner axis. */
  isInnerLast: boolean;
}

function loadsOf(
  shader: Shader,
  scope: Scope,
  { operand, length, limit, stride, memory, first, isInnerLast }: Side,
  { batch, inner, isSplit }: { batch: Shape; inner: number; isSplit: boolean },
) {
  const perThread = (length * DEPTH) / THREADS;
  // Neighbouring threads read neighbouring elements.
  const [depth, across] = isInnerLast
    ? [(_: number) => `thread % ${DEPTH}u`, (part: number) => `thread / ${DEPTH}u + ${(THREADS / DEPTH) * part}u`]
    : [(part: number) => `thread / ${length}u + ${(THREADS / length) * part}u`, (_: number) => `thread % ${length}u`];
  const isGuarded = inner % DEPTH !== 0 || limit % length !== 0 || isSplit;
  const batchAt = coordinatesOf(scope, { shape: batch, flat: 'sample' });
  const declare: string[] = [];
  const load: string[] = [];
  const keep: string[] = [];
  for (let part = 0; part < perThread; part++) {
    const register = `${memory}Next${part}`;
    declare.push(`var ${register} = 0f;`);
    const inside = scope.nested();
    const innerAt = inside.name(`k + ${depth(part)}`);
    const acrossAt = inside.name(`${first} + ${across(part)}`);
    const guard = inside.lines.splice(0);
    const position = operandPosition(operand.shape, batchAt, isInnerLast ? [acrossAt, innerAt] : [innerAt, acrossAt]);
    const element = shader.evaluate(operand, position, inside);
    load.push('{', ...guard);
    if (isGuarded) load.push(`${register} = 0f;`, `if (${innerAt} < end && ${acrossAt} < ${limit}u) {`);
    load.push(...inside.lines, `${register} = ${element};`, ...(isGuarded ? ['}'] : []), '}');
    keep.push(
      `{ let across = ${across(part)}; ${memory}[(${depth(part)}) * ${stride}u + across / 4u][across % 4u] = ${register}; }`,
    );
  }
  return { declare, load, keep };
}

/** An element of an operand whose leading axes broadcast. */
export function operandPosition(shape: Shape, batchAt: readonly string[], last: [string, string]): Position {
  const leading = shape.slice(0, -2);
  const first = batchAt.length - leading.length;
  const coordinates = leading.map((length, axis) => (length === 1 ? '0u' : batchAt[first + axis]!));
  return { shape, coordinates: [...coordinates, ...last] };
}
