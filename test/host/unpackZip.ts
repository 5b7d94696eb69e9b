import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;

/** Unpacks a zip file (a VSIX is one) into `folder` and returns the names of its files. No zip64, no encryption. */
export function unpackZip(path: string, folder: string): string[] {
  const zip = readFileSync(path);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || zip.readUInt32LE(end) !== endOfDirectory) throw new Error(`${path} is not a zip file.`);
  const entries = zip.readUInt16LE(end + 10);
  const names: string[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let entry = 0; entry < entries; entry++) {
    if (zip.readUInt32LE(at) !== directoryEntry) throw new Error(`${path}: its directory is damaged at byte ${at}.`);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (!name.endsWith('/')) {
      write(join(folder, name), contentOf(zip, at));
      names.push(name);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return names;
}

function contentOf(zip: Buffer, entryAt: number): Buffer {
  const method = zip.readUInt16LE(entryAt + 10);
  const size = zip.readUInt32LE(entryAt + 20);
  const headerAt = zip.readUInt32LE(entryAt + 42);
  const dataAt = headerAt + 30 + zip.readUInt16LE(headerAt + 26) + zip.readUInt16LE(headerAt + 28);
  const data = zip.subarray(dataAt, dataAt + size);
  if (method === 0) return data;
  if (method === 8) return inflateRawSync(data);
  throw new Error(`A zip entry is packed by method ${method}, which is not supported.`);
}

function write(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
