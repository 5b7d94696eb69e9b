/**
 * Shards read as a stream: every file of an epoch once, from front to back, in large blocks. What is read before its turn
 * is held: no more images than the window of `shardOrder`, and no more bytes than `heldBytesLimit`. An image beyond the
 * bytes is passed over and read by itself when its turn comes, so that the limit changes no batch.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { ImageStream, StreamStart, TarHandle } from '../dataset.ts';
import { maxFileBytes } from '../decode.ts';
import { shardOrder, type ShardOrder } from './shardOrder.ts';

/** Large enough that a disk or a network serves them at its full rate. */
const blockBytes = 4 * 2 ** 20;
/** A window of 1,000 images of ImageNet is a tenth of it; only windows of very large images reach it. */
const heldBytesLimit = 2 ** 30;

type Encoded = Uint8Array<ArrayBuffer>;

export interface StreamedHandle extends Pick<TarHandle, 'shards' | 'shard_N' | 'offsets_N' | 'bytes_N' | 'size'> {
  windowImages: number;
  /** Images of all shards up to and including each. */
  shardEnds: readonly number[];
}

/** Streams the images of consecutive epochs; where a file can't be read, null stands for its images. */
export function shardStream(
  handle: StreamedHandle,
  { seed, wanted, onRead = () => {}, maxHeldBytes = heldBytesLimit }: StreamStart,
): ImageStream {
  const { shards, shard_N, offsets_N, bytes_N, size, shardEnds, windowImages } = handle;
  const held = new Map<number, Encoded | null>();
  let heldBytes = 0;
  const reader = blockReader(onRead);
  let current: { epoch: number; order: ShardOrder; ranks_N: Uint32Array; cursor: number } | null = null;

  const begin = (epoch: number): NonNullable<typeof current> => {
    const order = shardOrder(shardEnds, windowImages, { seed, epoch });
    const ranks_N = new Uint32Array(size);
    order.using_N.forEach((image, place) => (ranks_N[image] = place));
    held.clear();
    heldBytes = 0;
    return { epoch, order, ranks_N, cursor: 0 };
  };

  const readImage = async (image: number): Promise<Encoded | null> => {
    const bytes = bytes_N[image]!;
    if (bytes > maxFileBytes) return null;
    try {
      return await reader.read(shards[shard_N[image]!]!, offsets_N[image]!, bytes);
    } catch (error) {
      // Whoever asks for the image alone meets the same fault and names it.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return null;
    }
  };

  const takeOne = async (image: number): Promise<Encoded | null> => {
    const { order, ranks_N } = current!;
    const rank = ranks_N[image]!;
    while (!held.has(image)) {
      const next = order.reading_N[current!.cursor++];
      if (next === undefined) throw new Error(`internal: image ${image} is asked for twice in an epoch`);
      // Images before this one in the order were used before a resumption, or nobody wants them.
      if (ranks_N[next]! < rank || (wanted && !wanted(next))) continue;
      const hasRoom = next === image || heldBytes + bytes_N[next]! <= maxHeldBytes;
      const encoded = hasRoom ? await readImage(next) : null;
      held.set(next, encoded);
      heldBytes += encoded?.length ?? 0;
    }
    const encoded = held.get(image)!;
    held.delete(image);
    heldBytes -= encoded?.length ?? 0;
    return encoded;
  };

  return {
    take: async (epoch, images) => {
      if (current?.epoch !== epoch) current = begin(epoch);
      const taken: (Encoded | null)[] = [];
      for (const image of images) taken.push(await takeOne(image));
      return taken;
    },
    held: () => ({ images: held.size, bytes: heldBytes }),
    close: () => reader.close(),
  };
}

/** Reads ascending places of one file after the other by blocks. The result is null where the file ends before. */
function blockReader(onRead: (bytes: number) => void) {
  let file: { path: string; handle: FileHandle } | null = null;
  let block: Encoded = new Uint8Array(0);
  let blockStart = 0;

  const close = async (): Promise<void> => {
    const { handle } = file ?? {};
    file = null;
    block = new Uint8Array(0);
    await handle?.close();
  };

  const fill = async (handle: FileHandle, start: number, bytes: number): Promise<void> => {
    const buffer = new Uint8Array(Math.max(bytes, blockBytes));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    onRead(filled);
    block = buffer.subarray(0, filled);
    blockStart = start;
  };

  return {
    read: async (path: string, start: number, bytes: number): Promise<Encoded | null> => {
      if (file?.path !== path) {
        await close();
        file = { path, handle: await open(path, 'r') };
        blockStart = 0;
      }
      const end = start + bytes;
      if (start < blockStart || end > blockStart + block.length) await fill(file.handle, start, bytes);
      // A copy of its own, to be given away to a worker thread.
      return end > blockStart + block.length ? null : block.slice(start - blockStart, end - blockStart);
    },
    close,
  };
}
