/**
 * Which values of a graph are written to memory, and which are computed where they are used.
 *
 * On a GPU a small kernel costs more to start than to run, and an elementwise one is as slow as memory. So expressions - elementwise
 * functions and whatever only moves elements - are computed inside the kernel that reads them; what follows a product or a reduction
 * element by element is computed by the kernel that made it, before anything is written.
 */
import { sizeOf, type Graph, type Value } from '../../graph/ir.ts';
import { schedule } from '../../graph/schedule.ts';

/** A value that some kernel writes. */
export interface Root {
  value: Value;
  /** The product or reduction that the kernel computes first, of which the value is an expression; absent: an expression alone. */
  anchor?: Value;
}

export interface Fusion {
  /** In the order in which they may be computed. */
  roots: Root[];
  isStored(value: Value): boolean;
}

/** Operations that are computed where they are used. */
const expressions: ReadonlySet<Value['op']['kind']> = new Set([
  'unary',
  'binary',
  'compare',
  'select',
  'cast',
  'reshape',
  'transpose',
  'expand',
  'slice',
  'concat',
  'pad',
  'tile',
  'gather',
  'oneHot',
]);
const elementwise: ReadonlySet<Value['op']['kind']> = new Set(['unary', 'binary', 'compare', 'select', 'cast']);

/** An expression of at most so many operations is computed again rather than stored, wherever it is used. */
const CHEAP = 2;
/** A number for all is computed by every thread, up to so many operations. */
const CHEAP_SCALAR = 12;
const LARGEST_EXPRESSION = 80;

interface Expression {
  /** What it reads from memory. */
  leaves: ReadonlySet<Value>;
  cost: number;
}

