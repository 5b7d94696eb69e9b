/**
 * Pillow's antialiased resampling of 8-bit images: a horizontal pass, rounding to 8 bits, a vertical pass.
 *
 * A coefficient is a fixed-point number with 22 fractional bits. SIMD multiplies pairs of 16-bit numbers, so each
 * coefficient is split into c = 4096 high + low; sums of both parts stay within 32 bits and their combination equals
 * the sum of the products exactly.
 *
 * Coefficient table of one axis, per output position: i32 first tap, i32 number of quads, then per quad of taps four
 * words [low pair, high pair, low pair, high pair]. Unused taps of the last quad are zero.
 */
const precisionBits: i32 = 22;
const lowBits: i32 = 12;

/** Bytes of one output position's entry in a coefficient table. */
export function entryBytes(outSize: i32, inSize: i32, bicubic: bool): i32 {
  return 8 + 16 * ((tapLimit(outSize, inSize, bicubic) + 3) >> 2);
}

// @ts-ignore: decorator
@inline
function tapLimit(outSize: i32, inSize: i32, bicubic: bool): i32 {
  return <i32>Math.ceil(support(bicubic) * filterScale(outSize, inSize)) * 2 + 1;
}

// @ts-ignore: decorator
@inline
function support(bicubic: bool): f64 {
  return bicubic ? 2.0 : 1.0;
}

// @ts-ignore: decorator
@inline
function filterScale(outSize: i32, inSize: i32): f64 {
  return Math.max(<f64>inSize / <f64>outSize, 1.0);
}

/**
 * Writes the table of output positions `first` to `first + count - 1`; `scratch` holds the taps of one position as f64.
 */
export function coefficients(
  table: usize,
  scratch: usize,
  outSize: i32,
  inSize: i32,
  bicubic: bool,
  first: i32,
  count: i32,
  reversed: bool,
): void {
  const scale = <f64>inSize / <f64>outSize;
  const stretch = filterScale(outSize, inSize);
  const reach = support(bicubic) * stretch;
  const bytes = entryBytes(outSize, inSize, bicubic);
  for (let i = 0; i < count; i++) {
    const out = first + (reversed ? count - 1 - i : i);
    const entry = table + i * bytes;
    const center = (<f64>out + 0.5) * scale;
    const begin = max(<i32>(center - reach + 0.5), 0);
    const taps = min(<i32>(center + reach + 0.5), inSize) - begin;
    let sum = 0.0;
    for (let t = 0; t < taps; t++) {
      const x = (<f64>(t + begin) - center + 0.5) * (1.0 / stretch);
      const weight = bicubic ? cubic(x) : triangle(x);
      store<f64>(scratch + (t << 3), weight);
      sum += weight;
    }
    const quads = (taps + 3) >> 2;
    store<i32>(entry, begin);
    store<i32>(entry, quads, 4);
    for (let pair = 0; pair < 2 * quads; pair++) {
      const a = fixedPoint(scratch, 2 * pair, taps, sum);
      const b = fixedPoint(scratch, 2 * pair + 1, taps, sum);
      store<i32>(entry + (pair << 3), (a & 4095) | ((b & 4095) << 16), 8);
      store<i32>(entry + (pair << 3), ((a >> lowBits) & 0xffff) | ((b >> lowBits) << 16), 12);
    }
  }
}

function fixedPoint(scratch: usize, tap: i32, taps: i32, sum: f64): i32 {
  if (tap >= taps) return 0;
  let weight = load<f64>(scratch + (tap << 3));
  if (sum != 0.0) weight /= sum;
  const scaled = weight * <f64>(1 << precisionBits);
  return weight < 0.0 ? <i32>(-0.5 + scaled) : <i32>(0.5 + scaled);
}

/** Keys' cubic with a = -0.5. */
function cubic(x: f64): f64 {
  x = Math.abs(x);
  if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5;
  return 0.0;
}

