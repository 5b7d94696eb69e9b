import { sizeOf, type ElementType, type Value } from '../../graph/ir.ts';
import { unreshaped, type Fusion } from '../plan/fusion.ts';
import {
  binaryExpression,
  castExpression,
  comparisonExpression,
  libraryFunctions,
  literal,
  specialBits,
  storageTypeName,
  typeName,
  unaryExpression,
  type LibraryFunction,
} from './arithmetic.ts';
import { broadcastPosition, coordinatesOf, flatIndex, shifted, type Namer, type Position } from './position.ts';

/** Memory that holds no value of the graph. */
export interface Temporary {
  readonly elements: number;
}

/** An array that a shader reads or writes. */
export interface Binding {
  name: string;
  element: 'f32' | 'i32' | 'u32' | 'vec4f';
  access: 'read' | 'read_write';
  /** The value of the graph that it holds, or memory between two kernels of one value. */
  holds: Value | Temporary;
  /** The flat indices, as expressions, of what is read and of what is written. */
  readAt: Set<string>;
  writtenAt: Set<string>;
}

/** Statements of a block; equal expressions get one name. */
export class Scope implements Namer {
  readonly lines: string[] = [];
  readonly #shader: Shader;
  readonly #parent: Scope | undefined;
  readonly #names = new Map<string, string>();

  constructor(shader: Shader, parent?: Scope) {
    this.#shader = shader;
    this.#parent = parent;
  }

  name(expression: string): string {
    if (/^\w+$/.test(expression)) return expression;
    const known = this.#known(expression);
    if (known !== undefined) return known;
    const name = this.#shader.newName();
    this.lines.push(`let ${name} = ${expression};`);
    this.#names.set(expression, name);
    return name;
  }

  add(...lines: string[]): void {
    this.lines.push(...lines);
  }

  /** A block inside this one: what is named there is not known outside. */
  nested(): Scope {
    return new Scope(this.#shader, this);
  }

  #known(expression: string): string | undefined {
    return this.#names.get(expression) ?? (this.#parent ? this.#parent.#known(expression) : undefined);
  }
}

/**
 * A compute shader under construction: what it reads and writes, and the expressions of values that are computed on the way instead of
 * being stored.
 */
export class Shader {
  readonly bindings: Binding[] = [];
  readonly declarations = new Set<string>();
  /** The first lines: extensions of the language, and what the compiler is told. */
  readonly directives = new Set<string>();
  readonly #fusion: Fusion;
  readonly #library = new Set<LibraryFunction>();
  #names = 0;
  /** A value that this shader itself computes by other means than an expression, and what it is called. */
  #given: { value: Value; name: string } | undefined;

  constructor(fusion: Fusion) {
    this.#fusion = fusion;
  }

  newName(): string {
    return `v${this.#names++}`;
  }

  read(value: Value): Binding {
    const known = this.bindings.find(({ holds, element }) => holds === value && element !== 'vec4f');
    return known ?? this.#bind({ element: storageTypeName(value.type), access: 'read', holds: value });
  }

  /** A stored array of numbers, four at a time. */
  readVectors(value: Value): Binding {
    const holds = unreshaped(value);
    const known = this.bindings.find((binding) => binding.holds === holds && binding.element === 'vec4f');
    const binding = known ?? this.#bind({ element: 'vec4f', access: 'read', holds });
    binding.readAt.add('vectors');
    return binding;
  }

  isStored(value: Value): boolean {
    return this.#fusion.isStored(value);
  }

  write(value: Value): Binding {
    const binding = this.read(value);
    binding.access = 'read_write';
    return binding;
  }

  temporary(holds: Temporary, access: Binding['access'], element: Binding['element'] = 'f32'): Binding {
    return this.#bind({ element, access, holds });
  }

  /** Makes `evaluate` use a name for a value instead of computing or loading it. */
  give(value: Value, name: string): void {
    this.#given = { value, name };
  }

