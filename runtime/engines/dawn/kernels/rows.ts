import { sizeOf, type Value } from '../../graph/ir.ts';
import type { Fusion } from '../plan/fusion.ts';
import { gridOf, Scope, Shader } from '../wgsl/shader.ts';
import { kernel, powerOfTwo, THREADS, type Kernel } from './kernel.ts';

/** Some threads per row; a workgroup takes several short rows. */
class RowScope extends Scope {
  readonly #lanes: number;

  constructor(shader: Shader, lanes: number) {
    super(shader);
    this.#lanes = lanes;
    shader.declarations.add(`var<workgroup> found: array<f32, ${THREADS}>;`);
  }

  /** Adds a loop over the row's elements. */
  over(length: number, lines: (inside: Scope) => void): void {
    const inside = this.nested();
    lines(inside);
    this.add(`for (var r = lane; r < ${length}u; r += ${this.#lanes}u) {`, ...inside.lines, '}');
  }

  /** The value of all threads of a row together, in a name. */
  together(own: string, combine: (a: string, b: string) => string): string {
    this.add(`found[thread] = ${own};`, 'workgroupBarrier();');
    for (let half = this.#lanes / 2; half >= 1; half /= 2) {
      const both = combine('found[thread]', `found[thread + ${half}u]`);
      this.add(`if (lane < ${half}u) { found[thread] = ${both}; }`, 'workgroupBarrier();');
    }
    const all = `${own}OfRow`;
    this.add(`let ${all} = found[thread - lane];`, 'workgroupBarrier();');
    return all;
  }
}

/** Rows along any axis: element `r` of row `o` is at `base + r * stride`. */
function overRows(fusion: Fusion, shape: readonly number[], axis: number) {
  const length = shape[axis]!;
  const stride = sizeOf(shape.slice(axis + 1));
  const rows = sizeOf(shape) / length;
  const lanes = Math.min(THREADS, powerOfTwo(length / 4));
  const perGroup = THREADS / lanes;
  const grid = gridOf(Math.ceil(rows / perGroup));
  const shader = new Shader(fusion);
  const scope = new RowScope(shader, lanes);
  scope.add(
    ...grid.prologue,
    `let lane = thread % ${lanes}u;`,
    `let row = group * ${perGroup}u + thread / ${lanes}u;`,
    // Rows beyond the last one are computed as the last, and not written: every thread meets the barriers.
    `let o = min(row, ${rows - 1}u);`,
    stride === 1 ? `let base = o * ${length}u;` : `let base = o / ${stride}u * ${length * stride}u + o % ${stride}u;`,
  );
  const at = stride === 1 ? 'base + r' : `base + r * ${stride}u`;
  return { shader, scope, grid, length, rows, at };
}

/** `e^(x - max) / sum`, or its logarithm. */
export function softmaxKernel(fusion: Fusion, value: Value): Kernel {
  const { op } = value;
  if (op.kind !== 'softmax' && op.kind !== 'logSoftmax') throw new Error('internal: dawn: not a softmax.');
  const x = value.inputs[0]!;
  const { shader, scope, grid, length, rows, at } = overRows(fusion, x.shape, op.axis);
  const element = (inside: Scope) => shader.evaluate(x, { shape: x.shape, flat: inside.name(at) }, inside);
  scope.add('var largest = -3.4028234663852886e38f;');
  scope.over(length, (inside) => inside.add(`largest = max(largest, ${element(inside)});`));
  const largest = scope.together('largest', (a, b) => `max(${a}, ${b})`);
  scope.add('var total = 0f;');
  scope.over(length, (inside) => inside.add(`total += exp(${element(inside)} - ${largest});`));
  const total = scope.together('total', (a, b) => `${a} + ${b}`);
  const written = scope.nested();
  const shift = written.name(op.kind === 'softmax' ? `1f / ${total}` : `${largest} + log(${total})`);
  const loop = written.nested();
  const found = element(loop);
  const result = op.kind === 'softmax' ? `exp(${found} - ${largest}) * ${shift}` : `${found} - ${shift}`;
  shader.store(value, loop.name(at), result, loop);
  scope.add(`if (row < ${rows}u) {`, ...written.lines);
  scope.add(`for (var r = lane; r < ${length}u; r += ${lanesOf(length)}u) {`, ...loop.lines, '}', '}');
  return kernel(`${op.kind} [${x.shape.join()}]`, shader, scope, grid);
}

const lanesOf = (length: number) => Math.min(THREADS, powerOfTwo(length / 4));

/** Those of a normalisation's results that somebody needs, in one pass: `(x - mean) / sqrt(var + epsilon) weight + bias` and statistics. */
export function layerNormKernel(fusion: Fusion, results: readonly Value[]): Kernel {
  const { op, inputs } = results[0]!;
  if (op.kind !== 'layerNorm') throw new Error('internal: dawn: not a normalisation.');
  const [x, weight, bias] = inputs as [Value, Value, Value];
  const { shader, scope, grid, length, rows, at } = overRows(fusion, x.shape, x.shape.length - 1);
  const element = (inside: Scope) => shader.evaluate(x, { shape: x.shape, flat: inside.name(at) }, inside);
  scope.add('var total = 0f;');
  scope.over(length, (inside) => inside.add(`total += ${element(inside)};`));
  const mean = scope.name(`${scope.together('total', (a, b) => `${a} + ${b}`)} / ${length}f`);
  scope.add('var squares = 0f;');
  scope.over(length, (inside) => {
    const centred = inside.name(`${element(inside)} - ${mean}`);
    inside.add(`squares += ${centred} * ${centred};`);
  });
  const squares = scope.together('squares', (a, b) => `${a} + ${b}`);
  const inverseDeviation = scope.name(`inverseSqrt(${squares} / ${length}f + ${op.epsilon}f)`);
  scope.add(`if (row < ${rows}u) {`);
  for (const result of results) {
    const which = (result.op as typeof op).result;
    const inside = scope.nested();
    if (which === 'output') {
      const of = (parameter: Value) => shader.evaluate(parameter, { shape: parameter.shape, flat: 'r' }, inside);
      const normalised = inside.name(`(${element(inside)} - ${mean}) * ${inverseDeviation}`);
      shader.store(result, inside.name(at), `fma(${normalised}, ${of(weight)}, ${of(bias)})`, inside);
      scope.add(`for (var r = lane; r < ${length}u; r += ${lanesOf(length)}u) {`, ...inside.lines, '}');
    } else {
      shader.store(result, 'o', which === 'mean' ? mean : inverseDeviation, inside);
      scope.add('if (lane == 0u) {', ...inside.lines, '}');
    }
  }
  scope.add('}');
  return kernel(`layerNorm [${x.shape.join()}]`, shader, scope, grid);
}
