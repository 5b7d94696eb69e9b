import { sizeOf, type Shape, type Value } from '../../graph/ir.ts';
import type { Fusion, Root } from '../plan/fusion.ts';
import type { Position } from '../wgsl/position.ts';
import { gridOf, Scope, Shader, type Temporary } from '../wgsl/shader.ts';
import { divide, type Sizes, type Tile } from './division.ts';
import { kernel, THREADS, type Kernel } from './kernel.ts';
import { matrixUnitArithmetic } from './matrixUnitArithmetic.ts';
import { threadArithmetic } from './threadArithmetic.ts';
import type { ElementWriter, TileSide } from './tileArithmetic.ts';
import { tileLoads } from './tileLoads.ts';

/**
 * A batch of products and what follows them element by element. Operands are read through their expressions, so that transposes,
 * slices and scales in front of a product cost no memory. A small result of a long inner axis, a weight's gradient, is computed in parts
 * along that axis, which a second kernel adds.
 *
 * @param options.matrixUnits round the operands of products that allow it to 16 bits, and use the GPU's matrix units
 */
export function matmulKernels(fusion: Fusion, root: Root, { matrixUnits }: { matrixUnits: boolean }): Kernel[] {
  const { op, inputs, shape } = root.anchor!;
  if (op.kind !== 'matmul') throw new Error('internal: dawn: not a product.');
  const inner = inputs[0]!.shape.at(op.transposeA ? -2 : -1)!;
  const sizes: Sizes = { batch: shape.slice(0, -2), rows: shape.at(-2)!, columns: shape.at(-1)!, inner };
  const arithmetic = matrixUnits && op.mixed ? matrixUnitArithmetic : threadArithmetic;
  const { tile, parts } = divide(sizes, arithmetic);
  if (parts === 1) return [productKernel(fusion, root, { sizes, tile, arithmetic })];
  const split: Split = { parts, partial: { elements: parts * sizeOf(shape) } };
  return [productKernel(fusion, root, { sizes, tile, arithmetic, split }), sumKernel(fusion, root, split)];
}

interface Split {
  parts: number;
  partial: Temporary;
}

interface ProductOptions {
  sizes: Sizes;
  tile: Tile;
  arithmetic: typeof threadArithmetic;
  split?: Split;
}

function productKernel(fusion: Fusion, { value, anchor }: Root, { sizes, tile, arithmetic, split }: ProductOptions) {
  const { batch, rows, columns, inner } = sizes;
  const { op, inputs } = anchor!;
  const { transposeA, transposeB } = op as Value['op'] & { kind: 'matmul' };
  const [acrossRows, acrossColumns] = [Math.ceil(rows / tile.rows), Math.ceil(columns / tile.columns)];
  const ofPart = acrossColumns * acrossRows * sizeOf(batch);
  const grid = gridOf(ofPart * (split?.parts ?? 1));
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  scope.add(
    ...grid.prologue,
    `let firstColumn = (group % ${acrossColumns}u) * ${tile.columns}u;`,
    `let firstRow = (group / ${acrossColumns}u % ${acrossRows}u) * ${tile.rows}u;`,
    `let sample = group / ${acrossColumns * acrossRows}u % ${sizeOf(batch)}u;`,
  );
  if (split) {
    const chunk = Math.ceil(inner / split.parts / arithmetic.depth) * arithmetic.depth;
    scope.add(
      `let part = group / ${ofPart}u;`,
      `let begin = part * ${chunk}u;`,
      `let end = min(begin + ${chunk}u, ${inner}u);`,
    );
  } else scope.add('let begin = 0u;', `let end = ${inner}u;`);

  const sides: [TileSide, TileSide] = [
    { name: 'A', length: tile.rows, isInnerLast: !transposeA },
    { name: 'B', length: tile.columns, isInnerLast: transposeB },
  ];
  arithmetic.declare(shader, scope, tile, sides);
  const loads = sides.map((side, index) =>
    tileLoads(
      shader,
      scope,
      {
        ...side,
        operand: inputs[index]!,
        limit: index === 0 ? rows : columns,
        depth: arithmetic.depth,
        first: index === 0 ? 'firstRow' : 'firstColumn',
      },
      { batch, inner, isSplit: split !== undefined },
      (piece) => arithmetic.keep(side, piece),
    ),
  );
  const [load, keep] = [loads.flatMap((side) => side.load), loads.flatMap((side) => side.keep)];
  scope.add(...loads.flatMap(({ declare }) => declare), 'var k = begin;', ...load, 'loop {');
  scope.add(...keep, 'workgroupBarrier();', `k += ${arithmetic.depth}u;`, 'if (k < end) {', ...load, '}');
  arithmetic.multiply(scope, tile, sides);
  scope.add('workgroupBarrier();', 'if (k >= end) { break; }', '}');

  const write: ElementWriter = (inside, row, column, sum) => {
    const flat = inside.name(`(sample * ${rows}u + ${row}) * ${columns}u + ${column}`);
    if (split) {
      const { name } = partialOf(shader, split.partial);
      inside.add(`${name}[part * ${sizeOf(value.shape)}u + ${flat}] = ${sum};`);
      return;
    }
    shader.give(anchor!, sum);
    const position = resultPosition(value.shape, { flat, row, column }, sizes);
    shader.store(value, flat, shader.compute(value, position, inside), inside);
  };
  arithmetic.finish(shader, scope, tile, { rows, columns }, write);
  const label = `${arithmetic.label} [${[...batch, rows, inner, columns].join()}]`;
  return kernel(split ? `${label}, ${split.parts} parts` : label, shader, scope, grid);
}

/** A result's place, by coordinates too where its last axes are still the product's. */
function resultPosition(
  shape: Shape,
  { flat, row, column }: Record<'flat' | 'row' | 'column', string>,
  { batch, rows, columns }: Sizes,
): Position {
  const isMatrix = sizeOf(batch) === 1 && shape.length >= 2 && shape.at(-1) === columns && shape.at(-2) === rows;
  if (!isMatrix) return { shape, flat };
  return { shape, flat, coordinates: [...shape.slice(0, -2).map(() => '0u'), row, column] };
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
