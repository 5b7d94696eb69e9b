import { describe, test } from 'vitest';
import { expectClose } from './expectClose.ts';
import { kernelCases } from './kernelCases.ts';
import { onCpuBackend, recorded } from './oracle.ts';

describe('kernels, recorded and run, agree with the tfjs cpu backend', () => {
  test.each(kernelCases)('%s', async (_name, operation, inputs) => {
    const expected = onCpuBackend(operation, inputs);
    const actual = await recorded(operation, inputs);
    expectClose(actual, expected, 2e-6);
    // The same graph in 64 bits; the oracle itself rounds to 32.
    expectClose(await recorded(operation, inputs, 'float64'), expected, 2e-6);
  });
});
