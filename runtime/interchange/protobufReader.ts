/** Reads protocol-buffer messages field by field, without a schema: as much as event files need. */
export type FieldValue =
  { wire: 'varint'; value: bigint } | { wire: 'fixed64' | 'fixed32' | 'bytes'; value: Uint8Array };

const fixedBytes = { 1: 8, 5: 4 } as const;

/** The fields of a message in the order in which they lie. @throws RangeError where the message is cut off or no message */
export function* readFields(message: Uint8Array): Generator<{ field: number } & FieldValue> {
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[position++];
      if (byte === undefined || shift > 63n) throw new RangeError('a number is cut off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
  };
  const take = (count: number): Uint8Array => {
    if (position + count > message.length) throw new RangeError('a field is cut off');
    return message.subarray(position, (position += count));
  };
  while (position < message.length) {
    const key = Number(varint());
    const field = key >>> 3;
    const wire = key & 7;
    if (wire === 0) yield { field, wire: 'varint', value: varint() };
    else if (wire === 1) yield { field, wire: 'fixed64', value: take(fixedBytes[1]) };
    else if (wire === 5) yield { field, wire: 'fixed32', value: take(fixedBytes[5]) };
    else if (wire === 2) yield { field, wire: 'bytes', value: take(Number(varint())) };
    else throw new RangeError(`wire type ${wire} is not one of version 3`);
  }
}

export function doubleOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

export function floatOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
