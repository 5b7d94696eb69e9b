/**
 * Parquet files as Hugging Face lays data sets out: a column of encoded images (structures of `bytes` and `path`, or
 * plain bytes) and a column of labels, whose class names are in the file's notes.
 *
 * Rows are reached by row group: a group that was read is kept for a while. Groups that are large and have a page index
 * are read page by page instead.
 */
import { relative } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import {
  FaultyImage,
  splitNames,
  type Dataset,
  type ParquetHandle,
  type RawImage,
  type Split,
  type SplitName,
} from '../dataset.ts';
import { decodeImage, maxFileBytes } from '../decode.ts';
import { classify, type LabelledPart, type LabelValue } from './labelValues.ts';
import { maxReadBytes, openParquetFile, type ParquetFile } from './parquetFile.ts';
import { parquetRows } from './parquetRows.ts';
import type { OpenDataset } from './registry.ts';
import { findShards } from './shardFiles.ts';

export const openParquet: OpenDataset = async (config, path, { onProgress = () => {} }) => {
  if (path === null)
    throw errors.dataPathNeeded('parquet', 'a folder of .parquet files, one file, or a pattern like train-*.parquet');
  const { folder, bySplit } = await findShards(path, /\.parquet$/i, '.parquet files', (file) =>
    onProgress(`${file} belongs to no split and is left out`),
  );
  const names = splitNames.filter((name) => bySplit[name].length > 0);
  const parts: { handle: Omit<ParquetHandle, 'labels_N' | 'classes'>; labelled: LabelledPart }[] = [];
  let classNames: readonly string[] | null = null;
  for (const name of names) {
    const files: ParquetFile[] = [];
    for (const file of bySplit[name]) files.push(await openParquetFile(file));
    const [first] = files as [ParquetFile];
    const imageColumn = findImageColumn(first, config.imageColumn);
    const labelColumn = findLabelColumn(first, config.labelColumn, onProgress);
    for (const file of files) checkFile(file, imageColumn, labelColumn);
    const rowEnds: number[] = [];
    for (const { rows } of files) rowEnds.push((rowEnds.at(-1) ?? 0) + rows);
    const size = rowEnds.at(-1)!;
    if (size === 0) throw errors.dataEmpty(files.length === 1 ? first.path : path, 'rows with images');
    const labels: LabelValue[] = [];
    for (const file of files)
      if (labelColumn === null) for (let row = 0; row < file.rows; row++) labels.push(null);
      else for await (const label of labelsOf(file, labelColumn)) labels.push(label);
    if (labelColumn !== null) classNames ??= namesOf(first, labelColumn);
    const handle = {
      source: 'parquet' as const,
      name,
      path: files.length === 1 ? first.path : path,
      size,
      files: files.map((file) => file.path),
      fileNames: files.map((file) => relative(folder, file.path)),
      rowEnds,
      imageColumn,
    };
    parts.push({ handle, labelled: { path: handle.path, labels, nameOf: (image) => nameOf(handle, image) } });
  }
  const classed = classify(
    parts.map(({ labelled }) => labelled),
    classNames,
  );
  const splits = parts.map(({ handle }, part) => parquetSplit({ ...handle, ...classed[part]! }));
  const split = (name: SplitName): Split | null => splits.find((candidate) => candidate.name === name) ?? null;
  const train = split('train')!;
  return {
    kind: 'parquet',
    path,
    classes: train.classes,
    train,
    validation: split('validation'),
    test: split('test'),
  } satisfies Dataset;
};

/** Images in the rows of parquet files, each read and decoded when asked for. */
export function parquetSplit(handle: ParquetHandle): Split {
  const { name, path, size, classes, labels_N } = handle;
  const rows = parquetRows(handle.files, handle.imageColumn);
  const check = (index: number): number => {
    if (!(index >= 0 && index < size)) throw new Error(`internal: image ${index} of a split of ${size}`);
    return index;
  };
  return {
    name,
    path,
    size,
    classes,
    image: async (index): Promise<RawImage> => {
      const { file, row } = placeOf(handle, check(index));
      let cell: unknown;
      try {
        cell = await rows.read(file, row);
      } catch (error) {
        throw new FaultyImage(error instanceof Error ? error.message : String(error), { cause: error });
      }
      const bytes = encodedImage(cell);
      if (bytes.length > maxFileBytes)
        throw new FaultyImage(`its ${bytes.length} bytes are more than the limit of ${maxFileBytes}`);
      return decodeImage(bytes);
    },
    label: (index) => (labels_N === null ? null : labels_N[check(index)]!),
    nameOf: (index) => nameOf(handle, check(index)),
    share: () => handle,
  };
}

