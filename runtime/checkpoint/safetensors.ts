/**
 * The safetensors format: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes.
 *
 * Written and read here because no kept npm package does. Reading trusts nothing: offsets are checked against the
 * file, against each other and against the shape.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { errors, type SimdinoError } from '../../protocol/errors.ts';
import type { ForeignTensor } from './foreign/foreignFile.ts';
import { elementBytes, type ElementType } from './foreign/torchTypes.ts';

/** A tensor in memory: row-major float32 values of the given shape. */
export interface NamedTensor {
  shape: readonly number[];
  data: Float32Array;
}

export type TensorMap = Map<string, NamedTensor>;

interface HeaderEntry {
  dtype: ElementType;
  shape: number[];
  data_offsets: [number, number];
}

const maxHeaderBytes = 100 * 2 ** 20;

/**
 * Writes tensors to a file, flushed to disk before it returns.
 *
 * @returns size and SHA-256 of what was written
 */
export function writeSafetensors(
  path: string,
  tensors: TensorMap,
  metadata: Record<string, string> = {},
): { bytes: number; sha256: string } {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const hash = createHash('sha256');
  const file = openSync(path, 'wx');
  try {
    for (const part of [length, padded, ...[...tensors.values()].map(({ data }) => bytesOf(data))]) {
      hash.update(part);
      writeFully(file, part);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { bytes: 8 + padded.length + offset, sha256: hash.digest('hex') };
}

/**
 * Reads every float32 tensor of a file.
 *
 * @throws checkpointCorrupt when the header lies about the file
 */
export function readSafetensors(path: string): TensorMap {
  const file = openSync(path, 'r');
  try {
    const fileBytes = fstatSync(file).size;
    const corrupt = (reason: string) => errors.checkpointCorrupt(path, reason);
    const header = readHeader(file, fileBytes, corrupt, ['F32']);
    const tensors: TensorMap = new Map();
    for (const [name, entry] of Object.entries(header.entries)) {
      const [begin, end] = entry.data_offsets;
      const data = new Float32Array((end - begin) / 4);
      readFully(file, bytesOf(data), header.dataStart + begin, corrupt);
      tensors.set(name, { shape: entry.shape, data });
    }
    return tensors;
  } finally {
    closeSync(file);
  }
}

/**
 * The tensors of somebody else's file, of any element type, and the texts in its header; nothing but the header is read yet.
 *
 * @param refuse makes the error out of a reason
 */
export function readTensorTable(
  file: number,
  fileBytes: number,
  refuse: (reason: string) => SimdinoError,
): { tensors: Map<string, ForeignTensor>; metadata: Record<string, string> } {
  const { entries, dataStart, metadata } = readHeader(file, fileBytes, refuse, Object.keys(elementBytes));
  const tensors = new Map<string, ForeignTensor>();
  for (const [name, { shape, dtype, data_offsets: offsets }] of Object.entries(entries)) {
    const readBytes = () => {
      const bytes = Buffer.alloc(offsets[1] - offsets[0]);
      readFully(file, bytes, dataStart + offsets[0], refuse);
      return bytes;
    };
    tensors.set(name, { shape, dtype, readBytes });
  }
  return { tensors, metadata };
}

function readHeader(
  file: number,
  fileBytes: number,
  corrupt: (reason: string) => SimdinoError,
  elementTypes: readonly string[],
): { entries: Record<string, HeaderEntry>; dataStart: number; metadata: Record<string, string> } {
  if (fileBytes < 8) throw corrupt(`it has ${fileBytes} bytes, shorter than a header`);
  const lengthBytes = Buffer.alloc(8);
  readFully(file, lengthBytes, 0, corrupt);
  const headerBytes = Number(lengthBytes.readBigUInt64LE());
  if (headerBytes > maxHeaderBytes || headerBytes > fileBytes - 8)
    throw corrupt(`its header claims ${headerBytes} bytes of a ${fileBytes}-byte file`);
  const json = Buffer.alloc(headerBytes);
  readFully(file, json, 8, corrupt);

  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw corrupt(`its header is not JSON (${(error as Error).message})`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw corrupt('its header is not an object');

  const dataStart = 8 + headerBytes;
  const dataBytes = fileBytes - dataStart;
  const entries: Record<string, HeaderEntry> = {};
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed) as [string, unknown][]) {
    if (name === '__metadata__') {
      metadata = textsOf(value);
      continue;
    }
    if (!isHeaderEntry(value)) throw corrupt(`its entry '${name}' is malformed`);
    if (!elementTypes.includes(value.dtype))
      throw corrupt(`its tensor '${name}' is ${value.dtype}, expected ${elementTypes.join(', ')}`);
    const [begin, end] = value.data_offsets;
    const elements = value.shape.reduce((product, size) => product * size, 1);
    if (begin < 0 || end > dataBytes || end - begin !== elements * elementBytes[value.dtype])
      throw corrupt(`its tensor '${name}' [${value.shape.join(',')}] claims bytes ${begin} to ${end} of ${dataBytes}`);
    entries[name] = value;
  }
  const spans = Object.values(entries)
    .map((entry) => entry.data_offsets)
    .sort((a, b) => a[0] - b[0]);
  spans.forEach((span, index) => {
    const previous = spans[index - 1];
    if (previous && span[0] < previous[1]) throw corrupt('its tensors overlap');
  });
  return { entries, dataStart, metadata };
}

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isHeaderEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<HeaderEntry>;
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  return (
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isSize)
  );
}

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function writeFully(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
}

function readFully(file: number, into: Buffer, position: number, refuse: (reason: string) => SimdinoError): void {
  for (let done = 0; done < into.length;) {
    const got = readSync(file, into, done, into.length - done, position + done);
    if (got === 0) throw refuse(`it ends ${into.length - done} bytes early`);
    done += got;
  }
}
