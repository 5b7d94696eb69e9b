import { sizeOf, type ElementType, type Reduction, type Value } from '../../graph/ir.ts';
import type { Fusion, Root } from '../plan/fusion.ts';
import { literal, typeName } from '../wgsl/arithmetic.ts';
import { coordinatesOf, type Position } from '../wgsl/position.ts';
import { gridOf, Scope, Shader, type Temporary } from '../wgsl/shader.ts';
import { operandPosition } from './tileLoads.ts';
import { kernel, powerOfTwo, THREADS, type Kernel } from './kernel.ts';

/** Fewer workgroups than this leave a large GPU idle: a long reduction is then cut into parts. */
const FEW_WORKGROUPS = 256;
const LONGEST_SPLIT = 256;

interface Plan {
  fn: Reduction;
  type: ElementType;
  /** Results, and elements that each is reduced from. */
  outputs: number;
  length: number;
  /** `rows`: neighbouring threads read along the reduced axes; `columns`: along the others. */
  reads: 'rows' | 'columns';
  /** The element that is `r`-th of the `o`-th result. */
  element(shader: Shader, scope: Scope): string;
}

/** A reduction, or a product of matrices with one row or column, and what follows it element by element. */
export function reductionKernels(fusion: Fusion, root: Root): Kernel[] {
  const anchor = root.anchor!;
  const plan = anchor.op.kind === 'reduce' ? planOfReduction(anchor) : planOfProducts(anchor);
  const lanes = plan.reads === 'rows' ? Math.min(THREADS, powerOfTwo(plan.length / 4)) : 8;
  const groups = Math.ceil(plan.outputs / (THREADS / lanes));
  const wanted = groups < FEW_WORKGROUPS ? Math.ceil((2 * FEW_WORKGROUPS) / groups) : 1;
  const parts = Math.max(1, Math.min(wanted, LONGEST_SPLIT, Math.floor(plan.length / (lanes * 16))));
  if (parts === 1) return [reductionKernel(fusion, root, plan, lanes)];

  const partial: Temporary = { elements: parts * plan.outputs };
  const second: Plan = {
    ...plan,
    length: parts,
    reads: 'columns',
    element: (shader, scope) => {
      const { name } = shader.temporary(partial, 'read', storageOf(plan.type));
      return scope.name(`${name}[r * ${plan.outputs}u + o]`);
    },
  };
  return [
    reductionKernel(fusion, root, plan, lanes, { parts, partial }),
    reductionKernel(fusion, root, second, 8, undefined, plan.length),
  ];
}

function reductionKernel(
  fusion: Fusion,
  { value, anchor }: Root,
  plan: Plan,
  lanes: number,
  split?: { parts: number; partial: Temporary },
  meanOf = plan.length,
): Kernel {
  const { fn, type, outputs, length, reads } = plan;
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  const perGroup = THREADS / lanes;
  const groups = Math.ceil(outputs / perGroup);
  const grid = gridOf(groups * (split?.parts ?? 1));
  shader.declarations.add(`var<workgroup> found: array<${typeName(type)}, ${THREADS}>;`);
  const [lane, output] =
    reads === 'rows'
      ? [`thread % ${lanes}u`, `thread / ${lanes}u`]
      : [`thread / ${perGroup}u`, `thread % ${perGroup}u`];
  scope.add(
    ...grid.prologue,
    `let lane = ${lane};`,
    `let o = (group % ${groups}u) * ${perGroup}u + ${output};`,
    `var total = ${identity(fn, type)};`,
  );
  if (split) {
    const chunk = Math.ceil(length / split.parts);
    scope.add(
      `let part = group / ${groups}u;`,
      `let begin = part * ${chunk}u;`,
      `let end = min(begin + ${chunk}u, ${length}u);`,
    );
  } else scope.add('let begin = 0u;', `let end = ${length}u;`);
  const inside = scope.nested();
  const element = plan.element(shader, inside);
  scope.add(
    `if (o < ${outputs}u) {`,
    `for (var r = begin + lane; r < end; r += ${lanes}u) {`,
    ...inside.lines,
    `total = ${combine(fn, 'total', element)};`,
    '}',
    '}',
    'found[thread] = total;',
    'workgroupBarrier();',
  );
  const step = reads === 'rows' ? 1 : perGroup;
  for (let half = lanes / 2; half >= 1; half /= 2) {
    scope.add(
      `if (lane < ${half}u) { found[thread] = ${combine(fn, 'found[thread]', `found[thread + ${half * step}u]`)}; }`,
      'workgroupBarrier();',
    );
  }
  const last = scope.nested();
  if (split) {
    const { name } = shader.temporary(split.partial, 'read_write', storageOf(type));
    last.add(`${name}[part * ${outputs}u + o] = found[thread];`);
  } else {
    const found = last.name(fn === 'mean' ? `found[thread] / ${literal(meanOf, type)}` : 'found[thread]');
    shader.give(anchor!, found);
    const position: Position = { shape: value.shape, flat: 'o' };
    shader.store(value, 'o', shader.compute(value, position, last), last);
  }
  scope.add(`if (lane == 0u && o < ${outputs}u) {`, ...last.lines, '}');
  return kernel(`${fn} of ${length} [${outputs}]${split ? ', in parts' : ''}`, shader, scope, grid);
}

