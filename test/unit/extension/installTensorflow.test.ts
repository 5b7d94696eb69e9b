import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installedTensorflow, installTensorflow } from '../../../extension/engines/installTensorflow.ts';

let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'simdino-install-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** An npm that does what a test wants. */
function npm(script: string): string {
  const path = join(work, 'npm.mjs');
  writeFileSync(path, `#!${process.execPath}\nimport { mkdirSync, writeFileSync } from 'node:fs';\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}
const arrives = `mkdirSync('node_modules/@tensorflow/tfjs-node-gpu', { recursive: true });
writeFileSync('node_modules/@tensorflow/tfjs-node-gpu/package.json', '{}');`;
const never = new AbortController().signal;

test('a package that arrives takes the place of an earlier one', async () => {
  const folder = join(work, 'engine');
  mkdirSync(join(folder, 'left'), { recursive: true });
  const lines: string[] = [];
  await installTensorflow({
    folder,
    npm: npm(`console.log('fetching\\nunpacking'); ${arrives}`),
    onLine: (line) => lines.push(line),
    signal: never,
  });
  expect(lines).toEqual(['fetching', 'unpacking']);
  expect(installedTensorflow(folder)).toBe(folder);
  expect(existsSync(join(folder, 'left'))).toBe(false);
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
    allowScripts: { '@tensorflow/tfjs-node-gpu': true },
  });
});

test('a failure says why and leaves what was there', async () => {
  const folder = join(work, 'engine');
  mkdirSync(join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'package.json'), '{}');
  const failing = npm(`console.error('npm warn old lockfile'); console.error('no route to host'); process.exit(7);`);
  await expect(
    installTensorflow({ folder, npm: failing, onLine: () => undefined, signal: never }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[SimdinoError: @tensorflow/tfjs-node-gpu could not be installed: no route to host. Check the network and the disk, and see "SimDINO: Show output"; every other engine works as before.]`,
  );
  expect(installedTensorflow(folder)).toBe(folder);
  expect(existsSync(`${folder}.new`)).toBe(false);
});

test('it can be cancelled, and needs an npm', async () => {
  const folder = join(work, 'engine');
  const aborter = new AbortController();
  const slow = installTensorflow({
    folder,
    npm: npm(`console.log('begun'); setTimeout(() => {}, 60_000);`),
    onLine: () => aborter.abort(),
    signal: aborter.signal,
  });
  await expect(slow).rejects.toThrow(/it was cancelled/);
  expect(existsSync(folder)).toBe(false);
  await expect(
    installTensorflow({ folder, npm: join(work, 'absent'), onLine: () => undefined, signal: never }),
  ).rejects.toThrow(/ENOENT/);
});
