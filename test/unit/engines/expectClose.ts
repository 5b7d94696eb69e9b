import { expect } from 'vitest';

/** Outputs of an operation, each element within a tolerance that is absolute below 1 and relative above. */
export function expectClose(actual: ArrayLike<number>[], expected: number[][], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((values, output) => {
    expect(actual[output]!.length).toBe(values.length);
    values.forEach((value, index) => {
      const difference = Math.abs(actual[output]![index]! - value);
      // NaN fails here.
      expect(
        difference <= tolerance * Math.max(1, Math.abs(value)),
        `output ${output}[${index}]: ${actual[output]![index]} against ${value}`,
      ).toBe(true);
    });
  });
}
