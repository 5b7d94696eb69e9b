import type { RawImage } from '../dataset.ts';
import type { ImageKernels } from '../kernels/imageKernels.ts';
import type { CropBox } from './randomResizedCrop.ts';

export interface ResizeRequest {
  crop: CropBox;
  /** Size that the crop is resized to, and the window of it that is wanted. */
  width: number;
  height: number;
  window: CropBox;
  flip: boolean;
  filter: 'bicubic' | 'bilinear';
}

/** Loads and stores of the kernels are 16 bytes wide and start anywhere. */
export const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/**
 * Crops and resizes the image at `source` into planes at `target`, `planeBytes` apart. `allocate` gives addresses; the
 * memory is grown to hold all that was allocated before anything is written.
 */
export function resize(
  kernels: ImageKernels,
  { image, source, target, planeBytes }: { image: RawImage; source: number; target: number; planeBytes: number },
  { crop, width, height, window, flip, filter }: ResizeRequest,
  allocate: (bytes: number) => number,
): void {
  const { channels } = image;
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
