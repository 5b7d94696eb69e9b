/**
 * A slot of the ring: shared memory for one batch.
 *
 * Crops lie view-major ("crop-major"): all images' first view, then all images' second view, so that the global and the
 * local crops are two contiguous [views x images, H, W, 3] arrays and a batch is handed on without being copied. Every
 * place has a stamp: the generation that was last rendered into it. A batch is whole when all its stamps carry its own
 * generation.
 */
export interface SlotLayout {
  batchSize: number;
  /** Side of each view, in px. */
  viewSidesPx: readonly number[];
}

export interface Slot {
  stamps_B: Int32Array;
  /** Which image of the split was rendered at each place; -1 where none could be. */
  images_B: Int32Array;
  /** The crop of a view at a place. */
  crop(view: number, place: number): Uint8Array;
  /** The crops of `count` neighbouring views, all of one size. */
  views(first: number, count: number): Uint8Array;
}

const bytesPerStamp = 4;

export function slotBytes(layout: SlotLayout): number {
  return viewOffset(layout, layout.viewSidesPx.length);
}

export function attachSlot(layout: SlotLayout, memory: SharedArrayBuffer): Slot {
  const { batchSize, viewSidesPx } = layout;
  const offsets = [...viewSidesPx, 0].map((_, view) => viewOffset(layout, view));
  return {
    stamps_B: new Int32Array(memory, 0, batchSize),
    images_B: new Int32Array(memory, bytesPerStamp * batchSize, batchSize),
    crop: (view, place) => {
      const bytes = 3 * viewSidesPx[view]! ** 2;
      return new Uint8Array(memory, offsets[view]! + place * bytes, bytes);
    },
    views: (first, count) => new Uint8Array(memory, offsets[first], offsets[first + count]! - offsets[first]!),
  };
}

function viewOffset({ batchSize, viewSidesPx }: SlotLayout, view: number): number {
  const header = 2 * bytesPerStamp * batchSize;
  return viewSidesPx.slice(0, view).reduce((bytes, side) => bytes + batchSize * 3 * side ** 2, header);
}
