/**
 * What a data set is to the rest of the runtime: up to three splits of images with optional labels.
 *
 * A split can be shared with worker threads: `share()` gives a handle that survives `postMessage` without copying the
 * pixels or the file list (they live in SharedArrayBuffers), and `attachSplit` of `datasets/registry.ts` opens it
 * there.
 */
export interface RawImage {
  widthPx: number;
  heightPx: number;
  /** 1 is grey and stands for three equal channels. */
  channels: 1 | 3;
  /** Rows from the top, channels interleaved. */
  data: Uint8Array;
}

export const splitNames = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export interface Split {
  name: SplitName;
  /** Where the images come from, for messages. */
  path: string;
  size: number;
  /** Names of the classes in the order of the labels; null where images have no labels. */
  classes: readonly string[] | null;
  /** Decodes an image. Rejects with `FaultyImage` where the file is not a readable image. */
  image(index: number): Promise<RawImage>;
  label(index: number): number | null;
  /** Present where images are to be visited file by file instead of in any order. */
  streamed?: Streamed;
  /** What identifies the image to a person: a path, or a file and a position in it. */
  nameOf(index: number): string;
  share(): SplitHandle;
}

/** Images that are read in the order of their files, every file once an epoch. */
export interface Streamed {
  /** The order of an epoch, a permutation of the split drawn from (seed, epoch). */
  order(seed: number, epoch: number): Uint32Array;
  read(start: StreamStart): ImageStream;
}

export interface StreamStart {
  seed: number;
  /** Images that are used at all; all of them unless told. */
  wanted?: (image: number) => boolean;
  /** Takes the bytes of every read. */
  onRead?: (bytes: number) => void;
  /** Bytes that may be held before their turn. */
  maxHeldBytes?: number;
}

export interface ImageStream {
  /**
   * The encoded images at the next places of an epoch's order; null for one that there was no room to hold, which
   * `Split.image` reads, or that can't be read, which `Split.image` then says why. Places and epochs only ever grow; a stream may begin anywhere.
   */
  take(epoch: number, images: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | null)[]>;
  /** What has been read before its turn. */
  held(): { images: number; bytes: number };
  close(): Promise<void>;
}

export interface Dataset {
  kind: string;
  /** Where it was found. */
  path: string;
  classes: readonly string[] | null;
  train: Split;
  validation: Split | null;
  test: Split | null;
  /** What was found beside the images and is in no split, by reason. */
  leftOut?: readonly LeftOut[];
}

export interface LeftOut {
  reason: string;
  files: number;
  /** Path of the first one. */
  first: string;
}

/** A part of a split: the images at `indices` of `source`, in that order. */
export interface SubsetHandle {
  source: 'subset';
  name: SplitName;
  of: SplitHandle;
  indices: Uint32Array<SharedArrayBuffer>;
}

/** Images held in memory, all of one size. */
export interface MemoryHandle {
  source: 'memory';
  name: SplitName;
  path: string;
  size: number;
  widthPx: number;
  heightPx: number;
  channels: 1 | 3;
  pixels_NHWC: Uint8Array<SharedArrayBuffer>;
  labels_N: Int32Array<SharedArrayBuffer> | null;
  classes: readonly string[] | null;
}

/** Image files under one folder. */
export interface FilesHandle {
  source: 'files';
  name: SplitName;
  path: string;
  size: number;
  /** UTF-8 of all relative paths, one after the other, and where each begins and ends. */
  names: Uint8Array<SharedArrayBuffer>;
  nameEnds_N: Uint32Array<SharedArrayBuffer>;
  labels_N: Int32Array<SharedArrayBuffer> | null;
  classes: readonly string[] | null;
}

/** Image files within tar shards. */
export interface TarHandle extends Omit<FilesHandle, 'source'> {
  source: 'tar';
  /** Absolute paths of the shards, and their names for messages. */
  shards: readonly string[];
  shardNames: readonly string[];
  /** The shard of each image, where it begins there, and its length. */
  shard_N: Uint32Array<SharedArrayBuffer>;
  offsets_N: Float64Array<SharedArrayBuffer>;
  bytes_N: Float64Array<SharedArrayBuffer>;
  /** Window of the shuffle where shards are streamed; null where images are read in any order. */
  windowImages: number | null;
}

/** Rows of parquet files, each file's in its order. */
export interface ParquetHandle {
  source: 'parquet';
  name: SplitName;
  path: string;
  size: number;
  files: readonly string[];
  fileNames: readonly string[];
  /** Rows of all files up to and including each. */
  rowEnds: readonly number[];
  imageColumn: string;
  labels_N: Int32Array<SharedArrayBuffer> | null;
  classes: readonly string[] | null;
}

/** Images drawn by a formula. */
export interface SyntheticHandle {
  source: 'synthetic';
  name: SplitName;
  size: number;
  classCount: number;
  sizePx: number;
}

export type SplitHandle = SubsetHandle | MemoryHandle | FilesHandle | TarHandle | ParquetHandle | SyntheticHandle;

/** An image that can't be used; the loader skips, counts and reports it. */
export class FaultyImage extends Error {
  override readonly name = 'FaultyImage';
}
