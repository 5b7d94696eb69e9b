import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { isSimdinoError } from '../../../protocol/errors.ts';
import { checkDataset } from '../../../runtime/data/checkDataset.ts';
import type { Dataset, Split } from '../../../runtime/data/dataset.ts';
import { attachSplit, openDataset } from '../../../runtime/data/datasets/registry.ts';
import { tarEntries } from '../../../runtime/data/datasets/tarEntries.ts';
import { createLoader } from '../../../runtime/data/loader.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import { buildDataWorker } from './builtWorker.ts';
import { member, paxRecord, tar, type Member } from './tarArchive.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const { SIMDINO_CACHE } = process.env;
process.env['SIMDINO_CACHE'] = join(root, 'cache');
afterAll(() => {
  if (SIMDINO_CACHE === undefined) delete process.env['SIMDINO_CACHE'];
  else process.env['SIMDINO_CACHE'] = SIMDINO_CACHE;
});

const said: string[] = [];
const open = (path: string, more: object = {}): Promise<Dataset> => {
  said.length = 0;
  const { data } = configSchema.parse({ data: { kind: 'webdataset', path: join(root, path), ...more } });
  return openDataset(data, { onProgress: (text) => said.push(text) });
};
const names = (split: Split): string[] => Array.from({ length: split.size }, (_, index) => split.nameOf(index));
const labels = (split: Split) => Array.from({ length: split.size }, (_, index) => split.label(index));
function write(path: string, content: Uint8Array | string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  return join(root, path);
}
const list = async (path: string): Promise<{ name: string; bytes: number }[]> => {
  const found = [];
  for await (const { name, bytes } of tarEntries(path, (what) => said.push(what))) found.push({ name, bytes });
  return found;
};

let images: Buffer[] = [];
beforeAll(async () => {
  images = await Promise.all(
    Array.from({ length: 8 }, (_, red) =>
      sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 20 * red, g: 10, b: 200 } } })
        .png()
        .toBuffer(),
    ),
  );
});
const sample = (key: string, red: number, label?: Partial<Member>): Member[] => [
  { name: `${key}.png`, content: images[red]! },
  ...(label ? [{ name: `${key}.cls`, content: '', ...label }] : []),
];

describe('samples', () => {
  it('are read wherever they lie, here and where the split is attached from its handle', async () => {
    write('many/train-0.tar', tar([...sample('a/1', 1, { content: '2\n' }), ...sample('a/2', 2, { content: '0' })]));
    write('many/train-1.tar', tar(sample('b/1', 3, { content: '1' })));
    write('many/val-0.tar', tar(sample('v', 4, { content: '2' })));
    const { train, validation, test, classes } = await open('many');
    expect(classes).toEqual(['0', '1', '2']);
    expect([labels(train), labels(validation!), test]).toEqual([[2, 0, 1], [2], null]);
    expect(names(train)).toEqual(['train-0.tar:a/1', 'train-0.tar:a/2', 'train-1.tar:b/1']);
    const attached = attachSplit(structuredClone(train.share()));
    expect([names(attached), labels(attached)]).toEqual([names(train), labels(train)]);
    for (const split of [train, attached])
      for (const [index, red] of [20, 40, 60].entries()) expect((await split.image(index)).data[0]).toBe(red);
  });

  it('take their class from .cls, .json or .txt', async () => {
    const json = (label: unknown) => JSON.stringify({ other: 1, label, kind: `k-${String(label)}` });
    write(
      'labels.tar',
      tar([
        ...sample('1', 1, { name: '1.json', content: json('newt') }),
        ...sample('2', 2, { name: '2.txt', content: 'cat' }),
        { name: '3.txt', content: 'dog' },
        ...sample('3', 3, { content: 'newt' }),
        ...sample('4', 4, { content: 'cat' }),
      ]),
    );
    const { train, classes } = await open('labels.tar');
    expect([classes, labels(train)]).toEqual([
      ['cat', 'newt'],
      [1, 0, 1, 0],
    ]);
    write('keyed.tar', tar([...sample('1', 1, { name: '1.json', content: json('newt') })]));
    expect((await open('keyed.tar', { labelColumn: 'kind' })).classes).toEqual(['k-newt']);
  });

  it('have no labels where texts are captions, or nothing is there', async () => {
    write('captions.tar', tar([1, 2, 3].flatMap((i) => sample(`${i}`, i, { name: `${i}.txt`, content: `a ${i}` }))));
    expect((await open('captions.tar')).classes).toBe(null);
    expect(said.join()).toContain('captions, not classes');
    write('bare.tar', tar([...sample('1', 1), ...sample('2', 2)]));
    expect(labels((await open('bare.tar')).train)).toEqual([null, null]);
  });

  it('are refused where only some have labels', async () => {
    write('some.tar', tar([...sample('1', 1, { content: '1' }), ...sample('2', 2)]));
    await expect(open('some.tar')).rejects.toThrow('2 has no label, but other images have one');
    write('huge-label.tar', tar(sample('1', 1, { content: '999999999999' })));
    await expect(open('huge-label.tar')).rejects.toThrow('a label is 999999999999; class numbers end at 1000000');
  });

  it('train alike with worker threads and without', async () => {
    write('loaded.tar', tar([1, 2, 3, 4, 5].flatMap((i) => sample(`${i}`, i, { content: `${i}` }))));
    const { train } = await open('loaded.tar');
    const crops = configSchema.parse({
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 8 }, local: { sizePx: 8, count: 1 } },
    }).crops;
    const workerScript = await buildDataWorker();
    const batches = await Promise.all(
      [0, 2].map(async (workers) => {
        const options = { split: train, crops, batchSize: 4, seed: 3, workers, startStep: 0, maxFaultyShare: 0 };
        const loader = createLoader({ ...options, workerScript });
        try {
          return Buffer.from((await loader.next()).global);
        } finally {
          await loader.close();
        }
      }),
    );
    expect(batches[0]!.equals(batches[1]!)).toBe(true);
  });
});

