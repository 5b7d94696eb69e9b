import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimOnce } from '../../../extension/run/claimOnce.ts';

let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'simdino-claims-'));
});
afterEach(() => rm(work, { recursive: true, force: true }));

it('is given to one of the windows that ask for it at the same time', async () => {
  const folder = join(work, 'told');
  const now = Date.now();
  const answers = await Promise.all(Array.from({ length: 8 }, () => claimOnce(folder, 'run a 1', now)));
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(await claimOnce(folder, 'run a 2', now)).toBe(true);
});

it('is given to every window where nothing can be written', async () => {
  await writeFile(join(work, 'file'), '');
  expect(await claimOnce(join(work, 'file/told'), 'a', 0)).toBe(true);
  expect(await claimOnce(join(work, 'file/told'), 'a', 0)).toBe(true);
});

it('leaves no old claims behind', async () => {
  await claimOnce(work, 'old', Date.now());
  const [name = ''] = await readdir(work);
  await utimes(join(work, name), 1, 1);
  expect(await claimOnce(work, 'new', Date.now())).toBe(true);
  expect(await readdir(work)).not.toContain(name);
});
