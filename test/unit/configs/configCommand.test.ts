/** `simdino config check|resolve|diff`, as a terminal sees it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readConfig } from '../../../configs/readConfig.ts';
import { sentence } from '../../../configs/diagnostic.ts';
import { run } from '../../../runtime/commands/config.ts';
import { loadFrom } from './presetFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'simdino-config-'));
const at = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
let own: string;
beforeAll(() => {
  own = at('own.yaml', 'extends: tiny\nloss: { eps: 0.4 }\ntrain: { epochs: 2 }\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function said(...args: string[]): Promise<{ code: number; text: string; beside: string }> {
  let text = '';
  let beside = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  const writeBeside = vi.spyOn(process.stderr, 'write').mockImplementation((part) => {
    beside += String(part);
    return true;
  });
  try {
    const code = await run(args);
    return { code, text, beside };
  } finally {
    write.mockRestore();
    writeBeside.mockRestore();
  }
}

test('check says the sentences of the editor, with carets', async () => {
  const text = 'extends: tiny\nloss: { epss: 0.3 }\n';
  const path = at('faulty.yaml', text);
  const [diagnostic] = readConfig(text, { path, load: loadFrom({}) }).diagnostics;
  const { code, text: shown } = await said('check', path, own);
  expect(code).toBe(2);
  expect(shown).toBe(
    `${path}:2:9 error: ${sentence(diagnostic!)}\n2 | loss: { epss: 0.3 }\n  |         ^^^^\n${own}: valid\n`,
  );
});

test('diff of one file is against what it extends, of two between them', async () => {
  expect((await said('diff', own)).text).toBe('loss.eps: 0.22360679774997896 -> 0.4\ntrain.epochs: 4 -> 2\n');
  expect((await said('diff', own, own)).text).toBe('no differences\n');
  const alone = at('alone.yaml', 'data: { kind: synthetic }\n');
  await expect(run(['diff', alone])).rejects.toThrow('takes two files, or one that extends another');
});

test('resolve and diff refuse a faulty file with a caret', async () => {
  const path = at('faulty.yaml', 'extends: tiny\nloss: { eps: -1 }\n');
  for (const action of ['resolve', 'diff']) await expect(run([action, path])).rejects.toThrow(/\n2 \| loss.*\n.*\^\^/);
});

test('remarks that cite the paper are warnings in all three, and can be left out of a check', async () => {
  const text = 'extends: tiny\nloss: { eps: 0.05 }\n';
  const path = at('squared.yaml', text);
  const [remark] = readConfig(text, { path, load: loadFrom({}) }).diagnostics;
  const warning = `${path}:2:14 warning: ${sentence(remark!)}\n2 | loss: { eps: 0.05 }\n  |              ^^^^\n`;
  expect(await said('check', path)).toEqual({ code: 0, text: warning, beside: '' });
  expect(await said('check', path, '--no-paper')).toEqual({ code: 0, text: `${path}: valid\n`, beside: '' });
  const resolved = await said('resolve', path);
  expect(resolved.beside).toBe(warning);
  expect(resolved.text).not.toContain('warning');
  expect((await said('diff', path)).beside).toBe(warning);
});

test('resolve writes every value in force', async () => {
  const { text } = await said('resolve', own);
  expect(text).toMatch(/^ {2}eps: 0\.4$/m);
  expect(text).toMatch(/^ {2}patchSizePx: 4$/m);
});
