/** Between interleaved rows and planes: a plane holds one channel, its rows without gaps. */

/**
 * Rows of interleaved RGB, `pitch` bytes apart, to three planes, `planeBytes` apart. Writes up to 15 bytes past each
 * plane.
 */
export function splitRgb(planes: usize, planeBytes: i32, source: usize, pitch: i32, width: i32, height: i32): void {
  for (let row = 0; row < height; row++) {
    const from = source + row * pitch;
    const to = planes + row * width;
    for (let x = 0; x < width; x += 16) {
      const a = v128.load(from + 3 * x);
      const b = v128.load(from + 3 * x, 16);
      const c = v128.load(from + 3 * x, 32);
      const redLow = v128.shuffle<i8>(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
      const greenLow = v128.shuffle<i8>(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
      const blueLow = v128.shuffle<i8>(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
      v128.store(to + x, v128.shuffle<i8>(redLow, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29));
      v128.store(
        to + x + planeBytes,
        v128.shuffle<i8>(greenLow, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30),
      );
      v128.store(
        to + x + 2 * planeBytes,
        v128.shuffle<i8>(blueLow, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31),
      );
    }
  }
}

/** Rows `pitch` bytes apart to a plane. Writes up to 15 bytes past it. */
export function packRows(plane: usize, source: usize, pitch: i32, width: i32, height: i32): void {
  for (let row = 0; row < height; row++)
    for (let x = 0; x < width; x += 16) v128.store(plane + row * width + x, v128.load(source + row * pitch + x));
}

/**
 * Planes, `planeBytes` apart (0: one grey plane stands for three), to `pixels` interleaved RGB pixels. Writes up to 47
 * bytes past them.
 */
export function joinRgb(target: usize, planes: usize, planeBytes: i32, pixels: i32): void {
  for (let x = 0; x < pixels; x += 16) {
    const r = v128.load(planes + x);
    const g = v128.load(planes + x + planeBytes);
    const b = v128.load(planes + x + 2 * planeBytes);
    const rgLow = v128.shuffle<i8>(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    const rgMiddle = v128.shuffle<i8>(r, g, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    const rgHigh = v128.shuffle<i8>(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    const out = target + 3 * x;
    v128.store(out, v128.shuffle<i8>(rgLow, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    v128.store(out, v128.shuffle<i8>(rgMiddle, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    v128.store(out, v128.shuffle<i8>(rgHigh, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
}
