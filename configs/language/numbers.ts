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

/** 93,000 ms as `1 min 33 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** 1,503,238,553 bytes as `1.4 GiB`. */
export function memory(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1000 ? `${Math.round(mebibytes)} MiB` : `${Number((mebibytes / 1024).toPrecision(2))} GiB`;
}