function planOfReduction({ op, inputs }: Value): Plan {
  if (op.kind !== 'reduce') throw new Error('internal: dawn: not a reduction.');
  const x = inputs[0]!;
  const isReduced = (_: unknown, axis: number) => op.axes.includes(axis);
  const kept = x.shape.filter((_, axis) => !isReduced(_, axis));
  const reduced = x.shape.filter(isReduced);
  const [outputs, length] = [sizeOf(kept), sizeOf(reduced)];
  // Trailing or leading axes are a block of the flat index.
  const ofAxes = (axes: readonly number[]) => axes.every((axis, index) => axis === axes[0]! + index);
  const isBlock = ofAxes(op.axes);
  const isTrailing = isBlock && op.axes.at(-1) === x.shape.length - 1;
  const isLeading = isBlock && op.axes[0] === 0;
  return {
    fn: op.fn,
    type: x.type,
    outputs,
    length,
    reads: isTrailing || x.shape.at(-1) === 1 || op.axes.includes(x.shape.length - 1) ? 'rows' : 'columns',
    element(shader, scope) {
      if (isTrailing) return shader.evaluate(x, { shape: x.shape, flat: scope.name(`o * ${length}u + r`) }, scope);
      if (isLeading) return shader.evaluate(x, { shape: x.shape, flat: scope.name(`r * ${outputs}u + o`) }, scope);
      const ofKept = [...coordinatesOf(scope, { shape: kept, flat: 'o' })];
      const ofReduced = [...coordinatesOf(scope, { shape: reduced, flat: 'r' })];
      const coordinates = x.shape.map((_, axis) => (isReduced(_, axis) ? ofReduced : ofKept).shift()!);
      return shader.evaluate(x, { shape: x.shape, coordinates }, scope);
    },
  };
}

function planOfProducts(value: Value): Plan {
  const { op, inputs, shape } = value;
  if (op.kind !== 'matmul') throw new Error('internal: dawn: not a product.');
  const [a, b] = inputs as [Value, Value];
  const length = a.shape.at(op.transposeA ? -2 : -1)!;
  const isContiguous = shape.at(-1) === 1 ? !op.transposeA : op.transposeB;
  return {
    fn: 'sum',
    type: 'real',
    outputs: sizeOf(shape),
    length,
    reads: isContiguous ? 'rows' : 'columns',
    element(shader, scope) {
      const at = coordinatesOf(scope, { shape: shape, flat: 'o' });
      const batch = at.slice(0, -2);
      const [m, n] = at.slice(-2) as [string, string];
      const left = shader.evaluate(a, operandPosition(a.shape, batch, op.transposeA ? ['r', m] : [m, 'r']), scope);
      const right = shader.evaluate(b, operandPosition(b.shape, batch, op.transposeB ? [n, 'r'] : ['r', n]), scope);
      return scope.name(`${left} * ${right}`);
    },
  };
}

export function identity(fn: Reduction, type: ElementType): string {
  switch (fn) {
    case 'sum':
    case 'mean':
      return literal(0, type);
    case 'product':
      return literal(1, type);
    case 'max':
      return type === 'int32' ? literal(-(2 ** 31), type) : literal(-3.4028234663852886e38, type);
    case 'min':
      return type === 'int32' ? literal(2 ** 31 - 1, type) : literal(3.4028234663852886e38, type);
  }
}

function combine(fn: Reduction, a: string, b: string): string {
  switch (fn) {
    case 'sum':
    case 'mean':
      return `${a} + ${b}`;
    case 'product':
      return `${a} * ${b}`;
    case 'max':
    case 'min':
      return `${fn}(${a}, ${b})`;
  }
}

const storageOf = (type: ElementType): 'f32' | 'i32' => (type === 'int32' ? 'i32' : 'f32');
