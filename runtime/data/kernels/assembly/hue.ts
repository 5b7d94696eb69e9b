/**
 * Hue rotation through Pillow's 8-bit HSV, four pixels at a time.
 *
 * Pillow mixes float and double, and its roundings decide the bytes. What is kept of that mix, and why the rest may be
 * simpler:
 *
 * - With the largest, middle and least channel, m = (largest - middle) / chroma in float, Pillow's hue before scaling
 *   is one of 1 - m, m - 1, 1 + m, 3 - m, 3 + m, 5 - m, rounded to float once: the third quotient is always 1.
 * - The scaling (h / 6 + 1) mod 1 is done in double as there; the products with 255 are truncated exactly by looking at
 *   the sign of the residual of the float product.
 * - p = v (1 - s) lies at least 1/510 from a half, so float decides its rounding. q and t lie at least 2e-5 from a
 *   half, which is within float's error: the rare pixels that come closer than `doubt` are done again in double.
 */
const doubt: f32 = 1e-4;

/** Adds `shift` (modulo 256) to the hue of every pixel. */
export function rotateHue(planes: usize, planeBytes: i32, pixels: i32, shift: i32): void {
  const shifts = i32x4.splat(shift);
  const byteMask = i32x4.splat(255);
  const one = f32x4.splat(1.0);
  const half = f32x4.splat(0.5);
  const of255 = f32x4.splat(255.0);
  const of256 = f32x4.splat(256.0);
  const signBit = i32x4.splat(<i32>0x80000000);
  const doubts = f32x4.splat(doubt);
  for (let x = 0; x < pixels; x += 4) {
    const at = planes + x;
    const r = fourBytes(at);
    const g = fourBytes(at + planeBytes);
    const b = fourBytes(at + 2 * planeBytes);
    const largest = i32x4.max_s(r, i32x4.max_s(g, b));
    const least = i32x4.min_s(r, i32x4.min_s(g, b));
    const chroma = f32x4.convert_i32x4_s(i32x4.sub(largest, least));
    const value = f32x4.convert_i32x4_s(largest);
    const middle = i32x4.sub(i32x4.add(r, i32x4.add(g, b)), i32x4.add(largest, least));

    // Grey divides 0 by 0: NaN truncates to 0, and saturation 0 gives back the value.
    const saturation = truncated255(f32x4.div(chroma, value), of255, of256);
    const m = f32x4.div(f32x4.convert_i32x4_s(i32x4.sub(largest, middle)), chroma);
    const isRed = i32x4.eq(r, largest);
    const isGreen = v128.andnot(i32x4.eq(g, largest), isRed);
    const greenOverBlue = i32x4.ge_s(g, b);
    const redOverBlue = i32x4.ge_s(r, b);
    const greenOverRed = i32x4.ge_s(g, r);
    let base = v128.bitselect(f32x4.splat(3.0), f32x4.splat(5.0), greenOverRed);
    let rising = greenOverRed;
    base = v128.bitselect(v128.bitselect(one, f32x4.splat(3.0), redOverBlue), base, isGreen);
    rising = v128.bitselect(redOverBlue, rising, isGreen);
    base = v128.bitselect(v128.bitselect(one, f32x4.splat(-1.0), greenOverBlue), base, isRed);
    rising = v128.bitselect(v128.not(greenOverBlue), rising, isRed);
    const hue6 = f32x4.add(base, v128.xor(m, v128.andnot(signBit, rising)));
    const low = turn(f64x2.promote_low_f32x4(hue6));
    const high = turn(f64x2.promote_low_f32x4(v128.shuffle<i32>(hue6, hue6, 2, 3, 2, 3)));
    const turns = v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
    const hue = v128.and(i32x4.add(truncated255(turns, of255, of256), shifts), byteMask);

    // sector = floor(2 hue / 85) by a fixed-point reciprocal that is exact below 511; fraction = the rest over 85.
    const twice = i32x4.shl(hue, 1);
    const sector = i32x4.shr_u(i32x4.mul(twice, i32x4.splat(3085)), 18);
    const fraction = f32x4.div(
      f32x4.convert_i32x4_s(i32x4.sub(twice, i32x4.mul(sector, i32x4.splat(85)))),
      f32x4.splat(85.0),
    );
    const amount = f32x4.div(f32x4.convert_i32x4_s(saturation), of255);
    const p = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.sub(value, f32x4.mul(value, amount)), half));
    const exactQ = f32x4.add(f32x4.sub(value, f32x4.mul(value, f32x4.mul(amount, fraction))), half);
    const exactT = f32x4.add(f32x4.sub(value, f32x4.mul(value, f32x4.mul(amount, f32x4.sub(one, fraction)))), half);
    const unsureQ = f32x4.lt(f32x4.abs(f32x4.sub(exactQ, f32x4.nearest(exactQ))), doubts);
    const unsureT = f32x4.lt(f32x4.abs(f32x4.sub(exactT, f32x4.nearest(exactT))), doubts);
    if (v128.any_true(v128.or(unsureQ, unsureT))) {
      for (let pixel = 0; pixel < 4; pixel++) rotateOne(at + pixel, planeBytes, shift);
      continue;
    }
    const q = i32x4.trunc_sat_f32x4_s(exactQ);
    const t = i32x4.trunc_sat_f32x4_s(exactT);
    const is1 = i32x4.eq(sector, i32x4.splat(1));
    const is2 = i32x4.eq(sector, i32x4.splat(2));
    const is3 = i32x4.eq(sector, i32x4.splat(3));
    const is4 = i32x4.eq(sector, i32x4.splat(4));
    const is5 = i32x4.eq(sector, i32x4.splat(5));
    const red = v128.bitselect(q, v128.bitselect(p, v128.bitselect(t, largest, is4), v128.or(is2, is3)), is1);
    const green = v128.bitselect(
      largest,
      v128.bitselect(q, v128.bitselect(p, t, v128.or(is4, is5)), is3),
      v128.or(is1, is2),
    );
    const blue = v128.bitselect(t, v128.bitselect(largest, v128.bitselect(q, p, is5), v128.or(is3, is4)), is2);
    const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(red, green), i16x8.narrow_i32x4_s(blue, blue));
    v128.store_lane<i32>(at, bytes, 0);
    v128.store_lane<i32>(at + planeBytes, bytes, 1);
    v128.store_lane<i32>(at + 2 * planeBytes, bytes, 2);
  }
}

