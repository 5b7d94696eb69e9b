import type { Value } from '../graph/ir.ts';
import type { Lowering } from './lowering.ts';
import type { Attribute } from './model.ts';

type Product = Value['op'] & { kind: 'matmul' };

/** Operands narrower than this are vectors to a product: transposing them apart costs more than it saves. */
const NARROWEST_TRANSPOSED = 64;

/**
 * A product in single precision on the processor's cores, in the form that ONNX Runtime computes fastest.
 *
 * Its fused product reads transposed operands as they are. That costs nothing for the second, which is copied into panels anyway. The first
 * is transposed anew for every 128 columns of the result: in the products of weights' gradients, A^T B, a sixth of the time. There one
 * operand is transposed beforehand, the narrower one, which the fused product then does not need to; A^T B = (B^T A)^T where that is B.
 */
export function productOnCores(lowering: Lowering, value: Value, op: Product): string {
  const [a, b] = value.inputs as [Value, Value];
  const [nameA, nameB] = [lowering.nameOf(a), lowering.nameOf(b)];
  if (op.transposeA && !op.transposeB && a.shape.length === 2 && b.shape.length === 2) {
    const [rows, columns] = value.shape as [number, number];
    if (Math.min(rows, columns, a.shape[0]!) >= NARROWEST_TRANSPOSED)
      return rows <= columns
        ? lowering.emit('MatMul', [lowering.swapped(nameA, 2), nameB])
        : lowering.swapped(lowering.emit('MatMul', [lowering.swapped(nameB, 2), nameA]), 2);
  }
  const balanced = inEqualShares(lowering, value, op);
  if (balanced) return balanced;
  return emitProduct(lowering, [nameA, nameB], op);
}

/**
 * A batch of products goes to the threads product by product: three heads on two threads take as long as four. The rows of all are cut
 * into as many shares as there are threads, which makes them a multiple.
 */
function inEqualShares(lowering: Lowering, value: Value, op: Product): string | undefined {
  const { threads = 1 } = lowering.target;
  const [a, b] = value.inputs as [Value, Value];
  const [batch, rows, columns] = value.shape as [number, number, number];
  const isShared = value.shape.length === 3 && a.shape[0] === 1 && b.shape.length === 3 && !op.transposeA;
  if (!isShared || batch % threads === 0 || batch > 4 * threads || rows % threads !== 0) return undefined;
  const reshaped = (name: string, shape: readonly number[]) =>
    lowering.emit('Reshape', [name, lowering.integers(shape)]);
  const shares = reshaped(lowering.nameOf(a), [1, threads, rows / threads, a.shape[2]!]);
  const each = reshaped(lowering.nameOf(b), [batch, 1, b.shape[1]!, b.shape[2]!]);
  return reshaped(emitProduct(lowering, [shares, each], op), [batch, rows, columns]);
}

function emitProduct(lowering: Lowering, names: [string, string], op: Product): string {
  return op.transposeA || op.transposeB
    ? lowering.emit('FusedMatMul', names, transpositions(op), 'com.microsoft')
    : lowering.emit('MatMul', names);
}

export function transpositions({ transposeA, transposeB }: Product): Record<string, Attribute> {
  return { transA: { integer: Number(transposeA) }, transB: { integer: Number(transposeB) } };
}