  /** The value's element at a position, as a name or a literal. */
  evaluate(value: Value, position: Position, scope: Scope): string {
    if (this.#given && unreshaped(value) === this.#given.value) return this.#given.name;
    if (value.op.kind === 'reshape') {
      const source = value.inputs[0]!;
      return this.evaluate(source, { shape: source.shape, flat: flatIndex(scope, position) }, scope);
    }
    const { op } = value;
    if (op.kind === 'constant' && op.data.length === 1) return literal(op.data[0]!, value.type);
    if (this.#fusion.isStored(value)) return this.#load(value, flatIndex(scope, position), scope);
    return scope.name(this.#expression(value, position, scope));
  }

  /** The same of a value that this shader writes: its expression. */
  compute(value: Value, position: Position, scope: Scope): string {
    if (this.#given?.value === value) return this.#given.name;
    return scope.name(this.#expression(value, position, scope));
  }

  store(value: Value, flat: string, element: string, scope: Scope): void {
    const { name, writtenAt } = this.write(value);
    writtenAt.add(flat);
    scope.add(`${name}[${flat}] = ${value.type === 'bool' ? `select(0u, 1u, ${element})` : element};`);
  }

  /** The whole text. */
  source(body: Scope, { threads }: { threads: number }): string {
    const bindings = this.bindings.map(
      ({ name, element, access }, index) =>
        `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<${element}>;`,
    );
    const code = body.lines.map((line) => `  ${line}`).join('\n');
    return [
      ...this.directives,
      ...bindings,
      ...(/(infinity|notANumber)Bits/.test(code) ? [specialBits] : []),
      ...this.declarations,
      ...[...this.#library].map((name) => libraryFunctions[name]),
      `@compute @workgroup_size(${threads})`,
      'fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {',
      code,
      '}',
    ].join('\n');
  }

  #bind(binding: Omit<Binding, 'name' | 'readAt' | 'writtenAt'>): Binding {
    const bound = {
      ...binding,
      name: `b${this.bindings.length}`,
      readAt: new Set<string>(),
      writtenAt: new Set<string>(),
    };
    this.bindings.push(bound);
    return bound;
  }

  #load(value: Value, flat: string, scope: Scope): string {
    const binding = this.read(unreshaped(value));
    binding.readAt.add(flat);
    const { name } = binding;
    if (value.type === 'uint8') return scope.name(`(${name}[${flat} / 4u] >> (8u * (${flat} % 4u))) & 255u`);
    return scope.name(value.type === 'bool' ? `${name}[${flat}] != 0u` : `${name}[${flat}]`);
  }

  #expression(value: Value, position: Position, scope: Scope): string {
    const { op, inputs, type } = value;
    const x = inputs[0]!;
    const broadcast = (operand: Value) =>
      this.evaluate(operand, broadcastPosition(scope, position, operand.shape), scope);
    switch (op.kind) {
      case 'unary':
        if (op.fn === 'erf') this.#library.add('errorFunction');
        if (op.fn === 'isNaN') this.#library.add('isNotANumber');
        return unaryExpression(op.fn, broadcast(x), x.type);
      case 'binary':
        if (op.fn === 'power') this.#library.add('power');
        return binaryExpression(op.fn, broadcast(x), broadcast(inputs[1]!), type);
      case 'compare':
        return comparisonExpression(op.fn, broadcast(x), broadcast(inputs[1]!));
      case 'select':
        return `select(${broadcast(inputs[2]!)}, ${broadcast(inputs[1]!)}, ${broadcast(x)})`;
      case 'cast':
        return castExpression(broadcast(x), x.type, type);
      case 'expand':
        return broadcast(x);
      case 'transpose': {
        const at = coordinatesOf(scope, position);
        const coordinates = x.shape.map((_, axis) => at[op.permutation.indexOf(axis)]!);
        return this.evaluate(x, { shape: x.shape, coordinates }, scope);
      }
      case 'slice': {
        const coordinates = coordinatesOf(scope, position).map((at, axis) =>
          shifted(scope, at, op.begin[axis]!, op.strides[axis]),
        );
        return this.evaluate(x, { shape: x.shape, coordinates }, scope);
      }
      case 'tile': {
        const coordinates = coordinatesOf(scope, position).map((at, axis) =>
          op.repeats[axis] === 1 ? at : scope.name(`${at} % ${x.shape[axis]!}u`),
        );
        return this.evaluate(x, { shape: x.shape, coordinates }, scope);
      }
      case 'gather': {
        const at = coordinatesOf(scope, position);
        const [, indices] = inputs as [Value, Value];
        const rank = indices.shape.length;
        const where = { shape: indices.shape, coordinates: at.slice(op.axis, op.axis + rank) };
        const index = scope.name(`u32(${this.evaluate(indices, where, scope)})`);
        return this.evaluate(x, { shape: x.shape, coordinates: at.toSpliced(op.axis, rank, index) }, scope);
      }
      case 'oneHot': {
        const at = coordinatesOf(scope, position);
        const index = this.evaluate(x, { shape: x.shape, coordinates: at.slice(0, -1) }, scope);
        const isHit = scope.name(`i32(${index}) == i32(${at.at(-1)!})`);
        return `select(${literal(op.off, type)}, ${literal(op.on, type)}, ${isHit})`;
      }
      case 'pad':
        return this.#padded(value, op, position, scope);
      case 'concat':
        return this.#concatenated(value, op.axis, position, scope);
      default:
        throw new Error(`internal: dawn: ${op.kind} is not an expression.`);
    }
  }

  #padded(value: Value, op: Value['op'] & { kind: 'pad' }, position: Position, scope: Scope): string {
    const x = value.inputs[0]!;
    const result = this.#variable(value.type, literal(op.fill, value.type), scope);
    // Before the first element an unsigned difference is huge.
    const coordinates = coordinatesOf(scope, position).map((at, axis) =>
      op.before[axis] === 0 ? at : scope.name(`${at} - ${op.before[axis]!}u`),
    );
    const checked = coordinates.filter((_, axis) => op.before[axis]! + op.after[axis]! > 0);
    const axes = x.shape.filter((_, axis) => op.before[axis]! + op.after[axis]! > 0);
    const inside = scope.nested();
    inside.add(`${result} = ${this.evaluate(x, { shape: x.shape, coordinates }, inside)};`);
    const condition = checked.map((at, index) => `${at} < ${axes[index]!}u`).join(' && ');
    scope.add(`if (${condition || 'true'}) {`, ...inside.lines, '}');
    return result;
  }

  #concatenated(value: Value, axis: number, position: Position, scope: Scope): string {
    const at = coordinatesOf(scope, position);
    const result = this.#variable(value.type, literal(0, value.type), scope);
    let begin = 0;
    value.inputs.forEach((part, index) => {
      const inside = scope.nested();
      const coordinates = at.with(axis, begin === 0 ? at[axis]! : inside.name(`${at[axis]!} - ${begin}u`));
      inside.add(`${result} = ${this.evaluate(part, { shape: part.shape, coordinates }, inside)};`);
      begin += part.shape[axis]!;
      const isLast = index === value.inputs.length - 1;
      const condition = isLast ? '{' : `if (${at[axis]!} < ${begin}u) {`;
      scope.add(index === 0 ? condition : `else ${condition}`, ...inside.lines, '}');
    });
    return result;
  }

  #variable(type: ElementType, initial: string, scope: Scope): string {
    const name = this.newName();
    scope.add(`var ${name}: ${typeName(type)} = ${initial};`);
    return name;
  }
}

/** Workgroups of a kernel as a grid, and how a shader finds out which one it is. */
export interface Grid {
  size: [number, number, number];
  /** Names the number of this workgroup, `group`; those beyond the last one return. */
  prologue: string[];
}

/** Along one axis a grid has at most 65,535 workgroups. */
const LONGEST_ROW = 32768;

export function gridOf(workgroups: number): Grid {
  if (workgroups <= 65535) return { size: [workgroups, 1, 1], prologue: ['let group = workgroup.x;'] };
  return {
    size: [LONGEST_ROW, Math.ceil(workgroups / LONGEST_ROW), 1],
    prologue: [`let group = workgroup.x + workgroup.y * ${LONGEST_ROW}u;`, `if (group >= ${workgroups}u) { return; }`],
  };
}

export const bytesOf = ({ shape, type }: Value): number =>
  type === 'uint8' ? Math.ceil(sizeOf(shape) / 4) * 4 : sizeOf(shape) * 4;
