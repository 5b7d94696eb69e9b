import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { goldenFolder, goldenNames, goldenOnly } from './reference.ts';

const known: readonly string[] = goldenNames;

it('knows the files that were asked for, and finds them', () => {
  for (const name of goldenOnly ?? []) {
    expect(known, 'names that --only takes').toContain(name);
    expect(existsSync(join(goldenFolder, `${name}.json`)), `${name}.json in ${goldenFolder}`).toBe(true);
  }
});

it('finds something to compare with', () => {
  const present = readdirSync(goldenFolder).filter((file) => known.includes(file.replace(/\.json$/, '')));
  expect(present).not.toEqual([]);
});

for (const file of readdirSync(goldenFolder)) {
  if (file.endsWith('.json') && !known.includes(file.slice(0, -'.json'.length))) {
    it.skip(`${file} (no test reads it)`, () => {});
  }
}
