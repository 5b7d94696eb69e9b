/**
 * A reader of event files that shares nothing with the product: framing by hand, CRC-32C bit by bit, fields by their numbers.
 */
import { readFileSync } from 'node:fs';

export interface SeenEvent {
  wallTime: number;
  step: number;
  version?: string;
  values: { tag: string; value?: number; png?: Buffer }[];
}

export function readEvents(path: string): SeenEvent[] {
  const file = readFileSync(path);
  const events: SeenEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    requireSum(file.subarray(at, at + 8), file.readUInt32LE(at + 8), `length at ${at}`);
    const data = file.subarray(at + 12, at + 12 + length);
    requireSum(data, file.readUInt32LE(at + 12 + length), `data at ${at}`);
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}

function requireSum(data: Buffer, stored: number, what: string): void {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  crc = (crc ^ 0xffffffff) >>> 0;
  const masked = Number((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) + 0xa282ead8n) & 0xffffffffn);
  if (masked !== stored) throw new Error(`check sum of the ${what}: stored ${stored}, computed ${masked}`);
}

type Field = [number: number, value: number | Buffer];

function fieldsOf(data: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let place = 1; ; place *= 128) {
      const byte = data[at++]!;
      value += (byte % 128) * place;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    if (key % 8 === 0) fields.push([number, varint()]);
    else {
      const length = key % 8 === 1 ? 8 : key % 8 === 5 ? 4 : varint();
      fields.push([number, data.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

function eventOf(data: Buffer): SeenEvent {
  const event: SeenEvent = { wallTime: 0, step: 0, values: [] };
  for (const [number, value] of fieldsOf(data)) {
    if (number === 1) event.wallTime = (value as Buffer).readDoubleLE();
    if (number === 2) event.step = value as number;
    if (number === 3) event.version = (value as Buffer).toString();
    if (number !== 5) continue;
    for (const [, entry] of fieldsOf(value as Buffer)) {
      const seen: SeenEvent['values'][number] = { tag: '' };
      for (const [field, content] of fieldsOf(entry as Buffer)) {
        if (field === 1) seen.tag = (content as Buffer).toString();
        if (field === 2) seen.value = (content as Buffer).readFloatLE();
        if (field === 4) seen.png = fieldsOf(content as Buffer).find(([part]) => part === 4)?.[1] as Buffer;
      }
      event.values.push(seen);
    }
  }
  return event;
}