function triangle(x: f64): f64 {
  x = Math.abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/**
 * Horizontal pass over interleaved RGB: `rows` rows of `count` output pixels, from `source` with `sourcePitch` bytes
 * between rows, to `target` with `targetPitch` (at least 3 count + 1, since a pixel is stored as four bytes).
 */
export function resampleRowsRgb(
  target: usize,
  targetPitch: i32,
  source: usize,
  sourcePitch: i32,
  rows: i32,
  table: usize,
  tableEntryBytes: i32,
  count: i32,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4)
    fourRowsRgb(
      target + row * targetPitch,
      targetPitch,
      source + row * sourcePitch,
      sourcePitch,
      table,
      tableEntryBytes,
      count,
    );
  // The last block overlaps the one before it; rows it makes twice come out the same.
  if (row < rows && rows >= 4)
    fourRowsRgb(
      target + (rows - 4) * targetPitch,
      targetPitch,
      source + (rows - 4) * sourcePitch,
      sourcePitch,
      table,
      tableEntryBytes,
      count,
    );
  else
    for (; row < rows; row++)
      fourRowsRgb(target + row * targetPitch, 0, source + row * sourcePitch, 0, table, tableEntryBytes, count);
}

// @ts-ignore: decorator
@inline
function fourRowsRgb(
  target: usize,
  targetPitch: i32,
  source: usize,
  sourcePitch: i32,
  table: usize,
  tableEntryBytes: i32,
  count: i32,
): void {
  // Bytes of two neighbouring RGB pixels as 16-bit pairs: r0 r1, g0 g1, b0 b1.
  const firstPair = i8x16(0, -128, 3, -128, 1, -128, 4, -128, 2, -128, 5, -128, -128, -128, -128, -128);
  const secondPair = i8x16(6, -128, 9, -128, 7, -128, 10, -128, 8, -128, 11, -128, -128, -128, -128, -128);
  for (let i = 0; i < count; i++) {
    const entry = table + i * tableEntryBytes;
    const quads = load<i32>(entry, 4);
    let at = source + 3 * load<i32>(entry);
    let low0 = i32x4.splat(0),
      low1 = low0,
      low2 = low0,
      low3 = low0;
    let high0 = low0,
      high1 = low0,
      high2 = low0,
      high3 = low0;
    let words = entry + 8;
    for (let quad = 0; quad < quads; quad++) {
      const coefficients = v128.load(words);
      const lowA = v128.shuffle<i32>(coefficients, coefficients, 0, 0, 0, 0);
      const highA = v128.shuffle<i32>(coefficients, coefficients, 1, 1, 1, 1);
      const lowB = v128.shuffle<i32>(coefficients, coefficients, 2, 2, 2, 2);
      const highB = v128.shuffle<i32>(coefficients, coefficients, 3, 3, 3, 3);
      let pixels = v128.load(at);
      let a = v128.swizzle(pixels, firstPair);
      let b = v128.swizzle(pixels, secondPair);
      low0 = i32x4.add(low0, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      high0 = i32x4.add(high0, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      pixels = v128.load(at + sourcePitch);
      a = v128.swizzle(pixels, firstPair);
      b = v128.swizzle(pixels, secondPair);
      low1 = i32x4.add(low1, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      high1 = i32x4.add(high1, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      pixels = v128.load(at + 2 * sourcePitch);
      a = v128.swizzle(pixels, firstPair);
      b = v128.swizzle(pixels, secondPair);
      low2 = i32x4.add(low2, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      high2 = i32x4.add(high2, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      pixels = v128.load(at + 3 * sourcePitch);
      a = v128.swizzle(pixels, firstPair);
      b = v128.swizzle(pixels, secondPair);
      low3 = i32x4.add(low3, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      high3 = i32x4.add(high3, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      at += 12;
      words += 16;
    }
    // Saturating narrows clip to 0..255; each row's pixel ends up as one 32-bit lane.
    const rows01 = i16x8.narrow_i32x4_s(combined(low0, high0), combined(low1, high1));
    const rows23 = i16x8.narrow_i32x4_s(combined(low2, high2), combined(low3, high3));
    const bytes = i8x16.narrow_i16x8_u(rows01, rows23);
    const out = target + 3 * i;
    v128.store_lane<i32>(out, bytes, 0);
    v128.store_lane<i32>(out + targetPitch, bytes, 1);
    v128.store_lane<i32>(out + 2 * targetPitch, bytes, 2);
    v128.store_lane<i32>(out + 3 * targetPitch, bytes, 3);
  }
}

// @ts-ignore: decorator
@inline
function combined(low: v128, high: v128): v128 {
  const half = i32x4.splat(1 << (precisionBits - 1));
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(high, lowBits), low), half), precisionBits);
}

/** Horizontal pass over one grey channel. */
export function resampleRowsGrey(
  target: usize,
  targetPitch: i32,
  source: usize,
  sourcePitch: i32,
  rows: i32,
  table: usize,
  tableEntryBytes: i32,
  count: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const from = source + row * sourcePitch;
    const to = target + row * targetPitch;
    for (let i = 0; i < count; i++) {
      const entry = table + i * tableEntryBytes;
      const quads = load<i32>(entry, 4);
      let at = from + load<i32>(entry);
      let words = entry + 8;
      let low = i32x4.splat(0);
      let high = low;
      for (let quad = 0; quad < quads; quad++) {
        // Four taps as the 16-bit pairs 0 1 . . 2 3 . . against [low, high, low, high].
        const taps = v128.swizzle(
          v128.load32_zero(at),
          i8x16(0, -128, 1, -128, 0, -128, 1, -128, 2, -128, 3, -128, 2, -128, 3, -128),
        );
        const products = i32x4.dot_i16x8_s(taps, v128.load(words));
        low = i32x4.add(low, products);
        at += 4;
        words += 16;
      }
      high = v128.shuffle<i32>(low, low, 1, 1, 3, 3);
      const both = combined2(
        i32x4.extract_lane(low, 0) + i32x4.extract_lane(low, 2),
        i32x4.extract_lane(high, 0) + i32x4.extract_lane(high, 2),
      );
      store<u8>(to + i, <u8>both);
    }
  }
}

// @ts-ignore: decorator
@inline
function combined2(low: i32, high: i32): i32 {
  return max(0, min(255, ((high << lowBits) + low + (1 << (precisionBits - 1))) >> precisionBits));
}

/** Vertical pass: rows of `pitch` bytes (a multiple of 16), whatever they hold, to `count` rows of the same pitch. */
export function resampleColumns(
  target: usize,
  source: usize,
  pitch: i32,
  table: usize,
  tableEntryBytes: i32,
  count: i32,
): void {
  for (let i = 0; i < count; i++) {
    const entry = table + i * tableEntryBytes;
    const quads = load<i32>(entry, 4);
    const from = source + load<i32>(entry) * pitch;
    const to = target + i * pitch;
    for (let x = 0; x < pitch; x += 16) {
      let low0 = i32x4.splat(0),
        low1 = low0,
        low2 = low0,
        low3 = low0;
      let high0 = low0,
        high1 = low0,
        high2 = low0,
        high3 = low0;
      let at = from + x;
      let words = entry + 8;
      for (let pair = 0; pair < 2 * quads; pair++) {
        const low = v128.load32_splat(words);
        const high = v128.load32_splat(words + 4);
        const a0 = v128.load_ext<u8>(at);
        const a1 = v128.load_ext<u8>(at + 8);
        const b0 = v128.load_ext<u8>(at + pitch);
        const b1 = v128.load_ext<u8>(at + pitch + 8);
        const pair0 = v128.shuffle<i16>(a0, b0, 0, 8, 1, 9, 2, 10, 3, 11);
        const pair1 = v128.shuffle<i16>(a0, b0, 4, 12, 5, 13, 6, 14, 7, 15);
        const pair2 = v128.shuffle<i16>(a1, b1, 0, 8, 1, 9, 2, 10, 3, 11);
        const pair3 = v128.shuffle<i16>(a1, b1, 4, 12, 5, 13, 6, 14, 7, 15);
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair0, low));
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair1, low));
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair2, low));
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair3, low));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair0, high));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair1, high));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair2, high));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair3, high));
        at += 2 * pitch;
        words += 8;
      }
      const first = i16x8.narrow_i32x4_s(combined(low0, high0), combined(low1, high1));
      const second = i16x8.narrow_i32x4_s(combined(low2, high2), combined(low3, high3));
      v128.store(to + x, i8x16.narrow_i16x8_u(first, second));
    }
  }
}
