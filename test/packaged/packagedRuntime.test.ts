import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installNode } from '../host/npmNode.ts';
import { packagedVsix } from '../host/packagedVsix.ts';
import { runCommand } from '../host/runCommand.ts';
import { packedSizes, unpackZip } from '../host/unpackZip.ts';

describe('the packaged extension', () => {
  let work = '';
  let vsix = '';
  let files: string[] = [];
  let node = '';
  const simdino = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    runCommand(node, [join(work, 'extension', 'dist', 'simdino.mjs'), ...args], {
      cwd: work,
      env: { PATH: '/usr/bin:/bin', HOME: work, ...env },
      timeoutMs: 120_000,
    });

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'simdino-packaged-'));
    vsix = await packagedVsix();
    files = unpackZip(vsix, work);
    node = process.versions.node.startsWith('20.') ? process.execPath : (await installNode(20)).node;
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test('carries the manifest, the bundles, the presets and the licence', () => {
    const manifest = JSON.parse(readFileSync(join(work, 'extension', 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest['dependencies']).toBeUndefined();
    for (const name of [
      'dist/extension.cjs',
      'dist/simdino.mjs',
      'dist/executor.mjs',
      'dist/dataWorker.mjs',
      'dist/webview/curves.js',
      'dist/webview/grid.js',
      'dist/webview/comparison.js',
      'dist/webview/table.js',
      'dist/webview/report.js',
      'configs/quickstart.yaml',
      'configs/simdino_vits16.yaml',
      'configs/schema.json',
    ]) {
      expect(files).toContain(`extension/${name}`);
    }
    expect(files.some((name) => /^extension\/(readme\.md|license)/i.test(name))).toBe(true);
  });

  test('carries neither sources nor tests nor source maps', () => {
    const ours = files.filter((name) => !name.startsWith('extension/dist/node_modules/'));
    expect(ours.filter((name) => /\.(ts|tsx|map)$|^extension\/(test|runtime|shared|scripts)\//.test(name))).toEqual([]);
  });

  test('carries the native parts of this platform alone', () => {
    const binaries = readdirSync(join(work, 'extension/dist/node_modules/onnxruntime-node/bin/napi-v6'));
    expect(binaries).toEqual([process.platform]);
    const images = readdirSync(join(work, 'extension/dist/node_modules/@img')).filter((name) => name !== 'colour');
    expect(images.every((name) => name.endsWith(`-${process.platform}-${process.arch}`))).toBe(true);
    expect(images.length).toBeGreaterThan(0);
  });

  test.each(['onnxruntime-node', 'sharp', 'koffi'])('%s can be loaded', async (name) => {
    const script = join(work, 'extension/dist', `load-${name}.mjs`);
    writeFileSync(script, `import loaded from '${name}';\nconsole.log(typeof loaded);\n`);
    const { exitCode, output } = await runCommand(node, [script], {
      cwd: work,
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 60_000,
    });
    expect(output.trim()).toMatch(/^(object|function)$/);
    expect(exitCode).toBe(0);
  });

  test('stays below 60 MB', () => {
    expect(statSync(vsix).size).toBeLessThan(60e6);
  });

  test('stays below 1.5 MB without the native binaries', () => {
    const isNative = (name: string): boolean => /\.(node|dll|dylib|so)(\.\d+)*$/.test(name);
    const native = [...packedSizes(vsix)].filter(([name]) => isNative(name));
    expect(native.length).toBeGreaterThanOrEqual(4); // of onnxruntime two, of sharp one or two, of koffi one
    const nativeBytes = native.reduce((sum, [, bytes]) => sum + bytes, 0);
    expect(statSync(vsix).size - nativeBytes).toBeLessThan(1.5e6);
  });

  test('trains on Node 20 away from the repository', async () => {
    const { exitCode, output } = await simdino(['train', 'tiny', '--runs-dir', join(work, 'runs')]);
    expect(output).toContain('finished');
    expect(exitCode).toBe(0);
    const [run] = readdirSync(join(work, 'runs'));
    const metrics = readFileSync(join(work, 'runs', run!, 'attempts', '001', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(metrics.length).toBeGreaterThan(10);
  });

  test('lists and reports what it trained', async () => {
    const runs = await simdino(['runs', '--runs-dir', join(work, 'runs')]);
    expect(runs.exitCode).toBe(0);
    expect(runs.output).toContain('tiny');
  });

  test('explains itself', async () => {
    const { exitCode, output } = await simdino(['--help']);
    expect(exitCode).toBe(0);
    expect(output).toContain('simdino COMMAND');
  });
});
