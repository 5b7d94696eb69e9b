import { appendFile, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JsonLinesTail, readJsonLines, readLastLines } from '../../../experiments/store/tailJsonLines.ts';
import { temporaryFolder } from './runFolders.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

function tailOf(file: string): { tail: JsonLinesTail; steps: unknown[] } {
  const steps: unknown[] = [];
  return { tail: new JsonLinesTail(file, (line) => steps.push(line['step'])), steps };
}

describe('JsonLinesTail', () => {
  it('has no lines before the file exists', async () => {
    const { tail, steps } = tailOf(path);
    await tail.read();
    expect(steps).toEqual([]);
    await writeFile(path, '{"step":1}\n');
    await tail.read();
    expect(steps).toEqual([1]);
  });

  it('hands over each line once and leaves the unfinished last one until it is whole', async () => {
    const { tail, steps } = tailOf(path);
    await writeFile(path, '{"step":1}\n{"st');
    await tail.read();
    expect(steps).toEqual([1]);
    expect(tail.offset).toBe(11);
    await tail.read();
    expect(steps).toEqual([1]);
    await appendFile(path, 'ep":2}\n');
    await tail.read();
    expect(steps).toEqual([1, 2]);
    expect(tail.faultyLines).toBe(0);
  });

  it('does not split a character whose bytes arrive in two writes', async () => {
    const { tail, steps } = tailOf(path);
    const bytes = Buffer.from('{"step":"é漢"}\n');
    await writeFile(path, bytes.subarray(0, 11));
    await tail.read();
    await appendFile(path, bytes.subarray(11));
    await tail.read();
    expect(steps).toEqual(['é漢']);
  });

  it('counts garbage and goes on', async () => {
    const { tail, steps } = tailOf(path);
    await writeFile(path, '{"step":1}\nnot json\n[1,2]\n\u0000\u0000\u0000\n\n{"step":2}\r\n');
    await tail.read();
    expect(steps).toEqual([1, 2]);
    expect(tail.faultyLines).toBe(3);
  });

  it('reads a file again that was replaced by a shorter one', async () => {
    const { tail, steps } = tailOf(path);
    await writeFile(path, '{"step":1}\n{"step":2}\n');
    await tail.read();
    await writeFile(path, '{"step":9}\n');
    let restarts = 0;
    const progress = await tail.read(() => restarts++);
    expect(progress).toEqual({ lines: 1, restarted: true });
    expect(restarts).toBe(1);
    expect(steps).toEqual([1, 2, 9]);
  });

  it('reads a file again that was deleted and written anew, however long', async () => {
    const { tail, steps } = tailOf(path);
    await writeFile(path, '{"step":1}\n');
    const keep = await open(path); // so that the inode can't be given to the new file
    await tail.read();
    await rm(path);
    await writeFile(path, '{"step":7}\n{"step":8}\n');
    expect((await tail.read()).restarted).toBe(true);
    await keep.close();
    expect(steps).toEqual([1, 7, 8]);
  });

  it('skips a line of 40 MB without keeping it, and counts it once', async () => {
    const { tail, steps } = tailOf(path);
    const file = await open(path, 'w');
    await file.write('{"step":1}\n');
    const junk = Buffer.alloc(10 * 2 ** 20, 'x');
    for (let i = 0; i < 4; i++) await file.write(junk);
    await file.write('\n{"step":2}\n');
    await file.close();
    await tail.read();
    expect(steps).toEqual([1, 2]);
    expect(tail.faultyLines).toBe(1);
  });

  it('reads more than one chunk', async () => {
    const lines = 120_000;
    const pad = 'x'.repeat(60);
    await writeFile(path, Array.from({ length: lines }, (_, step) => `{"step":${step},"pad":"${pad}"}\n`).join(''));
    const { tail, steps } = tailOf(path);
    await tail.read();
    expect(steps.length).toBe(lines);
    expect(steps.every((step, i) => step === i)).toBe(true);
  });
});

describe('readJsonLines', () => {
  it('accepts NaN and the infinities as bare tokens, and not inside texts', async () => {
    await writeFile(path, '{"a":NaN,"b":-Infinity,"c":"a NaN and Infinity","d":[Infinity]}\n');
    const { lines, faultyLines } = await readJsonLines(path);
    expect(lines).toEqual([{ a: 'NaN', b: '-Infinity', c: 'a NaN and Infinity', d: ['Infinity'] }]);
    expect(faultyLines).toBe(0);
  });

  it('reports a file that it may not read', async () => {
    await expect(readJsonLines(folder)).rejects.toThrow(/EISDIR/);
  });
});

describe('readLastLines', () => {
  it('gives the whole lines among the last bytes', async () => {
    await writeFile(path, '{"step":1}\n{"step":2}\n{"step":3}\n{"ste');
    expect(await readLastLines(path, 30)).toEqual(['{"step":2}', '{"step":3}']);
    expect(await readLastLines(path, 1000)).toEqual(['{"step":1}', '{"step":2}', '{"step":3}']);
    expect(await readLastLines(path, 5)).toEqual([]);
    expect(await readLastLines(join(folder, 'none'), 5)).toEqual([]);
  });
});
