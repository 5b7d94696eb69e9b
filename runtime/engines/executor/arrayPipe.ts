/**
 * Large arrays on their way between the trainer and its executor.
 *
 * The message channel serialises, copies and joins them chunk by chunk, which costs more than some steps take. Here their
 * bytes go as they are over a pipe of their own, in the order of the messages that they belong to; in the message a note
 * stands in the place of each.
 */
import type { TypedArray } from '../engine.ts';

/** Below it a note and a turn of the event loop cost more than copying. */
const fewestBytes = 64 * 2 ** 10;

const arrayTypes = { Float32Array, Float64Array, Int32Array, Uint8Array };

interface Note {
  pipedArray: keyof typeof arrayTypes;
  length: number;
}

export interface ArrayPipe {
  /**
   * Posts a message without its large arrays and writes these to the pipe. They may be overwritten once the other side
   * has answered.
   */
  send<T>(message: T, post: (light: T) => void): void;
  /** A message that has come, once its arrays have. To be called at once for every message, in their order. */
  restore<T>(light: T): Promise<T>;
  /** Takes what the pipe brings. The chunk may be used for something else afterwards. */
  take(chunk: Uint8Array): void;
}

/** One end of the pipe. @param write takes bytes that stay as they are until they are sent */
export function arrayPipe(write: (bytes: Uint8Array) => void): ArrayPipe {
  const awaited: { arrays: Uint8Array[]; whole: () => void }[] = [];
  /** Bytes that came before their message. */
  let early: Uint8Array[] = [];
  let filled = 0;

  /** Fills what is awaited, and returns the rest. */
  const fill = (chunk: Uint8Array): Uint8Array => {
    let rest = chunk;
    for (let first = awaited[0]; first !== undefined; first = awaited[0]) {
      const target = first.arrays[0];
      if (target === undefined) {
        awaited.shift();
        first.whole();
        continue;
      }
      if (rest.length === 0) break;
      const bytes = Math.min(target.length - filled, rest.length);
      target.set(rest.subarray(0, bytes), filled);
      rest = rest.subarray(bytes);
      filled += bytes;
      if (filled === target.length) {
        first.arrays.shift();
        filled = 0;
      }
    }
    return rest;
  };

  return {
    send(message, post) {
      const arrays: TypedArray[] = [];
      post(withNotes(message, arrays));
      for (const array of arrays) write(bytesOf(array));
    },
    restore(light) {
      const arrays: TypedArray[] = [];
      const message = withArrays(light, arrays);
      return new Promise((resolve) => {
        awaited.push({ arrays: arrays.map(bytesOf), whole: () => resolve(message) });
        // A message without arrays is whole without a byte.
        early = [new Uint8Array(0), ...early].map(fill).filter(({ length }) => length > 0);
      });
    },
    take(chunk) {
      const rest = fill(chunk);
      if (rest.length > 0) early.push(rest.slice());
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function withNotes<T>(value: T, arrays: TypedArray[]): T {
  if (ArrayBuffer.isView(value)) {
    const type = Object.entries(arrayTypes).find(([, constructor]) => value instanceof constructor)?.[0];
    if (type === undefined || value.byteLength < fewestBytes) return value;
    const array = value as unknown as TypedArray;
    arrays.push(array);
    return { pipedArray: type, length: array.length } as T;
  }
  return mapRecord(value, (entry) => withNotes(entry, arrays));
}

function withArrays<T>(value: T, arrays: TypedArray[]): T {
  if (isNote(value)) {
    const type = arrayTypes[value.pipedArray];
    // Every byte is about to be written: zeros would be a pass over memory for nothing.
    const { buffer } = Buffer.allocUnsafeSlow(value.length * type.BYTES_PER_ELEMENT);
    const array = new type(buffer, 0, value.length);
    arrays.push(array);
    return array as T;
  }
  return mapRecord(value, (entry) => withArrays(entry, arrays));
}

const isNote = (value: unknown): value is Note =>
  typeof value === 'object' && value !== null && 'pipedArray' in value && 'length' in value;

/** Arrays stand in records, and in records of these. */
function mapRecord<T>(value: T, change: (entry: unknown) => unknown): T {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, change(entry)])) as T;
}
