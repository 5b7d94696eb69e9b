/**
 * Views to pixels, bit by bit as Pillow and torchvision make them (9-tap blur: within 1).
 *
 * The image is loaded once and every view is cut from it: crop and antialiased bicubic resize (mirrored on the way
 * where the view flips), then planes of one channel each for the colour operations, then interleaved RGB. A grey image
 * stays one plane throughout: luma, saturation and hue leave equal channels as they are, so the result is that of the
 * replicated image.
 */
import type { RawImage } from '../dataset.ts';
import { createImageKernels } from '../kernels/imageKernels.ts';
import { evaluationGeometry } from './evaluationGeometry.ts';
import { recolour, type Colours, type Planes } from './recolour.ts';
import { align, resize, type ResizeRequest } from './resize.ts';
import type { ViewParameters } from './sampleViews.ts';

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

/** Past this a memory is given back after use: WebAssembly memories only grow. */
const keptBytes = 256 * 2 ** 20;
const spareBytes = 64;

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
    const { channels } = image;
    const planeBytes = align(pixels) + spareBytes;
    const first = allocate(planeBytes * channels);
    const second = allocate(Math.max(planeBytes * channels, 4 * (width + 16) * (height + 1)));
    const joined = allocate(3 * pixels);
    resize(kernels, { image, source, target: first, planeBytes }, request, allocate);
    work({ kernels, channels, width, height, pixels, planeBytes, first, second });
    kernels.joinRgb(joined, first, channels === 3 ? planeBytes : 0, pixels);
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
