/** The stream format of torch before 1.6, put together by hand: its storages stand in the order of the addresses they once had. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openForeignFile, readForeignTensor } from '../../../runtime/checkpoint/foreign/foreignFile.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'older-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const latin = (text: string) => Buffer.from(text, 'latin1');

const head = Buffer.concat([
  latin('\x80\x02\x8a\x0a'),
  Buffer.from('6cfc9c46f9206aa85019', 'hex'),
  latin('.M\xe9\x03.}.'),
]);

const tensor = (key: string, elements: number) =>
  'ctorch._utils\n_rebuild_tensor_v2\n((' +
  `S'storage'\nctorch\nFloatStorage\nS'${key}'\nS'cpu'\nI${elements}\ntQI0\n(I${elements}\nt(I1\nt` +
  'I00\nccollections\nOrderedDict\n)RtR';

function storage(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * values.length);
  bytes.writeBigInt64LE(BigInt(values.length), 0);
  values.forEach((value, at) => bytes.writeFloatLE(value, 8 + 4 * at));
  return bytes;
}

function written(object: string, keys: readonly string[], ...storages: Buffer[]): string {
  const path = join(folder, 'older.pth');
  const list = `(${keys.map((key) => `S'${key}'\n`).join('')}l.`;
  writeFileSync(path, Buffer.concat([head, latin(`${object}.`), latin(list), ...storages]));
  return path;
}

test('a storage of the optimiser, whose dictionary counts its parameters, may stand before the network\u2019s', () => {
  const optimiser = `(S'state'\n(I0\n(S'exp_avg'\n${tensor('11', 3)}ddd`;
  const object = `(S'optimizer'\n${optimiser}S'teacher'\n(S'weight'\n${tensor('22', 2)}dd`;
  const file = openForeignFile(written(object, ['11', '22'], storage([9, 9, 9]), storage([1.5, -2])));
  expect(Array.from(readForeignTensor(file, 'teacher.weight'))).toEqual([1.5, -2]);
  file.close();
});

test('a storage that belongs to no tensor is refused by its key: what follows it can\u2019t be found', () => {
  const object = `(S'weight'\n${tensor('22', 2)}d`;
  expect(() => openForeignFile(written(object, ['11', '22'], storage([9]), storage([1, 2])))).toThrow(
    /its storage 11 is listed but belongs to no tensor/,
  );
});
