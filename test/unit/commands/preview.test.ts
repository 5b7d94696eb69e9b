/** `simdino preview` as a terminal sees it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { run as preview } from '../../../runtime/commands/preview.ts';
import { said } from './said.ts';

const folder = mkdtempSync(join(tmpdir(), 'simdino-preview-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, 'small.yaml');
writeFileSync(
  config,
  `data: { kind: synthetic, synthetic: { images: 40 } }
model: { patchSizePx: 4 }
train: { batchSize: 8 }
crops:
  global: { sizePx: 16 }
  local: { sizePx: 8, count: 2 }
seed: 5
`,
);
const output = join(folder, 'sheet.png');
const names = (text: string): string[] => text.split('\n').filter((line) => /^\S.*train image/.test(line));
const size = async (): Promise<[number, number]> => {
  const { width, height } = await sharp(output).metadata();
  return [width, height];
};

describe('simdino preview', () => {
  it('names each image and each of its crops, and writes them as one picture', async () => {
    const { code, text, errors } = await said(preview, config, '-o', output);
    expect([code, errors]).toEqual([0, '']);
    const lines = text.trimEnd().split('\n');
    expect(lines.at(-1)).toBe(output);
    expect(names(text)).toHaveLength(4);
    expect(lines.filter((line) => /^ {2}(global|local) \d: \d+ x \d+ px at \d+, \d+/.test(line))).toHaveLength(16);
    const [, heightOfFour] = await size();
    expect((await said(preview, config, '--images', '2', '-o', output)).code).toBe(0);
    expect((await size())[1]).toBeLessThan(0.6 * heightOfFour);
  });

  it('goes on in the order of the epoch, which seed and epoch change', async () => {
    const all = names((await said(preview, config, '--images', '4', '-o', output)).text);
    const later = names((await said(preview, config, '--images', '2', '--skip', '2', '-o', output)).text);
    expect(later).toEqual(all.slice(2));
    for (const other of [
      ['--seed', '6'],
      ['--epoch', '1'],
    ])
      expect(names((await said(preview, config, ...other, '-o', output)).text)).not.toEqual(all);
  });

  it('shows one image of the split or a file, with settings changed on the command line', async () => {
    const one = await said(preview, config, '--image', '7', '--set', 'crops.local.count=0', '-o', output);
    expect(one.text.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(2);
    expect(names(one.text)[0]).toMatch(/train image 7\b/);
    const file = join(folder, 'photograph.jpg');
    await sharp({ create: { width: 30, height: 20, channels: 3, background: 'green' } }).toFile(file);
    expect((await said(preview, config, '--file', file, '-o', output)).text).toMatch(
      /^photograph\.jpg\n {2}global 1: /,
    );
    expect(readFileSync(output).subarray(1, 4).toString()).toBe('PNG');
  });

  it('refuses what it cannot show, by name', async () => {
    const refusal = async (...args: string[]): Promise<string> => {
      const error: unknown = await said(preview, ...args).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      return String(error).replaceAll(folder, '<folder>');
    };
    expect(await refusal()).toMatchInlineSnapshot(
      `"SimdinoError: \`simdino preview\` needs a configuration. See \`simdino --help\`."`,
    );
    expect(await refusal(config, '--image', '40')).toMatchInlineSnapshot(
      `"SimdinoError: --image takes a whole number up to 39, got '40'. See \`simdino --help\`."`,
    );
    expect(await refusal(config, '--images', 'many')).toMatchInlineSnapshot(
      `"SimdinoError: --images takes a whole number up to 32, got 'many'. See \`simdino --help\`."`,
    );
    expect(await refusal(config, '--images', '0')).toMatchInlineSnapshot(
      `"SimdinoError: --images 0 leaves nothing to show. See \`simdino --help\`."`,
    );
    expect(await refusal(config, '--file', join(folder, 'none.png'), '-o', output)).toMatchInlineSnapshot(
      `"SimdinoError: The data at <folder>/none.png can't be read: ENOENT. Check permissions and that the file is complete."`,
    );
    expect(await refusal(config, '-o', join(folder, 'no', 'such', 'sheet.png'))).toMatchInlineSnapshot(
      `"SimdinoError: The picture can't be written to <folder>/no/such/sheet.png: ENOENT: no such file or directory, open '<folder>/no/such/sheet.png'. See \`simdino --help\`."`,
    );
  });
});
