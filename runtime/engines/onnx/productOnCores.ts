import type { Value } from '../graph/ir.ts';
import type { Lowering } from './lowering.ts';
import type { Attribute } from './model.ts';

type Product = Value['op'] & { kind: 'matmul' };

/** Operands narrower than this are vectors to a product: transposing them apart costs more than it saves. */
const NARROWEST_TRANSPOSED = 64;
/** Columns of a result from which on transposing an operand beforehand pays for a single product. */
const MANY_COLUMNS = 512;

/**
 * A product in single precision on the processor's cores, in the form that ONNX Runtime computes fastest.
 *
 * Its fused product reads transposed operands as they are. That costs nothing for the second, which is copied into panels anyway. The first
 * is transposed anew for every 128 columns of the result: in the products of weights' gradients, A^T B, a sixth of the time. Where the
 * result is wide, or several products want the same operand, it is therefore transposed beforehand: the narrower operand, A^T B = (B^T A)^T
 * where that is B. Transposing is work of one thread, so that for a narrow result it saves nothing.
 */
export function productOnCores(lowering: Lowering, value: Value, op: Product): string {
  const [a, b] = value.inputs as [Value, Value];
  const names: [string, string] = [lowering.nameOf(a), lowering.nameOf(b)];
  if (op.transposeA && !op.transposeB && a.shape.length === 2 && b.shape.length === 2) {
    const [rows, columns] = value.shape as [number, number];
    const isLarge = Math.min(rows, columns, a.shape[0]!) >= NARROWEST_TRANSPOSED;
    if (isLarge && (Math.max(rows, columns) >= MANY_COLUMNS || lowering.isSharedFactor(a))) {
      const [left, right] = names;
      return rows <= columns
        ? lowering.emit('MatMul', [lowering.swapped(left, 2), right])
        : lowering.swapped(lowering.emit('MatMul', [lowering.swapped(right, 2), left]), 2);
    }
  }
  return inEqualShares(lowering, value, op) ?? emitProduct(lowering, names, op);
}

/**
 * A batch of products goes to the threads product by product: three heads on two threads take as long as four. The rows of all are cut
 * into as many shares as there are threads, so that the threads end together.
 */
function inEqualShares(lowering: Lowering, value: Value, op: Product): string | undefined {
  const { threads = 1 } = lowering.target;
  const [a, b] = value.inputs as [Value, Value];
  const [batch, rows, columns] = value.shape as [number, number, number];
  const hasCommonRows = value.shape.length === 3 && a.shape[0] === 1 && b.shape.length === 3 && !op.transposeA;
  if (!hasCommonRows || batch % threads === 0 || batch > 4 * threads || rows % threads !== 0) return undefined;
  const shares = lowering.reshaped(lowering.nameOf(a), [1, threads, rows / threads, a.shape[2]!]);
  const each = lowering.reshaped(lowering.nameOf(b), [batch, 1, b.shape[1]!, b.shape[2]!]);
  return lowering.reshaped(emitProduct(lowering, [shares, each], op), [batch, rows, columns]);
}

function emitProduct(lowering: Lowering, names: [string, string], op: Product): string {
  return op.transposeA || op.transposeB
    ? lowering.emit('FusedMatMul', names, transpositions(op), 'com.microsoft')
    : lowering.emit('MatMul', names);
}

export function transpositions({ transposeA, transposeB }: Product): Record<string, Attribute> {
  return { transA: { integer: Number(transposeA) }, transB: { integer: Number(transposeB) } };
}
