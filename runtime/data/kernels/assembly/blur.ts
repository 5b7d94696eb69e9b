/**
 * The two Gaussian blurs of the recipes.
 *
 * Pillow's is three box blurs along rows and three along columns, each rounded to 8 bits. A box of radius r + a (r
 * whole) weighs the 2 r + 1 inner values by `inner` and the two beyond by `outer`, both with 24 fractional bits; the
 * border repeats. For the radii of the recipes r is 0 or 1. Multiplications are of 16-bit pairs: the weights are split
 * as in `resample.ts`.
 */

/**
 * One box blur along rows, from `source` to `target` (planes of `width` x `height`). Reads up to 2 + 16 bytes around
 * the plane.
 */
export function boxBlurRows(
  target: usize,
  source: usize,
  width: i32,
  height: i32,
  radius: i32,
  inner: u32,
  outer: u32,
): void {
  const length = width * height;
  const lows = i32x4.splat(<i32>((inner & 4095) | ((outer & 4095) << 16)));
  const highs = i32x4.splat(<i32>((inner >> 12) | ((outer >> 12) << 16)));
  if (radius == 0)
    for (let x = 0; x < length; x += 16) boxOf3(target + x, source + x, source + x - 1, source + x + 1, lows, highs);
  else
    for (let x = 0; x < length; x += 16)
      boxOf5(target + x, source + x, source + x - 1, source + x + 1, source + x - 2, source + x + 2, lows, highs);
  const margin = min(radius + 1, width);
  for (let row = 0; row < height; row++) {
    const from = source + row * width;
    const to = target + row * width;
    for (let x = 0; x < margin; x++) borderValue(to, from, x, width, radius, inner, outer);
    for (let x = max(margin, width - radius - 1); x < width; x++) borderValue(to, from, x, width, radius, inner, outer);
  }
}

function borderValue(to: usize, from: usize, x: i32, width: i32, radius: i32, inner: u32, outer: u32): void {
  let sum: u32 = 0;
  for (let offset = -radius; offset <= radius; offset++) sum += load<u8>(from + max(0, min(width - 1, x + offset)));
  const far: u32 = <u32>load<u8>(from + max(0, x - radius - 1)) + <u32>load<u8>(from + min(width - 1, x + radius + 1));
  store<u8>(to + x, <u8>((sum * inner + far * outer + (1 << 23)) >> 24));
}

/** One box blur along columns. A row's last vector spills into the next row, which is written after it. */
export function boxBlurColumns(
  target: usize,
  source: usize,
  width: i32,
  height: i32,
  radius: i32,
  inner: u32,
  outer: u32,
): void {
  const lows = i32x4.splat(<i32>((inner & 4095) | ((outer & 4095) << 16)));
  const highs = i32x4.splat(<i32>((inner >> 12) | ((outer >> 12) << 16)));
  for (let row = 0; row < height; row++) {
    const to = target + row * width;
    const here = source + row * width;
    const above = source + max(0, row - 1) * width;
    const below = source + min(height - 1, row + 1) * width;
    const above2 = source + max(0, row - 2) * width;
    const below2 = source + min(height - 1, row + 2) * width;
    if (radius == 0) for (let x = 0; x < width; x += 16) boxOf3(to + x, here + x, above + x, below + x, lows, highs);
    else
      for (let x = 0; x < width; x += 16)
        boxOf5(to + x, here + x, above + x, below + x, above2 + x, below2 + x, lows, highs);
  }
}

// @ts-ignore: decorator
@inline
function boxOf3(to: usize, center: usize, before: usize, after: usize, lows: v128, highs: v128): void {
  const c = v128.load(center),
    a = v128.load(before),
    b = v128.load(after);
  const farLow = i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b));
  const farHigh = i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b));
  weigh(to, i16x8.extend_low_i8x16_u(c), i16x8.extend_high_i8x16_u(c), farLow, farHigh, lows, highs);
}

// @ts-ignore: decorator
@inline
function boxOf5(
  to: usize,
  center: usize,
  before: usize,
  after: usize,
  before2: usize,
  after2: usize,
  lows: v128,
  highs: v128,
): void {
  const c = v128.load(center),
    a = v128.load(before),
    b = v128.load(after);
  const a2 = v128.load(before2),
    b2 = v128.load(after2);
  const nearLow = i16x8.add(
    i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)),
    i16x8.extend_low_i8x16_u(c),
  );
  const nearHigh = i16x8.add(
    i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)),
    i16x8.extend_high_i8x16_u(c),
  );
  const farLow = i16x8.add(i16x8.extend_low_i8x16_u(a2), i16x8.extend_low_i8x16_u(b2));
  const farHigh = i16x8.add(i16x8.extend_high_i8x16_u(a2), i16x8.extend_high_i8x16_u(b2));
  weigh(to, nearLow, nearHigh, farLow, farHigh, lows, highs);
}

