import { describe, test } from 'vitest';
import { expectClose } from '../unit/engines/expectClose.ts';
import { kernelCases } from '../unit/engines/kernelCases.ts';
import { onCpuBackend, recorded } from '../unit/engines/oracle.ts';
import { engineOfTests, testedEngine } from './testedEngine.ts';

const engine = await engineOfTests();

describe(`kernels of ${testedEngine} agree with the tfjs cpu backend`, () => {
  test.each(kernelCases)('%s', async (name, operation, inputs) => {
    const actual = await recorded(operation, inputs, 'float32', engine);
    expectClose(actual, onCpuBackend(operation, inputs), toleranceOf(name));
  });
});

/** Exponentials of GPUs are good to a few units in the last place; of sine and cosine, which no step uses, 11 bits are promised. */
function toleranceOf(name: string): number {
  if (testedEngine === 'onnx' || testedEngine === 'tensorflow') return 2e-6;
  return name === 'sin' || name === 'cos' ? 2 ** -11 : 5e-6;
}
