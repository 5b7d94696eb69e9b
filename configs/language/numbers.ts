/** Numbers as hints and hovers show them. */

/** Four significant digits or fewer, without needless zeros: 0.01172, 76.73, 1e-6. */
export function short(value: number, digits = 4): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7) return Number(value.toPrecision(3)).toExponential();
  return String(Number(value.toPrecision(digits)));
}

/** 21,665,664 as `21.7 M`. */
export function amount(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return String(value);
}
