import type { ImageKernels } from '../kernels/imageKernels.ts';
import { gaussianBoxes, gaussianKernel9 } from './blurWeights.ts';
import type { JitterStep, ViewParameters } from './sampleViews.ts';

/** The part of a view that changes colours, in the order of application. */
export type Colours = Pick<ViewParameters, 'jitter' | 'grayscale' | 'blur' | 'solarize'>;

/**
 * An image in the kernels' memory, one plane per channel. One channel is grey: luma, saturation and hue leave it as it
 * is.
 */
export interface Planes {
  kernels: ImageKernels;
  channels: 1 | 3;
  width: number;
  height: number;
  pixels: number;
  /** Bytes from one plane to the next. */
  planeBytes: number;
  first: number;
  /** Room of the same size, or for (height + 1) (width + 16) floats. */
  second: number;
}

/** Applies the colour operations in place. */
export function recolour(planes: Planes, colours: Colours): void {
  for (const step of colours.jitter) jitter(planes, step);
  if (colours.grayscale) grayscale(planes);
  if (colours.blur !== null) blur(planes, colours.blur);
  if (colours.solarize) solarize(planes);
}

function jitter({ kernels, channels, first, planeBytes, pixels }: Planes, step: JitterStep): void {
  const isGrey = channels === 1;
  switch (step.op) {
    case 'brightness':
      for (let c = 0; c < channels; c++) kernels.blendConstant(first + c * planeBytes, pixels, 0, step.factor);
      return;
    case 'contrast': {
      const mean = Math.floor(kernels.sumLuma(first, isGrey ? 0 : planeBytes, pixels) / pixels + 0.5);
      for (let c = 0; c < channels; c++) kernels.blendConstant(first + c * planeBytes, pixels, mean, step.factor);
      return;
    }
    case 'saturation':
      if (!isGrey) kernels.saturate(first, planeBytes, pixels, step.factor);
      return;
    case 'hue':
      // A share of the circle becomes a whole number of 255ths towards zero, added to the 8-bit hue modulo 256.
      if (!isGrey) kernels.rotateHue(first, planeBytes, pixels, Math.trunc(step.shift * 255) & 255);
      return;
  }
}

function grayscale({ kernels, channels, first, planeBytes, pixels }: Planes): void {
  if (channels === 3) kernels.grayscale(first, planeBytes, pixels);
}

function solarize({ kernels, channels, first, planeBytes, pixels }: Planes): void {
  for (let c = 0; c < channels; c++) kernels.solarize(first + c * planeBytes, pixels);
}

function blur(
  { kernels, channels, first, second, planeBytes, width, height }: Planes,
  { method, sigmaPx }: NonNullable<ViewParameters['blur']>,
): void {
  if (method === 'kernel9') {
    const [w0, w1, w2, w3, w4] = gaussianKernel9(sigmaPx);
    for (let c = 0; c < channels; c++)
      kernels.blurKernel9(first + c * planeBytes, second, width, height, w0, w1, w2, w3, w4);
    return;
  }
  const { radius, inner, outer, passes } = gaussianBoxes(sigmaPx);
  for (let c = 0; c < channels; c++) {
    let [from, to] = [first + c * planeBytes, second + c * planeBytes];
    for (const pass of [kernels.boxBlurRows, kernels.boxBlurColumns])
      for (let i = 0; i < passes; i++) {
        pass(to, from, width, height, radius, inner, outer);
        [from, to] = [to, from];
      }
  }
}
