import { roundHalfEven } from './randomResizedCrop.ts';
import type { ResizeRequest } from './resize.ts';

/**
 * Geometry of the evaluation transform: the shorter edge is resized to `resizePx` (the longer one in proportion, cut to
 * whole px), then the central square of `cropPx` is taken.
 */
export function evaluationGeometry(heightPx: number, widthPx: number, resizePx: number, cropPx: number): ResizeRequest {
  if (cropPx > resizePx)
    throw new Error(`internal: a central crop of ${cropPx} px from a shorter edge of ${resizePx} px`);
  const shorter = Math.min(heightPx, widthPx);
  const width = widthPx === shorter ? resizePx : Math.trunc((resizePx * widthPx) / heightPx);
  const height = heightPx === shorter ? resizePx : Math.trunc((resizePx * heightPx) / widthPx);
  return {
    crop: { top: 0, left: 0, height: heightPx, width: widthPx },
    width,
    height,
    window: {
      top: roundHalfEven((height - cropPx) / 2),
      left: roundHalfEven((width - cropPx) / 2),
      height: cropPx,
      width: cropPx,
    },
    flip: false,
    filter: 'bicubic',
  };
}
