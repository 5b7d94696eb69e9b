import { sizeOf, type Value } from '../../graph/ir.ts';
import type { Fusion } from '../plan/fusion.ts';
import { gridOf, Scope, Shader, type Temporary } from '../wgsl/shader.ts';
import { storageTypeName } from '../wgsl/arithmetic.ts';
import { kernel, THREADS, type Kernel } from './kernel.ts';

/** From so many elements on, each thread computes several, far apart: more loads are on their way at once. */
const MANY_ELEMENTS = 2 ** 20;

/** Computes an expression, an element or a few per thread. */
export function elementwiseKernel(fusion: Fusion, value: Value): Kernel {
  const shader = new Shader(fusion);
  return overElements(shader, value, (scope) => {
    const element = shader.compute(value, { shape: value.shape, flat: 'i' }, scope);
    shader.store(value, 'i', element, scope);
  });
}

/** Copies what is not computed, an input or a constant, to where a result is expected. */
export function copyKernel(fusion: Fusion, value: Value, to: Temporary): Kernel {
  const shader = new Shader(fusion);
  const target = shader.temporary(to, 'read_write', storageTypeName(value.type));
  return overElements(shader, value, (scope) => {
    const element = shader.evaluate(value, { shape: value.shape, flat: 'i' }, scope);
    scope.add(`${target.name}[i] = ${value.type === 'bool' ? `select(0u, 1u, ${element})` : element};`);
  });
}

/**
 * Joins more arrays than one kernel may read: kernels that each write the elements of some of them.
 */
export function concatKernels(fusion: Fusion, value: Value, { maxParts }: { maxParts: number }): Kernel[] {
  if (value.op.kind !== 'concat') throw new Error('internal: dawn: not a concatenation.');
  const { axis } = value.op;
  const inner = sizeOf(value.shape.slice(axis + 1));
  const kernels: Kernel[] = [];
  let begin = 0;
  for (let first = 0; first < value.inputs.length; first += maxParts) {
    const parts = value.inputs.slice(first, first + maxParts);
    const length = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
    const shape = value.shape.with(axis, length);
    // The same concatenation of fewer parts, which is nobody's value.
    const some: Value = { ...value, inputs: parts, shape };
    const shader = new Shader(fusion);
    const offset = begin;
    kernels.push(
      overElements(shader, some, (scope) => {
        const element = shader.compute(some, { shape, flat: 'i' }, scope);
        const block = scope.name(`i / ${length * inner}u`);
        const flat = `${block} * ${value.shape[axis]! * inner}u + ${offset * inner}u + i % ${length * inner}u`;
        shader.store(value, flat, element, scope);
      }),
    );
    begin += length;
  }
  return kernels;
}

function overElements(shader: Shader, { shape, op }: Value, body: (scope: Scope) => void): Kernel {
  const size = sizeOf(shape);
  const perThread = size >= MANY_ELEMENTS ? 4 : 1;
  const grid = gridOf(Math.ceil(size / (THREADS * perThread)));
  const scope = new Scope(shader);
  scope.add(...grid.prologue);
  const inside = scope.nested();
  body(inside);
  if (perThread === 1) {
    scope.add(`let i = group * ${THREADS}u + thread;`, `if (i < ${size}u) {`, ...inside.lines, '}');
  } else {
    scope.add(
      `for (var part = 0u; part < ${perThread}u; part++) {`,
      `let i = (group * ${perThread}u + part) * ${THREADS}u + thread;`,
      `if (i < ${size}u) {`,
      ...inside.lines,
      '}',
      '}',
    );
  }
  return kernel(`${op.kind} [${shape.join()}]`, shader, scope, grid);
}