/** (near inner + far outer + 2^23) >> 24 of sixteen values. */
// @ts-ignore: decorator
@inline
function weigh(to: usize, nearLow: v128, nearHigh: v128, farLow: v128, farHigh: v128, lows: v128, highs: v128): void {
  const first = i16x8.narrow_i32x4_s(
    weighFour(v128.shuffle<i16>(nearLow, farLow, 0, 8, 1, 9, 2, 10, 3, 11), lows, highs),
    weighFour(v128.shuffle<i16>(nearLow, farLow, 4, 12, 5, 13, 6, 14, 7, 15), lows, highs),
  );
  const second = i16x8.narrow_i32x4_s(
    weighFour(v128.shuffle<i16>(nearHigh, farHigh, 0, 8, 1, 9, 2, 10, 3, 11), lows, highs),
    weighFour(v128.shuffle<i16>(nearHigh, farHigh, 4, 12, 5, 13, 6, 14, 7, 15), lows, highs),
  );
  v128.store(to, i8x16.narrow_i16x8_u(first, second));
}

// @ts-ignore: decorator
@inline
function weighFour(pairs: v128, lows: v128, highs: v128): v128 {
  const sum = i32x4.add(i32x4.shl(i32x4.dot_i16x8_s(pairs, highs), 12), i32x4.dot_i16x8_s(pairs, lows));
  return i32x4.shr_u(i32x4.add(sum, i32x4.splat(1 << 23)), 24);
}

/**
 * Blur by a symmetric kernel of nine float32 weights along both axes with reflected borders (torchvision's
 * GaussianBlur(9) on 8-bit images): float32 sums, rounded half to even. `scratch` takes (height + 1) rows of width + 16
 * floats. Sides are at least 5.
 */
export function blurKernel9(
  plane: usize,
  scratch: usize,
  width: i32,
  height: i32,
  w0: f32,
  w1: f32,
  w2: f32,
  w3: f32,
  w4: f32,
): void {
  const pitch: i32 = (width + 16) << 2;
  const padded = scratch;
  const blurred = scratch + pitch;
  const k0 = f32x4.splat(w0),
    k1 = f32x4.splat(w1),
    k2 = f32x4.splat(w2),
    k3 = f32x4.splat(w3),
    k4 = f32x4.splat(w4);
  for (let row = 0; row < height; row++) {
    const from = plane + row * width;
    for (let x = -4; x < width + 4; x++) store<f32>(padded + ((x + 4) << 2), <f32>load<u8>(from + reflected(x, width)));
    for (let x = 0; x < width; x += 4) {
      const at = padded + (x << 2);
      let sum = f32x4.mul(k4, f32x4.add(v128.load(at), v128.load(at, 32)));
      sum = f32x4.add(sum, f32x4.mul(k3, f32x4.add(v128.load(at, 4), v128.load(at, 28))));
      sum = f32x4.add(sum, f32x4.mul(k2, f32x4.add(v128.load(at, 8), v128.load(at, 24))));
      sum = f32x4.add(sum, f32x4.mul(k1, f32x4.add(v128.load(at, 12), v128.load(at, 20))));
      v128.store(blurred + row * pitch + (x << 2), f32x4.add(sum, f32x4.mul(k0, v128.load(at, 16))));
    }
  }
  for (let row = 0; row < height; row++) {
    const c = blurred + row * pitch;
    const a1 = blurred + reflected(row - 1, height) * pitch,
      b1 = blurred + reflected(row + 1, height) * pitch;
    const a2 = blurred + reflected(row - 2, height) * pitch,
      b2 = blurred + reflected(row + 2, height) * pitch;
    const a3 = blurred + reflected(row - 3, height) * pitch,
      b3 = blurred + reflected(row + 3, height) * pitch;
    const a4 = blurred + reflected(row - 4, height) * pitch,
      b4 = blurred + reflected(row + 4, height) * pitch;
    for (let x = 0; x < width; x += 4) {
      const at: usize = x << 2;
      let sum = f32x4.mul(k4, f32x4.add(v128.load(a4 + at), v128.load(b4 + at)));
      sum = f32x4.add(sum, f32x4.mul(k3, f32x4.add(v128.load(a3 + at), v128.load(b3 + at))));
      sum = f32x4.add(sum, f32x4.mul(k2, f32x4.add(v128.load(a2 + at), v128.load(b2 + at))));
      sum = f32x4.add(sum, f32x4.mul(k1, f32x4.add(v128.load(a1 + at), v128.load(b1 + at))));
      sum = f32x4.add(sum, f32x4.mul(k0, v128.load(c + at)));
      const values = i32x4.trunc_sat_f32x4_s(f32x4.nearest(sum));
      const shorts = i16x8.narrow_i32x4_s(values, values);
      v128.store_lane<i32>(plane + row * width + x, i8x16.narrow_i16x8_u(shorts, shorts), 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function reflected(index: i32, size: i32): i32 {
  return index < 0 ? -index : index >= size ? 2 * size - 2 - index : index;
}