describe('paths', () => {
  it('may be patterns; what braces name has to be there', async () => {
    for (const i of [0, 1, 2]) write(`shards/set-000${i}.tar`, tar(sample(`${i}`, i)));
    expect((await open('shards/set-{0000..0001}.tar')).train.size).toBe(2);
    expect((await open('shards/set-*.tar')).train.size).toBe(3);
    expect((await open('shard?/set-000{0,2}.tar')).train.size).toBe(2);
    expect((await open('shards')).train.size).toBe(3);
    await expect(open('shards/set-{0000..0003}.tar')).rejects.toThrow(
      /set-0003.tar can't be read: there is no such file/,
    );
    await expect(open('shards/{0..999999999}.tar')).rejects.toThrow('more than 100,000 files');
    await expect(open('shards/none-*.tar')).rejects.toThrow('No images found');
    await expect(open('nowhere.tar')).rejects.toThrow('No data set at');
  });
});

describe('the index', () => {
  it('is kept in the cache folder until the shard changes', async () => {
    const path = write('kept/a.tar', tar(sample('1', 1)));
    await open('kept');
    expect(said).toEqual(['Indexing a.tar']);
    await open('kept');
    expect(said).toEqual([]);
    expect(readdirSync(join(root, 'kept'))).toEqual(['a.tar']);
    writeFileSync(path, tar([...sample('1', 1), ...sample('2', 2)]));
    utimesSync(path, 1e9, 1e9);
    expect((await open('kept')).train.size).toBe(2);
    expect(said).toEqual(['Indexing a.tar']);
  });

  it('is made anew where the cached one is damaged', async () => {
    write('damaged/a.tar', tar(sample('1', 1)));
    await open('damaged');
    const folder = join(root, 'cache/tar-index');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      writeFileSync(join(folder, file), text.replace(/"offsets":\[\d+/, '"offsets":[123456789'));
    }
    expect((await (await open('damaged')).train.image(0)).data[0]).toBe(20);
    expect(said).toEqual(['Indexing a.tar']);
  });
});

describe('formats', () => {
  const longName = `${'folder/'.repeat(30)}\u00e9-image.png`;
  it.each(['ustar', 'gnu', 'pax'])('%s, as GNU tar writes it', async (format) => {
    const name = format === 'ustar' ? `${'folder/'.repeat(18)}image.png` : longName;
    write(`${format}/${name}`, images[1]!);
    const archive = join(root, `${format}.tar`);
    execFileSync('tar', [`--format=${format}`, '-cf', archive, '-C', join(root, format), 'folder']);
    expect(await list(archive)).toEqual([{ name, bytes: images[1]!.length }]);
  });

  it('pax sizes and names, GNU long names and binary sizes', async () => {
    const content = 'x'.repeat(700);
    const pax = paxRecord('path', 'pax-name.png') + paxRecord('size', '700') + paxRecord('comment', 'a=b');
    const binary = member({ name: 'binary.png', content });
    binary.fill(0, 124, 136);
    binary[124] = 0x80;
    binary.writeUInt32BE(700, 132);
    binary.fill(32, 148, 156);
    const sum = binary.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    binary.write(`${sum.toString(8)}\0`, 148);
    const archive = Buffer.concat([
      tar(
        [
          { name: 'x', type: 'x', content: pax },
          { name: 'short', content, claimedBytes: 1 },
        ],
        Buffer.alloc(0),
      ),
      tar(
        [
          { name: '././@LongLink', type: 'L', content: `${longName}\0` },
          { name: 'cut', content },
        ],
        Buffer.alloc(0),
      ),
      binary,
      tar([{ name: 'image.png', prefix: 'some/prefix' }]),
    ]);
    expect(await list(write('mixed.tar', archive))).toEqual([
      { name: 'pax-name.png', bytes: 700 },
      { name: longName, bytes: 700 },
      { name: 'binary.png', bytes: 700 },
      { name: 'some/prefix/image.png', bytes: 0 },
    ]);
  });
});

