const boxPasses = 3;
const weightOne = 2 ** 24;

/**
 * The box whose threefold application Pillow takes for a Gaussian of that deviation (Gwosdek et al., "Theoretical
 * foundations of Gaussian convolution by extended box filtering", 2011), in Pillow's float32 arithmetic. `inner` and
 * `outer` have 24 fractional bits.
 */
export function gaussianBoxes(sigmaPx: number): { radius: number; inner: number; outer: number; passes: number } {
  const f = Math.fround;
  const sigma = f(sigmaPx);
  const variance = f(f(sigma * sigma) / boxPasses);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = f(Math.floor((length - 1) / 2));
  const next = f(f(whole + 1) * f(whole + 1));
  const numerator = f(f(f(2 * whole) + 1) * f(f(whole * f(whole + 1)) - f(3 * variance)));
  const fraction = f(numerator / f(6 * f(variance - next)));
  const floatRadius = f(whole + fraction);
  const radius = Math.trunc(floatRadius);
  if (radius > 1)
    throw new Error(`internal: a blur of ${sigmaPx} px takes a box of radius ${radius}; the kernels know 0 and 1`);
  const inner = Math.trunc(f(weightOne / f(f(floatRadius * 2) + 1)));
  const outer = Math.floor((weightOne - (2 * radius + 1) * inner) / 2);
  return { radius, inner, outer, passes: boxPasses };
}

/** Weights 0 to 4 of the symmetric 9-tap Gaussian kernel, normalised, float32. */
export function gaussianKernel9(sigmaPx: number): [number, number, number, number, number] {
  const weights = [0, 1, 2, 3, 4].map((x) => Math.exp(-0.5 * (x / sigmaPx) ** 2));
  const sum = weights.reduce((total, weight) => total + 2 * weight, 0) - weights[0]!;
  return weights.map((weight) => Math.fround(weight / sum)) as [number, number, number, number, number];
}
