/** An executor with a few small programs, bundled by the test that runs it. */
import * as tf from '@tensorflow/tfjs-core';
import { hostExecutor } from '../../../runtime/engines/executor/hostExecutor.ts';

hostExecutor((spec: { size: number; crash?: boolean; fitsAfter?: number }, reductions) => {
  const { fitsAfter = 0 } = spec;
  if (reductions > 3) return undefined;
  const total = { shape: [spec.size], dtype: 'float32' } as const;
  const words = { shape: [spec.size], dtype: 'uint8' } as const;
  return {
    state: { total, other: { shape: [3], dtype: 'int32' } },
    initialState: () => ({ total: new Float32Array(spec.size).fill(1) }),
    programs: {
      add: {
        state: { total },
        updates: ['total'],
        inputs: { words },
        run: ({ total: before }, { words: given }) => {
          const after = tf.add(before!, given!);
          return { state: { total: after }, outputs: { sum: tf.sum(after) } };
        },
      },
      hungry: {
        state: { total },
        updates: [],
        inputs: {},
        run: (state) => {
          if (reductions < fitsAfter) throw new Error('bad_alloc: failed to allocate memory');
          return { state: {}, outputs: { reductions: tf.mul(tf.mean(state['total']!), reductions) } };
        },
      },
      mean: {
        state: { total },
        updates: [],
        inputs: {},
        run: (state) => ({ state: {}, outputs: { mean: tf.mean(state['total']!) } }),
      },
      crash: {
        state: { total },
        updates: [],
        inputs: {},
        run: () => {
          console.error('the last words');
          process.abort();
        },
      },
    },
  };
});
