/** Where the samples of a WebDataset shard lie, made once per shard and kept in the cache folder. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheFolder } from './cacheFolder.ts';
import type { LabelValue } from './labelValues.ts';
import { tarEntries, type TarEntry } from './tarEntries.ts';

/** Samples with an image, in the archive's order. */
export interface TarIndex {
  /** The members' names up to the first dot: what the files of a sample share. */
  keys: string[];
  /** Where the image begins in the shard, and its length. */
  offsets: number[];
  bytes: number[];
  labels: LabelValue[];
  /** Whether labels come from `.txt` files, which hold captions as often as classes. */
  labelsAreTexts: boolean;
  /** Sentences about what the shard holds and this index leaves out. */
  notes: string[];
}

const formatVersion = 1;
const imageExtension = /(^|\.)(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif)$/i;
const maxLabelBytes = 64 * 1024;
const notesKept = 20;

/** The index of a shard, from the cache where the shard is still the same (size and time of its last change). */
export async function tarIndex(
  path: string,
  labelKey: string,
  onProgress: (message: string) => void,
): Promise<TarIndex> {
  const { size, mtimeMs } = await stat(path);
  const stamp = { formatVersion, path, labelKey, size, mtimeMs };
  const name = createHash('sha256')
    .update(JSON.stringify([path, labelKey]))
    .digest('hex')
    .slice(0, 32);
  const cached = join(cacheFolder(), 'tar-index', `${name}.json`);
  const known = await readCached(cached, stamp);
  if (known !== null) return known;
  onProgress(`Indexing ${basename(path)}`);
  const index = await scan(path, labelKey);
  try {
    await mkdir(dirname(cached), { recursive: true });
    // Complete or absent, also where several processes index at once.
    const partial = `${cached}.${process.pid}.partial`;
    await writeFile(partial, JSON.stringify({ stamp, index }));
    await rename(partial, cached);
  } catch (error) {
    onProgress(`The index of ${basename(path)} is not kept: ${error instanceof Error ? error.message : String(error)}`);
  }
  return index;
}

async function readCached(cached: string, stamp: { size: number }): Promise<TarIndex | null> {
  try {
    const content = JSON.parse(await readFile(cached, 'utf8')) as { stamp: unknown; index: TarIndex };
    if (JSON.stringify(content.stamp) !== JSON.stringify(stamp)) return null;
    const { keys, offsets, bytes, labels } = content.index;
    const isWhole = [offsets, bytes, labels].every((list) => list.length === keys.length);
    const isWithin = offsets.every((offset, i) => offset >= 0 && bytes[i]! >= 0 && offset + bytes[i]! <= stamp.size);
    return isWhole && isWithin ? content.index : null;
  } catch {
    // Absent or damaged: it is made anew.
    return null;
  }
}

async function scan(path: string, labelKey: string): Promise<TarIndex> {
  const index: TarIndex = { keys: [], offsets: [], bytes: [], labels: [], labelsAreTexts: false, notes: [] };
  let dropped = 0;
  const note = (what: string): void => {
    if (index.notes.length < notesKept) index.notes.push(what);
    else dropped++;
  };
  let key: string | null = null;
  let image: TarEntry | null = null;
  let label: { value: LabelValue; rank: number } = { value: null, rank: Infinity };
  const endSample = (): void => {
    if (key !== null && image !== null) {
      index.keys.push(key);
      index.offsets.push(image.offset);
      index.bytes.push(image.bytes);
      index.labels.push(label.value);
      if (label.rank === labelRanks.txt) index.labelsAreTexts = true;
    } else if (key !== null && label.rank < Infinity) note(`${key} has a label and no image`);
    image = null;
    label = { value: null, rank: Infinity };
  };
  for await (const entry of tarEntries(path, note)) {
    const { sample, extension } = splitName(entry.name);
    if (extension === null) continue;
    if (sample !== key) {
      endSample();
      key = sample;
    }
    if (imageExtension.test(extension)) {
      if (image === null) image = entry;
      else note(`${entry.name} is a second image of its sample`);
    } else if (extension in labelRanks) {
      const rank = labelRanks[extension as keyof typeof labelRanks];
      const value = rank < label.rank ? await labelOf(entry, extension, labelKey, note) : null;
      if (value !== null) label = { value, rank };
    }
  }
  endSample();
  if (dropped > 0) index.notes.push(`${dropped} more`);
  return index;
}

/** Which file of a sample decides its class where there are several: the lowest. */
const labelRanks = { cls: 0, json: 1, txt: 2 } as const;

async function labelOf(
  entry: TarEntry,
  extension: string,
  labelKey: string,
  note: (what: string) => void,
): Promise<LabelValue> {
  if (entry.bytes > maxLabelBytes) {
    note(`${entry.name} is too long for a label (${entry.bytes} bytes)`);
    return null;
  }
  const text = Buffer.from(await entry.read())
    .toString('utf8')
    .trim();
  if (extension !== 'json') return text === '' ? null : text;
  try {
    const value = (JSON.parse(text) as Record<string, unknown> | null)?.[labelKey];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  } catch {
    note(`${entry.name} is not JSON`);
    return null;
  }
}

/** `a/b.left.jpg` is the member `left.jpg` of the sample `a/b`. Names without a dot and hidden ones belong to none. */
function splitName(name: string): { sample: string; extension: string | null } {
  const file = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', file);
  return dot <= file
    ? { sample: name, extension: null }
    : { sample: name.slice(0, dot), extension: name.slice(dot + 1) };
}
