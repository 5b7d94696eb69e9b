/**
 * Views to pixels, bit by bit as Pillow and torchvision make them (9-tap blur: within 1).
 *
 * The image is loaded once and every view is cut from it: crop and antialiased bicubic resize (mirrored on the way where the view flips), then planes of one
 * channel each for the colour operations, then interleaved RGB. A grey image stays one plane throughout: luma, saturation and hue leave equal
 * channels as they are, so the result is that of the replicated image.
 */
import type { RawImage } from '../dataset.ts';
import { createImageKernels, type ImageKernels } from '../kernels/imageKernels.ts';
import { gaussianBoxes, gaussianKernel9 } from './blurWeights.ts';
import { evaluationGeometry } from './evaluationGeometry.ts';
import type { CropBox } from './randomResizedCrop.ts';
import type { JitterStep, ViewParameters } from './sampleViews.ts';

export interface Renderer {
  /** Takes the image that later calls draw from. */
  load(image: RawImage): void;
  /** Renders a view of the loaded image into `out` ([sizePx, sizePx, 3]). */
  render(view: ViewParameters, out: Uint8Array): void;
  /** Shorter edge to `resizePx`, central `cropPx` square, into `out` ([cropPx, cropPx, 3]). */
  renderEvaluation(resizePx: number, cropPx: number, out: Uint8Array): void;
  /** Crop and resize alone, to any size. */
  renderResized(request: ResizeRequest, out: Uint8Array): void;
  /** Colour operations alone, on the whole image. */
  renderColours(colours: Colours, out: Uint8Array): void;
  /** What the kernels' memory takes now. */
  memoryBytes(): number;
}

/** The part of a view that changes colours, in the order of application. */
export type Colours = Pick<ViewParameters, 'jitter' | 'grayscale' | 'blur' | 'solarize'>;

export interface ResizeRequest {
  crop: CropBox;
  /** Size that the crop is resized to, and the window of it that is wanted. */
  width: number;
  height: number;
  window: CropBox;
  flip: boolean;
  filter: 'bicubic' | 'bilinear';
}

/** Past this a memory is given back after use: WebAssembly memories only grow. */
const keptBytes = 256 * 2 ** 20;
const spareBytes = 64;
const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

export function createRenderer(): Renderer {
  let kernels = createImageKernels();
  let image: RawImage | null = null;
  let source = 0;
  let free = 0;

  const allocate = (bytes: number): number => {
    const address = free;
    free = address + align(bytes) + spareBytes;
    return address;
  };

  const load = (next: RawImage): void => {
    const { widthPx, heightPx, channels, data } = next;
    if (data.length !== widthPx * heightPx * channels)
      throw new Error(`internal: ${data.length} bytes for an image of ${widthPx} x ${heightPx} x ${channels}`);
    if (kernels.memory.buffer.byteLength > keptBytes) kernels = createImageKernels();
    source = align(kernels.heapBase()) + spareBytes;
    free = source;
    allocate(data.length);
    kernels.reserve(free);
    kernels.bytes().set(data, source);
    image = next;
  };

  /** Runs `work` over planes that hold the resized image, then joins them into `out`. */
  const draw = (request: ResizeRequest, out: Uint8Array, work: (planes: Planes) => void): void => {
    if (image === null) throw new Error('internal: no image is loaded');
    const mark = free;
    const { width, height } = request.window;
    const pixels = width * height;
    if (out.length !== 3 * pixels)
      throw new Error(`internal: ${out.length} bytes for a view of ${width} x ${height} x 3`);
    const planeBytes = align(pixels) + spareBytes;
    const channels = image.channels;
    const planes = { kernels, channels, width, height, pixels, planeBytes: channels === 3 ? planeBytes : 0 };
    const first = allocate(planeBytes * channels);
    const second = allocate(Math.max(planeBytes * channels, 4 * (width + 16) * (height + 1)));
    const joined = allocate(3 * pixels);
    resize(kernels, image, source, request, { ...planes, planeBytes }, first, allocate);
    work({ ...planes, first, second, planeBytes });
    kernels.joinRgb(joined, first, planes.planeBytes, pixels);
    out.set(kernels.bytes().subarray(joined, joined + 3 * pixels));
    free = mark;
  };

  return {
    load,
    memoryBytes: () => kernels.memory.buffer.byteLength,
    renderResized: (request, out) => draw(request, out, () => {}),
    render: (view, out) => {
      const size = view.sizePx;
      const window = { top: 0, left: 0, width: size, height: size };
      const request: ResizeRequest = {
        crop: view.crop,
        width: size,
        height: size,
        window,
        flip: view.flip,
        filter: 'bicubic',
      };
      draw(request, out, (planes) => recolour(planes, view));
    },
    renderColours: (colours, out) => {
      if (image === null) throw new Error('internal: no image is loaded');
      const whole = { top: 0, left: 0, width: image.widthPx, height: image.heightPx };
      draw({ crop: whole, ...whole, window: whole, flip: false, filter: 'bicubic' }, out, (planes) =>
        recolour(planes, colours),
      );
    },
    renderEvaluation: (resizePx, cropPx, out) => {
      if (image === null) throw new Error('internal: no image is loaded');
      draw(evaluationGeometry(image.heightPx, image.widthPx, resizePx, cropPx), out, () => {});
    },
  };
}

interface Planes {
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

/** Crops and resizes the image at `source` into planes at `target`. */
function resize(
  kernels: ImageKernels,
  image: RawImage,
  source: number,
  { crop, width, height, window, flip, filter }: ResizeRequest,
  { channels, planeBytes }: Pick<Planes, 'channels' | 'planeBytes'>,
  target: number,
  allocate: (bytes: number) => number,
): void {
  const bicubic = filter === 'bicubic' ? 1 : 0;
  const sourcePitch = image.widthPx * channels;
  const from = source + crop.top * sourcePitch + crop.left * channels;
  // One byte more than the pixels take, and whole vectors for the vertical pass.
  const pitch = align(channels * window.width + 1);
  const columnEntry = kernels.entryBytes(width, crop.width, bicubic);
  const rowEntry = kernels.entryBytes(height, crop.height, bicubic);
  const columnTable = allocate(columnEntry * window.width);
  const rowTable = allocate(rowEntry * window.height);
  const scratch = allocate(2 * Math.max(columnEntry, rowEntry));
  // The quads of the vertical pass read up to three rows past the last one, times zero.
  const middle = allocate(pitch * (crop.height + 3));
  const rows = allocate(pitch * window.height);
  const end = allocate(0);
  kernels.reserve(end);
  kernels.coefficients(columnTable, scratch, width, crop.width, bicubic, window.left, window.width, flip ? 1 : 0);
  kernels.coefficients(rowTable, scratch, height, crop.height, bicubic, window.top, window.height, 0);
  const resampleRows = channels === 3 ? kernels.resampleRowsRgb : kernels.resampleRowsGrey;
  resampleRows(middle, pitch, from, sourcePitch, crop.height, columnTable, columnEntry, window.width);
  kernels.resampleColumns(rows, middle, pitch, rowTable, rowEntry, window.height);
  if (channels === 3) kernels.splitRgb(target, planeBytes, rows, pitch, window.width, window.height);
  else kernels.packRows(target, rows, pitch, window.width, window.height);
}

function recolour(planes: Planes, colours: Colours): void {
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
