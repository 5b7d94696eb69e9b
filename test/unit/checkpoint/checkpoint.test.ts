import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  listCheckpoints,
  loadCheckpoint,
  modelFile,
  pruneCheckpoints,
  saveCheckpoint,
} from '../../../runtime/checkpoint/checkpoint.ts';
import { readSafetensors, writeSafetensors, type TensorMap } from '../../../runtime/checkpoint/safetensors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const state: TensorMap = new Map([
  ['student.w', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, -0, 1e-30) }],
  ['adam.first.w', { shape: [], data: Float32Array.of(7) }],
]);
const save = (step: number) =>
  saveCheckpoint(folder, state, { step, epoch: step / 10, createdAt: '2026-01-01T00:00:00Z', metrics: { loss: 0.5 } });

describe('checkpoints', () => {
  test('come back bit by bit', async () => {
    const { name } = save(30);
    const loaded = await loadCheckpoint(join(folder, name));
    expect(loaded.record).toMatchObject({ step: 30, epoch: 3, metrics: { loss: 0.5 } });
    expect([...loaded.state.keys()].sort()).toEqual(['adam.first.w', 'student.w']);
    for (const [tensor, { shape, data }] of state) {
      expect(loaded.state.get(tensor)?.shape).toEqual(shape);
      expect(Buffer.from(loaded.state.get(tensor)!.data.buffer)).toEqual(Buffer.from(data.buffer));
    }
  });

  test('are kept to the newest, and what a dead writer left is removed', () => {
    for (const step of [10, 20, 30]) save(step);
    mkdirSync(join(folder, 'step-000040.partial-123'));
    expect(pruneCheckpoints(folder, 2)).toEqual(['step-000010']);
    expect(readdirSync(folder).sort()).toEqual(['step-000020', 'step-000030']);
  });

  test('without a record are not listed', () => {
    save(10);
    mkdirSync(join(folder, 'step-000020'));
    expect(listCheckpoints(folder).map(({ name }) => name)).toEqual(['step-000010']);
  });

  test('with a damaged record are not listed, and keep nobody from pruning the others', () => {
    for (const step of [10, 20, 30]) save(step);
    writeFileSync(join(folder, 'step-000020', 'checkpoint.json'), '{"version":');
    expect(listCheckpoints(folder).map(({ name }) => name)).toEqual(['step-000010', 'step-000030']);
    expect(pruneCheckpoints(folder, 1)).toEqual(['step-000010']);
  });

  test('are written where a killed process of the same number left half of one', () => {
    const left = join(folder, `step-000010.partial-${process.pid}`);
    mkdirSync(left);
    writeFileSync(join(left, modelFile), 'half');
    expect(save(10).name).toBe('step-000010');
    expect(readdirSync(folder)).toEqual(['step-000010']);
  });

  test('that find the disk full say so, and leave the earlier ones as they were', async () => {
    save(10);
    const full = new Map([
      [
        'student.w',
        {
          shape: [1],
          get data(): Float32Array {
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          },
        },
      ],
    ]) as TensorMap;
    expect(() => saveCheckpoint(folder, full, { step: 20, epoch: 0, createdAt: '', metrics: {} })).toThrow(
      /The disk is full: .*step-000020 could not be written\. Free some space, then try again or resume the run/,
    );
    expect(readdirSync(folder)).toEqual(['step-000010']);
    expect((await loadCheckpoint(join(folder, 'step-000010'))).record.step).toBe(10);
  });

  test('that were damaged are refused by name', async () => {
    const { name } = save(10);
    const path = join(folder, name, modelFile);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    await expect(loadCheckpoint(join(folder, name))).rejects.toThrow(
      /model\.safetensors can't be read: its SHA-256 is/,
    );
    rmSync(path);
    await expect(loadCheckpoint(join(folder, name))).rejects.toThrow(/model\.safetensors is missing/);
  });

  test('that fail half-way leave nothing behind', () => {
    const broken = new Map([
      [
        'student.w',
        {
          shape: [1],
          get data(): Float32Array {
            throw new Error('gone');
          },
        },
      ],
    ]) as TensorMap;
    expect(() => saveCheckpoint(folder, broken, { step: 1, epoch: 0, createdAt: '', metrics: {} })).toThrow('gone');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('safetensors', () => {
  const write = (header: unknown, data = Buffer.alloc(8)): string => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const path = join(folder, 'x.safetensors');
    writeFileSync(path, Buffer.concat([length, json, data]));
    return path;
  };
  const entry = (offsets: number[], shape = [2]) => ({ dtype: 'F32', shape, data_offsets: offsets });

  test.each([
    ['an offset past the end', { a: entry([0, 16], [4]) }, /claims bytes 0 to 16 of 8/],
    ['a length that is not the shape\u2019s', { a: entry([0, 4]) }, /claims bytes 0 to 4/],
    ['tensors that overlap', { a: entry([0, 8]), b: entry([4, 8], [1]) }, /overlap/],
    ['another type', { a: { ...entry([0, 8]), dtype: 'I64' } }, /is I64, expected F32/],
    ['a malformed entry', { a: { dtype: 'F32' } }, /entry 'a' is malformed/],
    ['a header that is no JSON', '{', /not JSON/],
    ['a header that is no object', 'null', /not an object/],
  ])('refuses %s', (_, header, message) => {
    expect(() => readSafetensors(write(header))).toThrow(message);
  });

  test('refuses a header length beyond the file and a file without one', () => {
    const path = join(folder, 'short');
    writeFileSync(path, Buffer.from('ffffffffffffff7f', 'hex'));
    expect(() => readSafetensors(path)).toThrow(/header claims/);
    truncateSync(path, 3);
    expect(() => readSafetensors(path)).toThrow(/shorter than a header/);
  });

  test('never overwrites a file', () => {
    const path = join(folder, 'a.safetensors');
    writeSafetensors(path, state);
    expect(() => writeSafetensors(path, state)).toThrow(/EEXIST/);
    expect(existsSync(path)).toBe(true);
  });
});
