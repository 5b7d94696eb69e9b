import type * as tf from '@tensorflow/tfjs-core';

/** Parameters by their name in the authors' state dict, such as `blocks.0.attn.qkv.weight`. */
export type Parameters = Record<string, tf.Tensor>;

/** Uniform numbers in [0, 1) from an explicit, seeded source. */
export type Random = () => number;

/** How a tensor starts. */
export type Initialiser =
  | { kind: 'zeros' }
  | { kind: 'ones' }
  | { kind: 'constant'; value: number }
  /** Normal, redrawn outside +- 2 (an absolute cut-off: the authors' truncated normal with std 0.02 never meets it). */
  | { kind: 'normal'; std: number }
  | { kind: 'uniform'; limit: number };

export interface ParameterSpec {
  name: string;
  shape: readonly number[];
  initialiser: Initialiser;
}

export const zeros: Initialiser = { kind: 'zeros' };
export const ones: Initialiser = { kind: 'ones' };
/** N(0, 0.02^2): CLS token and positions always, linear layers unless a configuration says otherwise. */
export const weightNormal = { kind: 'normal', std: 0.02 } as const satisfies Initialiser;
export const nearZero: Initialiser = { kind: 'normal', std: 1e-6 };

/** Values of freshly initialised parameters, drawn in the order of the list. */
export function initialiseParameters(specs: readonly ParameterSpec[], random: Random): Map<string, Float32Array> {
  return new Map(specs.map((spec) => [spec.name, initialValues(spec, random)]));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The same list with a prefix before every name: a module inside a larger one. */
export function prefixed(prefix: string, specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.map((spec) => ({ ...spec, name: `${prefix}.${spec.name}` }));
}

/** The parameters of one module, under the names that they have inside it. */
export function submodule(parameters: Parameters, prefix: string): Parameters {
  const start = `${prefix}.`;
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => name.startsWith(start))
      .map(([name, tensor]) => [name.slice(start.length), tensor]),
  );
}

/** A parameter by name; a missing one is a fault of ours. */
export function parameter(parameters: Parameters, name: string): tf.Tensor {
  const tensor = parameters[name];
  if (!tensor) throw new Error(`internal: parameter '${name}' is missing; have ${Object.keys(parameters).join(', ')}.`);
  return tensor;
}

/** A bias, a normalisation's gain or shift. */
export function vector(parameters: Parameters, name: string): tf.Tensor1D {
  return parameter(parameters, name) as tf.Tensor1D;
}

/** A weight, in the official layout (out, in). */
export function matrix(parameters: Parameters, name: string): tf.Tensor2D {
  return parameter(parameters, name) as tf.Tensor2D;
}

function initialValues({ shape, initialiser }: ParameterSpec, random: Random): Float32Array {
  const values = new Float32Array(elementCount(shape));
  switch (initialiser.kind) {
    case 'zeros':
      return values;
    case 'ones':
      return values.fill(1);
    case 'constant':
      return values.fill(initialiser.value);
    case 'uniform':
      return values.map(() => (2 * random() - 1) * initialiser.limit);
    case 'normal':
      return fillWithNormals(values, random, initialiser.std);
  }
}

/** Box and Muller: two uniform numbers give two normal ones. */
function fillWithNormals(values: Float32Array, random: Random, std: number): Float32Array {
  let at = 0;
  const place = (value: number) => {
    if (Math.abs(value) <= 2 && at < values.length) values[at++] = value;
  };
  while (at < values.length) {
    // 1 - u avoids the logarithm of zero.
    const radius = std * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    place(radius * Math.cos(angle));
    place(radius * Math.sin(angle));
  }
  return values;
}
