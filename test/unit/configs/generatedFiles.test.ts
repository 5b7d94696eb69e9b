import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fieldCatalogue } from '../../../configs/fieldCatalogue.ts';
import { generatedFiles } from '../../../configs/generatedFiles.ts';

const root = new URL('../../../', import.meta.url);

test.each(Object.entries(generatedFiles()))('%s is what the schema makes it', (path, text) => {
  const file = fileURLToPath(new URL(path, root));
  const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // A stale file is mended here so that the next run passes; this run fails so that nobody misses it.
  if (written !== text) writeFileSync(file, text);
  expect(written === text, `${path} was stale and has been rewritten: commit it`).toBe(true);
});

test('the schemas that the manifest and other schemas name are packaged', () => {
  const packaged = readFileSync(fileURLToPath(new URL('.vscodeignore', root)), 'utf8').split('\n');
  const manifest = JSON.parse(readFileSync(fileURLToPath(new URL('package.json', root)), 'utf8')) as {
    contributes: { yamlValidation: { url: string }[] };
  };
  const named = manifest.contributes.yamlValidation.map(({ url }) => url.replace('./', ''));
  const texts = named.map((path) => generatedFiles()[path] ?? '').join();
  const referred = [...texts.matchAll(/"\$ref": "\.\/([^"]+)"/g)].map((match) => `configs/${match[1]}`);
  expect(referred).toHaveLength(2);
  for (const path of [...named, ...referred]) expect(packaged).toContain(`!${path}`);
});

test('every key says what it means and what its value must be', () => {
  for (const row of fieldCatalogue().values()) {
    expect(row.description, row.path).toMatch(/\.$/);
    expect(row.expected, row.path).not.toBe('');
  }
});

test('every key but the required has a default or may be left out', () => {
  const required = [...fieldCatalogue().values()].filter((row) => row.required).map((row) => row.path);
  expect(required).toEqual(['data', 'data.kind']);
});
