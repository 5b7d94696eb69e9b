/**
 * The files in a tar archive and where their bytes lie: ustar, pax extended headers and GNU long names, read header by
 * header without reading the files' contents.
 *
 * Names are identifiers here, nothing is ever written under them, so absolute ones and `..` do no harm.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { errors } from '../../../protocol/errors.ts';

export interface TarEntry {
  name: string;
  /** Where its bytes begin in the archive. */
  offset: number;
  bytes: number;
  /** Reads the file; only until the next entry is asked for. */
  read: () => Promise<Uint8Array>;
}

const blockBytes = 512;
const windowBytes = 64 * 1024;
/** Long names and pax records beyond this are hostile. */
const maxMetadataBytes = 2 ** 20;

/**
 * Walks through an archive. `skipped` takes a sentence about each member that is neither a file nor a folder (a link,
 * a device, a sparse file), and about bytes behind the archive's end.
 *
 * @throws dataUnreadable where the archive ends within a member, a header's checksum is wrong, or it is compressed
 */
export async function* tarEntries(path: string, skipped: (what: string) => void): AsyncGenerator<TarEntry> {
  const file = await open(path, 'r');
  try {
    const { size: fileBytes } = await file.stat();
    const read = windowReader(file);
    const fail = (reason: string): Error => errors.dataUnreadable(path, reason);
    const readWhole = async (what: string, offset: number, bytes: number): Promise<Buffer> => {
      if (bytes > maxMetadataBytes) throw fail(`${what} at byte ${offset} is ${bytes} bytes long`);
      return Buffer.from(await read(offset, bytes));
    };
    refuseCompressed(await readWhole('the beginning', 0, 4), fail);
    let position = 0;
    let zeroBlocks = 0;
    let longName: string | null = null;
    let extended: PaxRecords = {};
    let everywhere: PaxRecords = {};
    while (position + blockBytes <= fileBytes && zeroBlocks < 2) {
      const block = Buffer.from(await read(position, blockBytes));
      if (block.every((byte) => byte === 0)) {
        zeroBlocks++;
        position += blockBytes;
        continue;
      }
      zeroBlocks = 0;
      const header = parseHeader(block);
      if (header === null) throw fail(`the header at byte ${position} has a wrong checksum`);
      const bytes = isMetadata(header.type) ? header.bytes : (extended.bytes ?? everywhere.bytes ?? header.bytes);
      const name = longName ?? extended.name ?? everywhere.name ?? header.name;
      const offset = position + blockBytes;
      if (!(bytes >= 0) || offset + bytes > fileBytes)
        throw fail(`it ends within ${printable(name)}: ${bytes} bytes from byte ${offset} on, but it has ${fileBytes}`);
      if (header.type === 'L') longName = textOf(await readWhole('a long name', offset, bytes));
      else if (header.type === 'x' || header.type === 'g') {
        const records = parsePax(await readWhole('an extended header', offset, bytes));
        if (records === null) throw fail(`the extended header at byte ${position} is damaged`);
        if (header.type === 'x') extended = records;
        else everywhere = { ...everywhere, ...records };
      } else if (header.type !== 'K') {
        if (isFile(header.type) && !extended.sparse && !name.endsWith('/'))
          yield { name, offset, bytes, read: () => readWhole(printable(name), offset, bytes) };
        else if (header.type !== '5' && !name.endsWith('/'))
          skipped(`${printable(name)} is ${extended.sparse ? 'a sparse file' : (typeNames[header.type] ?? 'no file')}`);
        longName = null;
        extended = {};
      }
      position = offset + Math.ceil(bytes / blockBytes) * blockBytes;
    }
    const rest = fileBytes - position;
    if (zeroBlocks < 2 && rest > 0) throw fail(`it ends within the header at byte ${position}`);
    if (rest > 0 && (await read(position, Math.min(rest, windowBytes))).some((byte) => byte !== 0))
      skipped(`${rest} bytes behind the end of the archive`);
  } finally {
    await file.close();
  }
}

