import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../configs/readConfig.ts';
import { fileLoader, kindOfYaml } from '../../../extension/launch/configFiles.ts';
import { memoryEstimate, preflight } from '../../../extension/launch/preflight.ts';
import { panelPage } from '../../../extension/panels/panelPage.ts';

const presetsFolder = join(import.meta.dirname, '../../../configs');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simdino-preflight-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function config(text: string) {
  const { config, diagnostics } = readConfig(text, { path: join(folder, 'c.yaml'), load: fileLoader(presetsFolder) });
  if (!config) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return config;
}

describe('preflight', () => {
  const check = (text: string, runsFolder = join(folder, 'runs')) =>
    preflight(config(text), { configPath: join(folder, 'c.yaml'), runsFolder });

  it('finds nothing wrong with the tiny preset', async () => {
    expect(await check('extends: tiny\n')).toEqual([]);
  });

  it('finds missing data, relative to the configuration', async () => {
    const findings = await check('extends: tiny\ndata: {kind: imagefolder, path: images}\n');
    expect(findings).toEqual([
      {
        severity: 'error',
        message: `No data set at ${join(folder, 'images')}. Set data.path to an existing folder or file.`,
        key: 'data.path',
      },
    ]);
  });

  it('finds a runs folder that can not be made', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await check('extends: tiny\n', join(folder, 'file/runs'))).toMatchObject([{ severity: 'error' }]);
  });

  it('warns when the step needs more memory than there is', async () => {
    const findings = await check(
      'extends: simdino_vits16\ndata: {kind: synthetic, synthetic: {images: 100000}}\ntrain: {batchSize: 65536}\n',
    );
    expect(findings).toMatchObject([{ severity: 'warning', key: 'train.batchSize' }]);
  });

  it('estimates memory in proportion to the batch', () => {
    const of = (batch: number) => memoryEstimate(config(`extends: tiny\ntrain: {batchSize: ${batch}}\n`));
    const [one, two, four] = [of(16), of(32), of(64)];
    expect(four - two).toBeCloseTo(2 * (two - one), 0);
  });
});

describe('kindOfYaml', () => {
  it.each([
    ['extends: quickstart\n', 'config'],
    ['method: simdino\n', 'config'],
    ['base: tiny\naxes: {}\n', 'sweep'],
    ['services:\n  web: {}\n', undefined],
    ['', undefined],
  ])('tells what %j is', async (text, kind) => {
    const path = join(folder, 'x.yaml');
    await writeFile(path, text);
    expect(await kindOfYaml(path)).toBe(kind);
  });
});

describe('panelPage', () => {
  const page = () =>
    panelPage({
      script: 'https://x/curves.js',
      style: 'https://x/curves.css',
      cspSource: 'https://x',
      title: '<img src=x onerror=alert(1)>',
      language: 'en"><script>',
      words: { Stop: '</script><script>alert(1)' },
    });

  it('lets nothing run but the one script, and nothing be fetched', () => {
    const policy = /content="([^"]*)"/.exec(page())?.[1];
    expect(policy).toMatch(/default-src 'none'; script-src 'nonce-[\w-]{24}';/);
    expect(policy).not.toMatch(/unsafe|connect-src|\*/);
  });

  it('escapes what people typed and never repeats a nonce', () => {
    expect(page()).not.toContain('<img');
    expect(page().match(/<script type="module" nonce/g)).toHaveLength(1);
    expect(page().match(/<script/g)).toHaveLength(2); // the other one is data
    const nonces = [page(), page()].map((html) => /nonce="([^"]+)"/.exec(html)?.[1]);
    expect(nonces[0]).not.toBe(nonces[1]);
  });
});
