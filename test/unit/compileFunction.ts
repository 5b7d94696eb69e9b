import type { Precision, Tensors, TypedArray } from '../../runtime/engines/engine.ts';
import { createOnnxEngine } from '../../runtime/engines/onnx/onnxEngine.ts';

const engine = createOnnxEngine({ threads: 1 });

/** A function of tensors as a function of arrays: recorded once, called often. */
export async function compileFunction(
  shapes: Readonly<Record<string, readonly number[]>>,
  run: (tensors: Tensors) => Tensors,
  { precision = 'float64' }: { precision?: Precision } = {},
): Promise<(inputs: Record<string, ArrayLike<number>>) => Promise<Record<string, TypedArray>>> {
  const step = await engine.compile(
    {
      state: {},
      updates: [],
      inputs: Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]),
      ),
      run: (_, tensors) => ({ state: {}, outputs: run(tensors) }),
    },
    { precision },
  );
  const state = engine.createState({}, {}, { precision });
  const toArray = (data: ArrayLike<number>) =>
    precision === 'float64' ? Float64Array.from(data) : Float32Array.from(data);
  return (inputs) =>
    step.run(state, Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, toArray(data)])));
}