describe('hostile archives', () => {
  it.each([
    [
      'a wrong checksum',
      () => tar([{ name: 'a.png', content: 'x', checksum: 7 }]),
      'header at byte 0 has a wrong checksum',
    ],
    [
      'a size beyond the end',
      () => tar([{ name: 'a.png', claimedBytes: 8 ** 11 - 1 }]),
      'it ends within a.png: 8589934591',
    ],
    ['a truncated member', () => tar(sample('a', 1)).subarray(0, 600), 'it ends within a.png'],
    ['a truncated header', () => tar([...sample('a', 1)], Buffer.alloc(100)), 'it ends within the header'],
    ['gzip', () => gzipSync(tar(sample('a', 1))), 'compressed with gzip'],
    [
      'a huge long name',
      () => tar([{ name: 'L', type: 'L', content: 'x'.repeat(2 ** 20 + 1) }]),
      'a long name at byte 512',
    ],
    [
      'a damaged pax header',
      () => tar([{ name: 'x', type: 'x', content: '99 path=a\n' }]),
      'extended header at byte 0',
    ],
    ['no image', () => tar([{ name: 'a.txt', content: 'cat' }]), 'samples with an image file'],
    ['nothing', () => Buffer.alloc(0), 'samples with an image file'],
  ])('%s: refused with its place', async (_what, archive, reason) => {
    write('hostile.tar', archive());
    await expect(open('hostile.tar')).rejects.toThrow(reason);
  });

  it('names with .., absolute ones and control characters are names only; links are told, not followed', async () => {
    const before = statSync('/etc/passwd').mtimeMs;
    write(
      'names.tar',
      tar([
        ...sample('../../../etc/passwd', 1),
        ...sample('/etc/passwd', 2),
        { name: 'link.png', type: '2' },
        ...sample('a\nb', 3),
        { name: 'folder.png', type: '5' },
      ]),
    );
    const { train } = await open('names.tar');
    expect(train.size).toBe(3);
    expect((await train.image(1)).data[0]).toBe(40);
    expect(said.join()).toContain('left out: link.png is a symbolic link');
    expect(statSync('/etc/passwd').mtimeMs).toBe(before);
  });

  it('counts images that do not decode, and shards that shrink after they were indexed', async () => {
    const path = write(
      'faulty.tar',
      tar([...sample('1', 1), { name: '2.jpg' }, { name: '3.png', content: 'BM' }, ...sample('4', 2)]),
    );
    const dataset = await open('faulty.tar');
    const reasons = async () => (await checkDataset(dataset))[0]!.faults.map(({ reason }) => reason);
    expect(await reasons()).toEqual(['the file is empty', 'its content is not JPEG, PNG, WebP, GIF, TIFF or AVIF']);
    truncateSync(path, 600);
    expect(await reasons()).toContain('its shard has become shorter since it was indexed');
  });

  it('mutated bytes give an index, or a refusal with a remedy', async () => {
    const good = tar([1, 2, 3].flatMap((i) => sample(`${i}`, i, { content: `${i}` })));
    const random = randomStream({ seed: 1, purpose: 'synthetic' });
    let refused = 0;
    for (let round = 0; round < 150; round++) {
      const mutated = Buffer.from(good.subarray(0, round % 3 === 0 ? random.integer(good.length) : good.length));
      for (let i = 0; i < 4 && mutated.length > 0; i++) mutated[random.integer(mutated.length)] = random.integer(256);
      write('mutated.tar', mutated);
      try {
        const { train } = await open('mutated.tar');
        expect(train.size).toBeLessThanOrEqual(3);
      } catch (error) {
        if (!isSimdinoError(error)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
    expect(refused).toBeLessThan(150);
  });
});