function encodedImage(cell: unknown): Uint8Array {
  if (cell instanceof Uint8Array) return cell;
  const { bytes, path } = (cell ?? {}) as { bytes?: unknown; path?: unknown };
  if (bytes instanceof Uint8Array) return bytes;
  throw new FaultyImage(typeof path === 'string' ? `the row holds only a path, ${path}` : 'the row holds no image');
}

function placeOf({ rowEnds }: Pick<ParquetHandle, 'rowEnds'>, index: number): { file: number; row: number } {
  const file = rowEnds.findIndex((end) => index < end);
  return { file, row: index - (file === 0 ? 0 : rowEnds[file - 1]!) };
}

function nameOf(handle: Pick<ParquetHandle, 'rowEnds' | 'fileNames'>, index: number): string {
  const { file, row } = placeOf(handle, index);
  return `${handle.fileNames[file]}[${row}]`;
}

function findImageColumn({ path, columns }: ParquetFile, chosen: string | undefined): string {
  const candidates = columns.filter(({ holdsBytes }) => holdsBytes).map(({ name }) => name);
  const wanted = chosen ?? (candidates.length === 1 ? candidates[0]! : 'image');
  if (candidates.includes(wanted)) return wanted;
  const there = `its columns are ${columns.map(({ name }) => name).join(', ')}`;
  throw errors.dataUnreadable(
    path,
    columns.some(({ name }) => name === wanted)
      ? `its column '${wanted}' holds no bytes of images; ${there}`
      : `it has no column '${wanted}' (data.imageColumn); ${there}`,
  );
}

/** null where there is none and none was asked for: images without labels. */
function findLabelColumn(
  { path, columns }: ParquetFile,
  chosen: string | undefined,
  onProgress: (message: string) => void,
): string | null {
  const names = columns.map(({ name }) => name);
  const wanted = chosen ?? 'label';
  if (names.includes(wanted)) return wanted;
  const there = `its columns are ${names.join(', ')}`;
  if (chosen !== undefined)
    throw errors.dataUnreadable(path, `it has no column '${chosen}' (data.labelColumn); ${there}`);
  onProgress(`${path} has no column 'label', so its images have no labels; ${there} (data.labelColumn chooses one)`);
  return null;
}

function checkFile(file: ParquetFile, imageColumn: string, labelColumn: string | null): void {
  findImageColumn(file, imageColumn);
  if (labelColumn !== null) findLabelColumn(file, labelColumn, () => {});
  file.groups.forEach((_, group) => {
    const bytes = file.columnBytes(imageColumn, group);
    if (bytes > maxReadBytes && !file.hasPageIndex(imageColumn, group))
      throw errors.dataUnreadable(
        file.path,
        `row group ${group} holds ${bytes} bytes of images, more than the limit of ${maxReadBytes}; write it with smaller row groups or a page index`,
      );
  });
}

/** The labels of a file, row group by row group. Negative numbers stand for no label. */
async function* labelsOf(file: ParquetFile, column: string): AsyncGenerator<LabelValue> {
  for (const { firstRow, rows } of file.groups) {
    const values = await file.readColumn(column, firstRow, firstRow + rows).catch((error: unknown) => {
      throw errors.dataUnreadable(file.path, error instanceof Error ? error.message : String(error));
    });
    for (const value of values) {
      if (value === null || value === undefined) yield null;
      else if (typeof value === 'bigint' || typeof value === 'number') yield Number(value) < 0 ? null : Number(value);
      else if (typeof value === 'string') yield value;
      else if (typeof value === 'boolean') yield Number(value);
      else throw errors.dataUnreadable(file.path, `its column '${column}' holds neither numbers nor texts`);
    }
  }
}

/** Names of the classes in the notes that Hugging Face's library writes; null where there are none. */
function namesOf({ notes }: ParquetFile, column: string): readonly string[] | null {
  try {
    const { info } = JSON.parse(notes.get('huggingface') ?? '{}') as {
      info?: { features?: Record<string, { names?: unknown }> };
    };
    const names = info?.features?.[column]?.names;
    return Array.isArray(names) && names.every((name) => typeof name === 'string') && names.length > 0 ? names : null;
  } catch {
    // Notes that are not JSON are somebody else's; classes are then called by their numbers.
    return null;
  }
}
