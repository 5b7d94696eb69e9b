/**
 * Hue rotation through Pillow's 8-bit HSV. Each step keeps Pillow's mix of float and double, because their roundings decide the bytes.
 */
export function rotateHue(planes: usize, planeBytes: i32, pixels: i32, shift: i32): void {
  for (let x = 0; x < pixels; x++) {
    const at = planes + x;
    const r = <i32>load<u8>(at);
    const g = <i32>load<u8>(at + planeBytes);
    const b = <i32>load<u8>(at + 2 * planeBytes);
    const value = max(r, max(g, b));
    const least = min(r, min(g, b));
    // Grey has saturation 0 and keeps its value whatever the hue.
    if (value == least) continue;
    const chroma = <f32>(value - least);
    const saturation = min(255, <i32>(<f64>(chroma / <f32>value) * 255.0));
    if (saturation == 0) {
      store<u8>(at, <u8>value);
      store<u8>(at + planeBytes, <u8>value);
      store<u8>(at + 2 * planeBytes, <u8>value);
      continue;
    }
    const hue = (hueOf(r, g, b, value, chroma) + shift) & 255;
    store3(at, planeBytes, hue, saturation, value);
  }
}

// @ts-ignore: decorator
@inline
function hueOf(r: i32, g: i32, b: i32, value: i32, chroma: f32): i32 {
  const red = <f32>(value - r) / chroma;
  const green = <f32>(value - g) / chroma;
  const blue = <f32>(value - b) / chroma;
  let sector: f32;
  if (r == value) sector = blue - green;
  else if (g == value) sector = <f32>(2.0 + <f64>red - <f64>blue);
  else sector = <f32>(4.0 + <f64>green - <f64>red);
  let turn = <f64>sector / 6.0 + 1.0;
  if (turn >= 1.0) turn -= 1.0;
  return min(255, <i32>(<f64>(<f32>turn) * 255.0));
}

// @ts-ignore: decorator
@inline
function store3(at: usize, planeBytes: i32, hue: i32, saturation: i32, value: i32): void {
  const position = <f64>(<f32>hue) * 6.0 / 255.0;
  const sector = <i32>position;
  const fraction = <f64>(<f32>(position - <f64>(<f32>sector)));
  const amount = <f64>(<f32>(<f64>(<f32>saturation) / 255.0));
  const v = <f64>value;
  const p = rounded(v * (1.0 - amount));
  const q = rounded(v * (1.0 - amount * fraction));
  const t = rounded(v * (1.0 - amount * (1.0 - fraction)));
  let r = value, g = t, b = p;
  switch (sector) {
    case 1: r = q; g = value; b = p; break;
    case 2: r = p; g = value; b = t; break;
    case 3: r = p; g = q; b = value; break;
    case 4: r = t; g = p; b = value; break;
    case 5: r = value; g = p; b = q; break;
    default: break;
  }
  store<u8>(at, <u8>r);
  store<u8>(at + planeBytes, <u8>g);
  store<u8>(at + 2 * planeBytes, <u8>b);
}

/** Half away from zero, as C's `round` does for what is never negative. */
// @ts-ignore: decorator
@inline
function rounded(value: f64): i32 {
  return <i32>(value + 0.5);
}
