import type { MemoryHandle, RawImage, Split } from '../dataset.ts';

/** Images of one size that lie in memory; `image` copies nothing. */
export function memorySplit(handle: MemoryHandle): Split {
  const { widthPx, heightPx, channels, pixels_NHWC, labels_N, size } = handle;
  const imageBytes = widthPx * heightPx * channels;
  if (pixels_NHWC.length !== size * imageBytes)
    throw new Error(`internal: ${handle.path}: ${pixels_NHWC.length} bytes for ${size} images of ${imageBytes}`);
  const check = (index: number): number => {
    if (!(index >= 0 && index < size)) throw new Error(`internal: image ${index} of a split of ${size}`);
    return index;
  };
  return {
    name: handle.name,
    path: handle.path,
    size,
    classes: handle.classes,
    image: (index): Promise<RawImage> => {
      const begin = check(index) * imageBytes;
      return Promise.resolve({ widthPx, heightPx, channels, data: pixels_NHWC.subarray(begin, begin + imageBytes) });
    },
    label: (index) => (labels_N === null ? null : labels_N[check(index)]!),
    nameOf: (index) => `${handle.path}[${check(index)}]`,
    share: () => handle,
  };
}