interface PaxRecords {
  name?: string;
  bytes?: number;
  sparse?: boolean;
}

const typeNames: Record<string, string> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
  S: 'a sparse file',
};

const isFile = (type: string): boolean => type === '0' || type === '\0' || type === '7';
const isMetadata = (type: string): boolean => 'LKxg'.includes(type);

/** The fields that matter of a header block; null where its checksum is not that of its bytes. */
function parseHeader(block: Buffer): { name: string; bytes: number; type: string } | null {
  const stored = octal(block.subarray(148, 156));
  let sum = 0;
  let signedSum = 0;
  block.forEach((byte, at) => {
    const value = at >= 148 && at < 156 ? 32 : byte;
    sum += value;
    signedSum += value > 127 ? value - 256 : value;
  });
  if (stored !== sum && stored !== signedSum) return null;
  // GNU's magic has no prefix field: other things lie there.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textOf(block.subarray(345, 500)) : '';
  const name = textOf(block.subarray(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    bytes: sizeField(block.subarray(124, 136)),
    type: String.fromCharCode(block[156]!),
  };
}

/** Octal digits, or big-endian bytes where the first bit is set (sizes from 8 GiB on). NaN for neither. */
function sizeField(field: Buffer): number {
  if ((field[0]! & 0x80) === 0) return octal(field);
  if (field[0] !== 0x80) return NaN;
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
}

function octal(field: Buffer): number {
  const digits = field.toString('latin1').replace(/\0.*$/s, '').trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || '0', 8) : NaN;
}

/** Records `LENGTH KEY=VALUE\n`, the length counting itself; null where they are not. */
function parsePax(content: Buffer): PaxRecords | null {
  const records: PaxRecords = {};
  for (let at = 0; at < content.length && content[at] !== 0;) {
    const space = content.indexOf(32, at);
    const length = space < 0 ? NaN : Number(content.toString('latin1', at, space));
    const equals = content.indexOf(61, space);
    const end = at + length;
    if (!Number.isSafeInteger(length) || equals < 0 || equals >= end || end > content.length) return null;
    const key = content.toString('utf8', space + 1, equals);
    const value = content.toString('utf8', equals + 1, end - 1);
    if (key === 'path') records.name = value;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) return null;
      records.bytes = Number(value);
    }
    if (key.startsWith('GNU.sparse.')) records.sparse = true;
    at = end;
  }
  return records;
}

function refuseCompressed(beginning: Buffer, fail: (reason: string) => Error): void {
  const start = beginning.toString('hex');
  const kind = start.startsWith('1f8b') ? 'gzip' : start === '28b52ffd' ? 'zstd' : start === 'fd377a58' ? 'xz' : null;
  if (kind !== null)
    throw fail(`it is compressed with ${kind}, so its images can't be reached one by one; decompress it`);
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** A name as a message can carry it. */
function printable(name: string): string {
  const text = JSON.stringify(name.slice(0, 200)).slice(1, -1);
  return text === '' ? 'a member without a name' : text;
}

/** Reads short ranges of a file from a window, since headers and small files mostly lie close together. */
function windowReader(file: FileHandle): (offset: number, bytes: number) => Promise<Uint8Array> {
  const window = Buffer.alloc(windowBytes);
  let start = 0;
  let filled = 0;
  return async (offset, bytes) => {
    const target = bytes > windowBytes ? Buffer.alloc(bytes) : window;
    if (target === window && offset >= start && offset + bytes <= start + filled)
      return window.subarray(offset - start, offset - start + bytes);
    // A header far from the last one is read alone: what follows it is an image's content.
    const wanted = target === window && offset - start - filled < windowBytes ? windowBytes : Math.max(bytes, 4096);
    const { bytesRead } = await file.read(target, 0, Math.min(wanted, target.length), offset);
    if (target !== window) return target.subarray(0, bytesRead);
    [start, filled] = [offset, bytesRead];
    return window.subarray(0, Math.min(bytes, bytesRead));
  };
}
