import { sizeOf, type Value } from '../../graph/ir.ts';
import type { Fusion } from '../plan/fusion.ts';
import { gridOf, Scope, Shader } from '../wgsl/shader.ts';
import { kernel, type Kernel } from './kernel.ts';

/** A matrix and its factor's inverse of this size fit into the workgroup memory that every adapter has. */
export const LARGEST_FACTOR = 32;

/**
 * Factorises a small matrix per workgroup, `A = L L^T`, column by column, a thread per row, and inverts the factor, a thread per column.
 * Nothing else of a step depends on itself as long: as elementwise operations it would be hundreds of kernels.
 */
export function choleskyInverseKernel(fusion: Fusion, results: readonly Value[]): Kernel {
  const { op, inputs } = results[0]!;
  if (op.kind !== 'choleskyInverse') throw new Error('internal: dawn: not a factorisation.');
  const a = inputs[0]!;
  const size = a.shape.at(-1)!;
  const groups = sizeOf(a.shape) / size ** 2;
  const threads = LARGEST_FACTOR;
  const grid = gridOf(groups);
  const shader = new Shader(fusion);
  const scope = new Scope(shader);
  shader.declarations.add(`var<workgroup> factor: array<f32, ${size * size}>;`);
  shader.declarations.add(`var<workgroup> inverse: array<f32, ${size * size}>;`);
  const loading = scope.nested();
  const element = shader.evaluate(a, { shape: a.shape, flat: loading.name(`group * ${size * size}u + i`) }, loading);
  scope.add(
    ...grid.prologue,
    `for (var i = thread; i < ${size * size}u; i += ${threads}u) {`,
    ...loading.lines,
    `factor[i] = ${element};`,
    '}',
    'workgroupBarrier();',
    `for (var j = 0u; j < ${size}u; j++) {`,
    // A pivot that is not positive makes NaN of everything that follows.
    `let pivot = factor[j * ${size}u + j];`,
    'let isPositive = pivot > 0f;',
    'let root = select(bitcast<f32>(notANumberBits), sqrt(pivot), isPositive);',
    'workgroupBarrier();',
    `if (thread == j) { factor[j * ${size}u + j] = root; }`,
    `if (thread > j && thread < ${size}u) { factor[thread * ${size}u + j] /= root; }`,
    'workgroupBarrier();',
    `if (thread > j && thread < ${size}u) {`,
    `let own = factor[thread * ${size}u + j];`,
    `for (var k = j + 1u; k <= thread; k++) { factor[thread * ${size}u + k] -= own * factor[k * ${size}u + j]; }`,
    '}',
    'workgroupBarrier();',
    '}',
    `if (thread < ${size}u) {`,
    `for (var i = 0u; i < ${size}u; i++) {`,
    'var sum = select(0f, 1f, i == thread);',
    `for (var k = thread; k < i; k++) { sum -= factor[i * ${size}u + k] * inverse[k * ${size}u + thread]; }`,
    `inverse[i * ${size}u + thread] = select(0f, sum / factor[i * ${size}u + i], i >= thread);`,
    '}',
    '}',
    'workgroupBarrier();',
  );
  for (const result of results) {
    const written = scope.nested();
    if ((result.op as typeof op).result === 'inverse') {
      shader.store(result, written.name(`group * ${size * size}u + i`), 'inverse[i]', written);
      scope.add(`for (var i = thread; i < ${size * size}u; i += ${threads}u) {`, ...written.lines, '}');
    } else {
      written.add('var sum = 0f;', `for (var i = 0u; i < ${size}u; i++) { sum += log(factor[i * ${size}u + i]); }`);
      shader.store(result, 'group', 'sum', written);
      scope.add('if (thread == 0u) {', ...written.lines, '}');
    }
  }
  return kernel(`choleskyInverse [${a.shape.join()}]`, shader, scope, grid, threads);
}
