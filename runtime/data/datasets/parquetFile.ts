/** One parquet file: its columns, and ranges of its rows, never decompressing more than a bound. */
import { stat } from 'node:fs/promises';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from 'hyparquet';
import { compressors, decompressZstd } from 'hyparquet-compressors';
import { errors } from '../../../protocol/errors.ts';
import { readRange } from './fileRange.ts';

export interface RowGroup {
  firstRow: number;
  rows: number;
}

export interface ParquetFile {
  path: string;
  rows: number;
  groups: readonly RowGroup[];
  columns: readonly ParquetColumn[];
  /** The writer's notes, such as `huggingface`. */
  notes: ReadonlyMap<string, string>;
  /** Bytes that a column takes in a row group, uncompressed, as the file says. */
  columnBytes(column: string, group: number): number;
  /** Whether single pages of a column can be read in a row group. */
  hasPageIndex(column: string, group: number): boolean;
  /** A column's values in a range of rows. Rejects where the file is damaged. */
  readColumn(column: string, firstRow: number, endRow: number): Promise<unknown[]>;
}

export interface ParquetColumn {
  name: string;
  /** Whether its values are bytes, or structures with a field `bytes`. */
  holdsBytes: boolean;
}

/** The most bytes that one read takes from a file, and that they decompress to. */
export const maxReadBytes = 2 ** 30;

/** Reads the end of a file, which describes the rest. @throws dataUnreadable */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  const buffer = await fileBuffer(path);
  let metadata: FileMetaData;
  let columns: ParquetColumn[];
  try {
    metadata = await parquetMetadataAsync(buffer);
    columns = parquetSchema(metadata).children.map(columnOf);
  } catch (error) {
    throw errors.dataUnreadable(path, error instanceof Error ? error.message : String(error));
  }
  let rows = 0;
  const groups = metadata.row_groups.map(({ num_rows }): RowGroup => {
    const group = { firstRow: rows, rows: Number(num_rows) };
    // Every row with an image takes several bytes.
    if (!(group.rows >= 0 && group.rows <= buffer.byteLength))
      throw errors.dataUnreadable(path, `it claims ${group.rows} rows in ${buffer.byteLength} bytes`);
    rows += group.rows;
    return group;
  });
  const chunksOf = (column: string, group: number) =>
    metadata.row_groups[group]!.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === column);
  return {
    path,
    rows,
    groups,
    columns,
    notes: new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? ''])),
    columnBytes: (column, group) =>
      chunksOf(column, group).reduce((sum, { meta_data }) => sum + Number(meta_data!.total_uncompressed_size), 0),
    hasPageIndex: (column, group) =>
      chunksOf(column, group).every(({ offset_index_offset }) => offset_index_offset !== undefined),
    readColumn: async (column, firstRow, endRow) => {
      const found = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: [column],
        rowStart: firstRow,
        rowEnd: endRow,
        useOffsetIndex: true,
        utf8: false,
        compressors: boundedCompressors(),
      });
      if (found.length !== endRow - firstRow)
        throw new Error(`rows ${firstRow} to ${endRow} are promised, ${found.length} are there`);
      return found.map((row) => row[column] as unknown);
    },
  };
}

async function fileBuffer(path: string): Promise<AsyncBuffer> {
  const { size } = await stat(path);
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      if (!(start >= 0 && start <= end && end <= size))
        throw new Error(`it refers to bytes ${start} to ${end}, but has ${size}`);
      if (end - start > maxReadBytes) throw new Error(`${end - start} bytes would have to be read at once`);
      const bytes = await readRange(path, start, end - start);
      if (bytes.length < end - start) throw new Error('it has become shorter while it was read');
      return bytes.buffer;
    },
  };
}

/** Decompressors that together give no more than `maxReadBytes`, whatever the pages' headers promise. */
function boundedCompressors(): Compressors {
  let left = maxReadBytes;
  const bounded: Compressors = {};
  for (const [codec, decompress] of Object.entries(compressors) as [keyof Compressors, Decompress][])
    bounded[codec] = (input, outputLength) => {
      if (!(outputLength >= 0 && outputLength <= left))
        throw new Error(`it decompresses to more than ${maxReadBytes} bytes at once`);
      left -= outputLength;
      // A zstd frame says its own length, so it is given the memory that it may fill.
      return codec === 'ZSTD' ? decompressZstd(input, new Uint8Array(outputLength)) : decompress(input, outputLength);
    };
  return bounded;
}
type Decompress = NonNullable<Compressors[keyof Compressors]>;

function columnOf({ element, children }: SchemaTree): ParquetColumn {
  const bytes = children.length > 0 ? children.find((child) => child.element.name === 'bytes')?.element : element;
  const isText = bytes?.converted_type === 'UTF8' || bytes?.logical_type?.type === 'STRING';
  return {
    name: element.name,
    holdsBytes: element.repetition_type !== 'REPEATED' && bytes?.type === 'BYTE_ARRAY' && !isText,
  };
}
