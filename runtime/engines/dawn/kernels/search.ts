/** Operations along a row that depend on order, one thread per row: none of them takes long in any step. */
import { sizeOf, type Value } from '../../graph/ir.ts';
import type { Fusion } from '../plan/fusion.ts';
import { literal, typeName } from '../wgsl/arithmetic.ts';
import { gridOf, Scope, Shader } from '../wgsl/shader.ts';
import { kernel, THREADS, type Kernel } from './kernel.ts';

function overRows(fusion: Fusion, x: Value, axis: number) {
  const length = x.shape[axis]!;
  const stride = sizeOf(x.shape.slice(axis + 1));
  const rows = sizeOf(x.shape) / length;
  const grid = gridOf(Math.ceil(rows / THREADS));
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  scope.add(
    ...grid.prologue,
    `let o = group * ${THREADS}u + thread;`,
    `if (o >= ${rows}u) { return; }`,
    `let base = o / ${stride}u * ${length * stride}u + o % ${stride}u;`,
  );
  const element = (inside: Scope, r: string) =>
    shader.evaluate(x, { shape: x.shape, flat: inside.name(`base + ${r} * ${stride}u`) }, inside);
  const finish = (label: string) => kernel(`${label} [${x.shape.join()}]`, shader, scope, grid);
  return { shader, scope, length, stride, element, finish };
}

/** The place of the first largest or smallest element. */
export function argReduceKernel(fusion: Fusion, value: Value): Kernel {
  const { op, inputs } = value;
  if (op.kind !== 'argReduce') throw new Error('internal: dawn: not a search.');
  const { shader, scope, length, element, finish } = overRows(fusion, inputs[0]!, op.axis);
  scope.add('var found = 0i;', `var best = ${element(scope, '0u')};`);
  const inside = scope.nested();
  const candidate = element(inside, 'r');
  inside.add(`if (${candidate} ${op.fn === 'argMax' ? '>' : '<'} best) { best = ${candidate}; found = i32(r); }`);
  scope.add(`for (var r = 1u; r < ${length}u; r++) {`, ...inside.lines, '}');
  shader.store(value, 'o', 'found', scope);
  return finish(op.fn);
}

export function cumulativeSumKernel(fusion: Fusion, value: Value): Kernel {
  const { op, inputs, type } = value;
  if (op.kind !== 'cumulativeSum') throw new Error('internal: dawn: not a cumulative sum.');
  const { shader, scope, length, stride, element, finish } = overRows(fusion, inputs[0]!, op.axis);
  scope.add(`var total = ${literal(0, type)};`);
  const inside = scope.nested();
  inside.add(`let r = ${op.reverse ? `${length - 1}u - step` : 'step'};`);
  const at = inside.name(`base + r * ${stride}u`);
  const next = element(inside, 'r');
  if (op.exclusive) shader.store(value, at, 'total', inside);
  inside.add(`total += ${next};`);
  if (!op.exclusive) shader.store(value, at, 'total', inside);
  scope.add(`for (var step = 0u; step < ${length}u; step++) {`, ...inside.lines, '}');
  return finish('cumulativeSum');
}

/** The k largest elements in falling order and their places, equal ones in theirs: an insertion into a short list. */
export function topKKernel(fusion: Fusion, results: readonly Value[]): Kernel {
  const { op, inputs } = results[0]!;
  if (op.kind !== 'topK') throw new Error('internal: dawn: not a search.');
  const x = inputs[0]!;
  const { shader, scope, length, element, finish } = overRows(fusion, x, x.shape.length - 1);
  const { k } = op;
  scope.add(`var values: array<${typeName(x.type)}, ${k}>;`, `var places: array<i32, ${k}>;`);
  const inside = scope.nested();
  const candidate = element(inside, 'r');
  inside.add(
    `var at = min(r, ${k}u);`,
    // From the end of the list upwards, past everything smaller.
    `loop { if (at == 0u || !(${candidate} > values[at - 1u])) { break; }`,
    `if (at < ${k}u) { values[at] = values[at - 1u]; places[at] = places[at - 1u]; } at--; }`,
    `if (at < ${k}u) { values[at] = ${candidate}; places[at] = i32(r); }`,
  );
  scope.add(`for (var r = 0u; r < ${length}u; r++) {`, ...inside.lines, '}');
  for (const result of results) {
    const list = (result.op as typeof op).result === 'values' ? 'values' : 'places';
    const written = scope.nested();
    shader.store(result, `o * ${k}u + j`, `${list}[j]`, written);
    scope.add(`for (var j = 0u; j < ${k}u; j++) {`, ...written.lines, '}');
  }
  return finish(`top ${k}`);
}
