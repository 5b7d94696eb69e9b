/**
 * Pillow's colour operations on planes. Lengths are rounded up to 16: planes have that much room after them.
 *
 * Blends are `a + alpha (b - a)` in float32, truncated and clipped, as in Pillow's `ImagingBlend`. Luma is ITU-R 601-2
 * in 16-bit fixed point: (19595 r + 38470 g + 7471 b + 2^15) >> 16.
 */

/** Blends every value with a constant: brightness (constant 0) and contrast (constant: the mean luma). */
export function blendConstant(plane: usize, length: i32, constant: f32, alpha: f32): void {
  const constants = f32x4.splat(constant);
  const alphas = f32x4.splat(alpha);
  for (let x: usize = 0; x < <usize>length; x += 16) {
    const bytes = v128.load(plane + x);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    const first = i16x8.narrow_i32x4_s(
      blendedFour(i32x4.extend_low_i16x8_u(low), constants, alphas),
      blendedFour(i32x4.extend_high_i16x8_u(low), constants, alphas),
    );
    const second = i16x8.narrow_i32x4_s(
      blendedFour(i32x4.extend_low_i16x8_u(high), constants, alphas),
      blendedFour(i32x4.extend_high_i16x8_u(high), constants, alphas),
    );
    v128.store(plane + x, i8x16.narrow_i16x8_u(first, second));
  }
}

// @ts-ignore: decorator
@inline
function blendedFour(values: v128, constants: v128, alphas: v128): v128 {
  const difference = f32x4.sub(f32x4.convert_i32x4_s(values), constants);
  return i32x4.trunc_sat_f32x4_s(f32x4.add(constants, f32x4.mul(alphas, difference)));
}

/** Sum of the luma of the first `pixels` pixels. */
export function sumLuma(planes: usize, planeBytes: i32, pixels: i32): f64 {
  let sum: i64 = 0;
  const whole = pixels & ~7;
  for (let x = 0; x < whole; x += 8) {
    const luma = lumaOfEight(planes + x, planeBytes);
    const pairs = i32x4.extadd_pairwise_i16x8_u(luma);
    const lanes = i64x2.add(i64x2.extend_low_i32x4_u(pairs), i64x2.extend_high_i32x4_u(pairs));
    sum += i64x2.extract_lane(lanes, 0) + i64x2.extract_lane(lanes, 1);
  }
  if (whole < pixels) {
    const luma = lumaOfEight(planes + whole, planeBytes);
    v128.store(tail, luma);
    for (let i = 0; i < pixels - whole; i++) sum += <i64>load<u16>(tail + (i << 1));
  }
  return <f64>sum;
}
const tail: usize = memory.data(16, 16);

/** Replaces each pixel by its luma in all three planes. */
export function grayscale(planes: usize, planeBytes: i32, pixels: i32): void {
  for (let x = 0; x < pixels; x += 16) {
    const at = planes + x;
    const luma = i8x16.narrow_i16x8_u(lumaOfEight(at, planeBytes), lumaOfEight(at + 8, planeBytes));
    v128.store(at, luma);
    v128.store(at + planeBytes, luma);
    v128.store(at + 2 * planeBytes, luma);
  }
}

/** Blends each pixel with its luma. */
export function saturate(planes: usize, planeBytes: i32, pixels: i32, alpha: f32): void {
  const alphas = f32x4.splat(alpha);
  for (let x = 0; x < pixels; x += 8) {
    const at = planes + x;
    const luma = lumaOfEight(at, planeBytes);
    const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(luma));
    const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(luma));
    for (let channel = 0; channel < 3; channel++) {
      const values = v128.load_ext<u8>(at + channel * planeBytes);
      const blended = i16x8.narrow_i32x4_s(
        blendedFour(i32x4.extend_low_i16x8_u(values), low, alphas),
        blendedFour(i32x4.extend_high_i16x8_u(values), high, alphas),
      );
      v128.store_lane<i64>(at + channel * planeBytes, i8x16.narrow_i16x8_u(blended, blended), 0);
    }
  }
}

/**
 * Luma of eight pixels as 16-bit lanes. The factor of green, 38470, does not fit a signed 16-bit number and is halved
 * over both dot products.
 */
// @ts-ignore: decorator
@inline
function lumaOfEight(at: usize, planeBytes: i32): v128 {
  const r = v128.load_ext<u8>(at);
  const g = v128.load_ext<u8>(at + planeBytes);
  const b = v128.load_ext<u8>(at + 2 * planeBytes);
  const redGreen = i32x4.splat(19595 | (19235 << 16));
  const blueGreen = i32x4.splat(7471 | (19235 << 16));
  const half = i32x4.splat(1 << 15);
  const low = i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<i16>(r, g, 0, 8, 1, 9, 2, 10, 3, 11), redGreen),
    i32x4.dot_i16x8_s(v128.shuffle<i16>(b, g, 0, 8, 1, 9, 2, 10, 3, 11), blueGreen),
  );
  const high = i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<i16>(r, g, 4, 12, 5, 13, 6, 14, 7, 15), redGreen),
    i32x4.dot_i16x8_s(v128.shuffle<i16>(b, g, 4, 12, 5, 13, 6, 14, 7, 15), blueGreen),
  );
  return i16x8.narrow_i32x4_s(i32x4.shr_u(i32x4.add(low, half), 16), i32x4.shr_u(i32x4.add(high, half), 16));
}

/** Inverts values of 128 and more. */
export function solarize(plane: usize, length: i32): void {
  for (let x: usize = 0; x < <usize>length; x += 16) {
    const values = v128.load(plane + x);
    v128.store(plane + x, v128.xor(values, i8x16.shr_s(values, 7)));
  }
}