// @ts-ignore: decorator
@inline
function fourBytes(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

/**
 * Whole part of 255 x without rounding the product: n from the float product is one too large where 256 x - n - x,
 * which is exact near 0, is negative.
 */
// @ts-ignore: decorator
@inline
function truncated255(x: v128, of255: v128, of256: v128): v128 {
  const n = i32x4.trunc_sat_f32x4_s(f32x4.mul(x, of255));
  const residual = f32x4.sub(f32x4.sub(f32x4.mul(x, of256), f32x4.convert_i32x4_s(n)), x);
  return i32x4.add(n, f32x4.lt(residual, f32x4.splat(0.0)));
}

/** (h / 6 + 1) mod 1 */
// @ts-ignore: decorator
@inline
function turn(hue6: v128): v128 {
  const one = f64x2.splat(1.0);
  const shifted = f64x2.add(f64x2.div(hue6, f64x2.splat(6.0)), one);
  return f64x2.sub(shifted, v128.and(f64x2.ge(shifted, one), one));
}

/** One pixel, literally in Pillow's mix of float and double. */
export function rotateOne(at: usize, planeBytes: i32, shift: i32): void {
  const r = <i32>load<u8>(at);
  const g = <i32>load<u8>(at + planeBytes);
  const b = <i32>load<u8>(at + 2 * planeBytes);
  const value = max(r, max(g, b));
  const least = min(r, min(g, b));
  // Grey has saturation 0 and keeps its value whatever the hue.
  if (value == least) return;
  const chroma = <f32>(value - least);
  const saturation = <i32>(<f64>(chroma / <f32>value) * 255.0);
  const red = <f32>(value - r) / chroma;
  const green = <f32>(value - g) / chroma;
  const blue = <f32>(value - b) / chroma;
  let hue6: f32;
  if (r == value) hue6 = blue - green;
  else if (g == value) hue6 = <f32>(2.0 + <f64>red - <f64>blue);
  else hue6 = <f32>(4.0 + <f64>green - <f64>red);
  let turned = <f64>hue6 / 6.0 + 1.0;
  if (turned >= 1.0) turned -= 1.0;
  const hue = (<i32>(<f64>(<f32>turned) * 255.0) + shift) & 255;

  const position = (<f64>(<f32>hue) * 6.0) / 255.0;
  const sector = <i32>position;
  const fraction = <f64>(<f32>(position - <f64>(<f32>sector)));
  const amount = <f64>(<f32>(<f64>(<f32>saturation) / 255.0));
  const v = <f64>value;
  const p = rounded(v * (1.0 - amount));
  const q = rounded(v * (1.0 - amount * fraction));
  const t = rounded(v * (1.0 - amount * (1.0 - fraction)));
  let newRed = value,
    newGreen = t,
    newBlue = p;
  switch (sector) {
    case 1:
      newRed = q;
      newGreen = value;
      newBlue = p;
      break;
    case 2:
      newRed = p;
      newGreen = value;
      newBlue = t;
      break;
    case 3:
      newRed = p;
      newGreen = q;
      newBlue = value;
      break;
    case 4:
      newRed = t;
      newGreen = p;
      newBlue = value;
      break;
    case 5:
      newRed = value;
      newGreen = p;
      newBlue = q;
      break;
    default:
      break;
  }
  store<u8>(at, <u8>newRed);
  store<u8>(at + planeBytes, <u8>newGreen);
  store<u8>(at + 2 * planeBytes, <u8>newBlue);
}

/** Half away from zero, as C's `round` does for what is never negative. */
// @ts-ignore: decorator
@inline
function rounded(value: f64): i32 {
  return <i32>(value + 0.5);
}