/** @param maxBindings arrays that one kernel may read and write */
export function fuse(graph: Graph, { maxBindings }: { maxBindings: number }): Fusion {
  const order = schedule(graph).filter(({ op }) => op.kind !== 'reshape');
  const users = new Map<Value, Set<Value>>();
  for (const value of order)
    for (const operand of value.inputs.map(unreshaped))
      users.set(operand, (users.get(operand) ?? new Set()).add(value));
  const results = new Set([...graph.outputs.values()].map(unreshaped));
  // One array is written; a decision below may add an array to an expression that was counted before.
  const maxLeaves = maxBindings - 3;

  const stored = new Set<Value>();
  const expressionOf = new Map<Value, Expression>();
  const store = (value: Value): Expression => {
    const itself = { leaves: new Set([value]), cost: 0 };
    stored.add(value);
    expressionOf.set(value, itself);
    return itself;
  };
  const uses = (value: Value) => (users.get(value)?.size ?? 0) + Number(results.has(value));

  for (const value of order) {
    const operands = [...new Set(value.inputs.map(unreshaped))];
    if (isConstantForAll(value)) expressionOf.set(value, { leaves: new Set(), cost: 0 });
    else if (value.op.kind === 'input' || value.op.kind === 'constant') store(value);
    else if (!expressions.has(value.op.kind)) {
      for (const operand of operands) if (!isReadInside(value, operand)) store(operand);
      fitLeaves(operands, maxLeaves);
      store(value);
    } else {
      for (const operand of operands) if (!isWorthRepeating(operand, value)) store(operand);
      const isLong = value.op.kind === 'concat' && operands.length > maxLeaves;
      if (!isLong) fitLeaves(operands, maxLeaves);
      const expression = combined(value, operands);
      expressionOf.set(value, expression);
      const isRepeated = uses(value) > 1 && expression.cost > (sizeOf(value.shape) === 1 ? CHEAP_SCALAR : CHEAP);
      if (results.has(value) || isRepeated || isLong || expression.cost > LARGEST_EXPRESSION) store(value);
    }
  }

  const anchors = absorbed(order);
  const roots = order
    .filter((value) => stored.has(value) && value.op.kind !== 'input' && value.op.kind !== 'constant')
    .map((value): Root => {
      const anchor = anchors.get(value) ?? (expressions.has(value.op.kind) ? undefined : value);
      return anchor ? { value, anchor } : { value };
    });
  return { roots, isStored: (value) => stored.has(unreshaped(value)) };

  function combined(value: Value, operands: readonly Value[]): Expression {
    const parts = operands.map((operand) => expressionOf.get(operand)!);
    return {
      leaves: new Set(parts.flatMap(({ leaves }) => [...leaves])),
      cost: parts.reduce((sum, { cost }) => sum + cost, ownCost(value)),
    };
  }

  /** Stores those operands that read most, until what is left can be bound to one kernel. */
  function fitLeaves(operands: readonly Value[], most: number): void {
    const leavesOf = (value: Value) => expressionOf.get(value)!.leaves;
    const byLeaves = [...operands].sort((a, b) => leavesOf(b).size - leavesOf(a).size);
    for (const operand of byLeaves) {
      if (new Set(operands.flatMap((value) => [...leavesOf(value)])).size <= most) return;
      store(operand);
    }
  }

  /** A result that reads each element of a smaller operand many times computes it as often. */
  function isWorthRepeating(operand: Value, value: Value): boolean {
    const { cost } = expressionOf.get(operand)!;
    if (stored.has(operand) || cost <= CHEAP) return true;
    const size = sizeOf(operand.shape);
    return sizeOf(value.shape) < 4 * size || (size === 1 && cost <= CHEAP_SCALAR);
  }

  /** Whether a kernel that is no expression computes this operand itself. */
  function isReadInside(value: Value, operand: Value): boolean {
    const { cost, leaves } = expressionOf.get(operand)!;
    if (stored.has(operand)) return true;
    switch (value.op.kind) {
      case 'reduce':
        return true;
      case 'matmul':
        return isReductionOfProducts(value) || (cost <= CHEAP && leaves.size <= 2);
      case 'softmax':
      case 'logSoftmax':
      case 'layerNorm':
        return cost <= CHEAP && leaves.size <= 2;
      default:
        return isConstantForAll(operand);
    }
  }

  /** For each value that a product's or reduction's kernel goes on to, that product or reduction, which is then not stored itself. */
  function absorbed(values: readonly Value[]): Map<Value, Value> {
    const anchorOf = new Map<Value, Value>();
    /** Elementwise values that the kernel of a product or reduction computes, on its way to the one that it stores. */
    const taken = new Set<Value>();
    // A sum of two products is the later one's: the earlier one's operands would have to be kept until then.
    for (const anchor of [...values].reverse()) {
      if (anchor.op.kind !== 'matmul' && anchor.op.kind !== 'reduce') continue;
      const own = new Set(anchor.inputs.map(unreshaped).flatMap((operand) => [...expressionOf.get(operand)!.leaves]));
      let top = anchor;
      for (;;) {
        const next = onlyUser(top);
        if (!next || taken.has(next) || !elementwise.has(next.op.kind)) break;
        if (sizeOf(next.shape) !== sizeOf(anchor.shape) || (top !== anchor && stored.has(top))) break;
        const others = [...new Set(next.inputs.map(unreshaped))].filter((operand) => operand !== top);
        for (const leaf of others.flatMap((operand) => [...expressionOf.get(operand)!.leaves])) own.add(leaf);
        if (own.size > maxLeaves) break;
        top = next;
        taken.add(next);
      }
      if (top === anchor) continue;
      stored.delete(anchor);
      store(top);
      anchorOf.set(top, anchor);
    }
    return anchorOf;
  }

  function onlyUser(value: Value): Value | undefined {
    return uses(value) === 1 && !results.has(value) ? [...users.get(value)!][0] : undefined;
  }
}

/** A value's elements in memory are those of what it was reshaped from. */
export function unreshaped(value: Value): Value {
  return value.op.kind === 'reshape' ? unreshaped(value.inputs[0]!) : value;
}

/** A product with a single row or column is a sum for each of its elements. */
export function isReductionOfProducts({ op, shape }: Value): boolean {
  return op.kind === 'matmul' && (shape.at(-1) === 1 || shape.at(-2) === 1);
}

const isConstantForAll = ({ op }: Value): boolean => op.kind === 'constant' && op.data.length === 1;

function ownCost({ op }: Value): number {
  switch (op.kind) {
    case 'unary':
      return ['exp', 'log', 'erf', 'tanh', 'sigmoid', 'sin', 'cos'].includes(op.fn) ? 4 : 1;
    case 'binary':
      return op.fn === 'power' ? 4 : 1;
    case 'expand':
    case 'slice':
    case 'cast':
      return 0;
    case 'concat':
      return 2;
    default:
      return 1;
  }
}
