import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayPipe } from '../../../runtime/engines/executor/arrayPipe.ts';

const large = 64 * 2 ** 10;

/** What is sent into one end: the messages as they are posted, and all bytes. */
function sent(messages: readonly unknown[]): { posted: unknown[]; bytes: Buffer } {
  const posted: unknown[] = [];
  const chunks: Uint8Array[] = [];
  const pipe = arrayPipe((bytes) => chunks.push(bytes));
  for (const message of messages) pipe.send(message, (light) => posted.push(structuredClone(light)));
  return { posted, bytes: Buffer.concat(chunks) };
}

/** Numbers that differ from place to place and from array to array. */
const counted = <A extends Float32Array | Float64Array | Int32Array | Uint8Array>(array: A, seed: number): A => {
  for (let i = 0; i < array.length; i++) array[i] = (i * 7 + seed) % 251;
  return array;
};

/** Keys, types, lengths and a digest of the bytes: comparing arrays number by number takes minutes. */
const summary = (message: unknown): unknown => {
  const { id, inputs } = message as { id: number; inputs: Record<string, Uint8Array> };
  return [
    id,
    Object.entries(inputs).map(([key, array]) => [
      key,
      array.constructor.name,
      array.length,
      createHash('sha256').update(array).digest('hex'),
    ]),
  ];
};

describe('an array pipe', () => {
  it('leaves a note in the place of each large array, and small ones where they are', () => {
    const small = Uint8Array.of(1, 2, 3);
    const { posted, bytes } = sent([
      { id: 1, argument: { program: 'train', inputs: { crops: new Uint8Array(large), lr: small } } },
    ]);
    expect(posted).toEqual([
      {
        id: 1,
        argument: { program: 'train', inputs: { crops: { pipedArray: 'Uint8Array', length: large }, lr: small } },
      },
    ]);
    expect(bytes.length).toBe(large);
  });

  it('gives every message back as it was, whatever the chunks and whichever comes first', async () => {
    const arrays = fc.oneof(
      fc.constantFrom(0, 1, large - 1, large, large + 3).map((length) => new Uint8Array(length)),
      fc.constantFrom(3, large / 4, large).map((length) => new Float32Array(length)),
      fc.constantFrom(5, large / 8).map((length) => new Float64Array(length)),
      fc.constantFrom(5, large / 4 + 1).map((length) => new Int32Array(length)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), arrays, { maxKeys: 3 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 2 * large }), { maxLength: 12 }),
        fc.array(fc.boolean(), { maxLength: 16 }),
        async (contents, cuts, messageFirst) => {
          const messages = contents.map((inputs, id) => ({
            id,
            inputs: Object.fromEntries(
              Object.entries(inputs).map(([key, array], place) => [key, counted(array, 10 * id + place)]),
            ),
          }));
          const { posted, bytes } = sent(messages);
          const end = arrayPipe(() => expect.unreachable());
          const restored: Promise<unknown>[] = [];
          const chunks = [...cuts, bytes.length];
          let from = 0;
          const next = { message: 0, chunk: 0, turn: 0 };
          while (next.message < posted.length || next.chunk < chunks.length) {
            const isMessage = messageFirst[next.turn++] ?? next.chunk >= chunks.length;
            if ((isMessage && next.message < posted.length) || next.chunk >= chunks.length)
              restored.push(end.restore(posted[next.message++]));
            else {
              // A chunk's memory is used again for the next one.
              const chunk = Uint8Array.from(bytes.subarray(from, (from += chunks[next.chunk++]!)));
              end.take(chunk);
              chunk.fill(255);
            }
          }
          expect((await Promise.all(restored)).map(summary)).toEqual(messages.map(summary));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sends a part of shared memory as that part', async () => {
    const memory = new SharedArrayBuffer(4 * large);
    const crops = counted(new Uint8Array(memory), 3).subarray(large, 3 * large);
    const { posted, bytes } = sent([{ crops }]);
    const end = arrayPipe(() => expect.unreachable());
    const whole = end.restore(posted[0]);
    end.take(bytes);
    expect(Buffer.compare((await (whole as Promise<{ crops: Uint8Array }>)).crops, crops)).toBe(0);
  });
});
