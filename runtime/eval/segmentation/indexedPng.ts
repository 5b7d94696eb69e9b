/** Masks as PNG whose pixels are numbers of classes or objects: the palette's indices, which image libraries turn into colours. */
import { closeSync, openSync, readSync, fstatSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { errors } from '../../../protocol/errors.ts';

export interface IndexedImage {
  widthPx: number;
  heightPx: number;
  data: Uint8Array;
}

const mostPixels = 2 ** 26;
const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Reads a palette or grey PNG of at most 8 bits. @throws maskUnreadable */
export function readIndexedPng(path: string): IndexedImage {
  const refuse = (reason: string) => errors.maskUnreadable(path, reason);
  const file = readWhole(path, refuse);
  if (!file.subarray(0, 8).equals(signature)) throw refuse('it is not a PNG');
  let header: { widthPx: number; heightPx: number; bits: number } | undefined;
  const packed: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const kind = file.toString('latin1', at + 4, at + 8);
    if (at + 12 + length > file.length) throw refuse('it was cut short');
    const content = file.subarray(at + 8, at + 8 + length);
    if (kind === 'IHDR') header = headerOf(content, refuse);
    else if (kind === 'IDAT') packed.push(content);
    else if (kind === 'IEND') break;
    at += 12 + length;
  }
  if (!header) throw refuse('it has no header');
  const { widthPx, heightPx, bits } = header;
  const rowBytes = Math.ceil((widthPx * bits) / 8);
  const wanted = heightPx * (1 + rowBytes);
  let raw: Buffer;
  try {
    raw = inflateSync(Buffer.concat(packed), { maxOutputLength: wanted });
  } catch {
    throw refuse('its content does not unpack to its size');
  }
  if (raw.length !== wanted) throw refuse('its content does not unpack to its size');
  return { widthPx, heightPx, data: samples(unfiltered(raw, rowBytes, heightPx, refuse), widthPx, heightPx, bits) };
}

function readWhole(path: string, refuse: (reason: string) => Error): Buffer {
  let handle: number | undefined;
  try {
    handle = openSync(path, 'r');
    const { size } = fstatSync(handle);
    if (size > mostPixels) throw refuse(`it has ${size} bytes`);
    const bytes = Buffer.alloc(size);
    readSync(handle, bytes, 0, size, 0);
    return bytes;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw typeof code === 'string' && code.startsWith('E') ? refuse(code) : error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function headerOf(content: Buffer, refuse: (reason: string) => Error) {
  if (content.length !== 13) throw refuse('its header is damaged');
  const [widthPx, heightPx] = [content.readUInt32BE(0), content.readUInt32BE(4)];
  const [bits, colour, interlaced] = [content[8]!, content[9]!, content[12]!];
  if (colour !== 3 && colour !== 0) throw refuse('its pixels are colours, not numbers; expected a palette or grey');
  if (bits > 8) throw refuse(`its numbers have ${bits} bits, expected 8 or fewer`);
  if (interlaced !== 0) throw refuse('it is interlaced');
  if (widthPx === 0 || heightPx === 0 || widthPx * heightPx > mostPixels)
    throw refuse(`it claims ${widthPx} x ${heightPx} pixels`);
  return { widthPx, heightPx, bits };
}

/** Undoes the prediction of each row from its neighbours to the left, above, and both. */
function unfiltered(raw: Buffer, rowBytes: number, rows: number, refuse: (reason: string) => Error): Uint8Array {
  const result = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const filter = raw[row * (rowBytes + 1)]!;
    if (filter > 4) throw refuse('its rows are damaged');
    for (let at = 0; at < rowBytes; at++) {
      const here = row * rowBytes + at;
      const left = at > 0 ? result[here - 1]! : 0;
      const above = row > 0 ? result[here - rowBytes]! : 0;
      const corner = at > 0 && row > 0 ? result[here - rowBytes - 1]! : 0;
      const guess = [0, left, above, (left + above) >> 1, nearestOf(left, above, corner)][filter]!;
      result[here] = raw[row * (rowBytes + 1) + 1 + at]! + guess;
    }
  }
  return result;
}

function nearestOf(left: number, above: number, corner: number): number {
  const sum = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(sum - left), Math.abs(sum - above), Math.abs(sum - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function samples(bytes: Uint8Array, widthPx: number, heightPx: number, bits: number): Uint8Array {
  if (bits === 8) return bytes;
  const rowBytes = Math.ceil((widthPx * bits) / 8);
  const perByte = 8 / bits;
  return Uint8Array.from({ length: widthPx * heightPx }, (_, at) => {
    const [x, y] = [at % widthPx, Math.floor(at / widthPx)];
    const byte = bytes[y * rowBytes + Math.floor(x / perByte)]!;
    return (byte >> (8 - bits * ((x % perByte) + 1))) & ((1 << bits) - 1);
  });
}
