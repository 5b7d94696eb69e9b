/**
 * TFRecord framing, the container of TensorBoard's event files: each record is its length (8 bytes, little endian), the masked CRC-32C
 * of the length, the data, and the masked CRC-32C of the data.
 */
import { errors } from '../../protocol/errors.ts';
import { maskedCrc32c } from './crc32c.ts';

const lengthBytes = 8;
const sumBytes = 4;

/** One record, framed. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(lengthBytes + sumBytes + data.length + sumBytes);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(lengthBytes, maskedCrc32c(framed.subarray(0, lengthBytes)), true);
  framed.set(data, lengthBytes + sumBytes);
  view.setUint32(lengthBytes + sumBytes + data.length, maskedCrc32c(data), true);
  return framed;
}

/**
 * The records of a file, in order. A last record that is not whole is left out: its writer was interrupted, or is still writing.
 *
 * @throws importUnreadable where a check sum does not fit
 */
export function* readRecords(path: string, file: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = lengthBytes + sumBytes;
  for (let start = 0; start + header <= file.length;) {
    const expected = maskedCrc32c(file.subarray(start, start + lengthBytes));
    if (view.getUint32(start + lengthBytes, true) !== expected)
      throw errors.importUnreadable(path, `the check sum of the length at byte ${start} is wrong`);
    const length = Number(view.getBigUint64(start, true));
    const end = start + header + length;
    if (end + sumBytes > file.length) return;
    const data = file.subarray(start + header, end);
    if (view.getUint32(end, true) !== maskedCrc32c(data))
      throw errors.importUnreadable(path, `the check sum of the record at byte ${start} is wrong`);
    yield data;
    start = end + sumBytes;
  }
}
