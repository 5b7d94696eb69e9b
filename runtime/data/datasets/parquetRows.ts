import { openParquetFile, type ParquetFile } from './parquetFile.ts';

/** Row groups up to this size are read whole and kept; larger ones page by page where they can be. */
export const maxKeptBytes = 64 * 2 ** 20;
/** A page index of every read costs two more reads, which pays only for groups beyond this. */
const wholeGroupBytes = 8 * 2 ** 20;

/** Single cells of one column in many files, with the latest row groups kept in memory. */
export interface ParquetRows {
  read(file: number, row: number): Promise<unknown>;
  /** What the kept row groups take. */
  keptBytes(): number;
}

export function parquetRows(paths: readonly string[], column: string): ParquetRows {
  const files = new Map<number, Promise<ParquetFile>>();
  /** The latest last. */
  const kept = new Map<string, { bytes: number; cells: Promise<unknown[]> }>();

  const open = (file: number): Promise<ParquetFile> => {
    let opened = files.get(file);
    if (opened === undefined) files.set(file, (opened = openParquetFile(paths[file]!)));
    return opened;
  };

  const keptBytes = (): number => [...kept.values()].reduce((sum, group) => sum + group.bytes, 0);

  const keep = (key: string, bytes: number, cells: Promise<unknown[]>): void => {
    kept.set(key, { bytes, cells });
    let total = keptBytes();
    for (const [oldest, group] of kept) {
      if (total <= maxKeptBytes || oldest === key) break;
      kept.delete(oldest);
      total -= group.bytes;
    }
    cells.catch(() => kept.delete(key));
  };

  const readGroup = (file: ParquetFile, key: string, group: number): Promise<unknown[]> => {
    const known = kept.get(key);
    if (known !== undefined) {
      kept.delete(key);
      kept.set(key, known);
      return known.cells;
    }
    const { firstRow, rows } = file.groups[group]!;
    const cells = file.readColumn(column, firstRow, firstRow + rows);
    keep(key, file.columnBytes(column, group), cells);
    return cells;
  };

  return {
    keptBytes,
    read: async (file, row) => {
      const opened = await open(file);
      const group = opened.groups.findIndex(({ firstRow, rows }) => row < firstRow + rows);
      const { firstRow } = opened.groups[group]!;
      if (opened.columnBytes(column, group) > wholeGroupBytes && opened.hasPageIndex(column, group))
        return (await opened.readColumn(column, row, row + 1))[0];
      return (await readGroup(opened, `${file}/${group}`, group))[row - firstRow];
    },
  };
}
