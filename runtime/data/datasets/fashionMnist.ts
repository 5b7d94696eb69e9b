/**
 * Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017; MIT licence): 60,000 training and 10,000 test images of clothing,
 * 28 x 28 grey, 10 classes.
 *
 * Taken from where it is installed, else from the cache, else fetched once: from Debian's package
 * `dataset-fashion-mnist` where apt-get is there (it needs no root: the package is unpacked, not installed), else from
 * the authors' server. Debian repacks the archives, so what is verified is the SHA-256 of the uncompressed files, which
 * are the authors' own byte by byte.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, SplitName } from '../dataset.ts';
import { cacheFolder } from './cacheFolder.ts';
import { unpackDebianPackage } from './debianPackage.ts';
import { downloadFile } from './download.ts';
import { exists, fetchInto, holdsAll, type FetchedFolder } from './fetchedFolder.ts';
import { idxSplit, readIdx } from './idx.ts';
import type { OpenContext, OpenDataset } from './registry.ts';

export const fashionMnistClasses = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

const installedFolder = '/usr/share/datasets/fashion-mnist';
const debianPackage = 'dataset-fashion-mnist';
const authorsServer = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com';

/** SHA-256 of the uncompressed files. */
const files = {
  'train-images-idx3-ubyte': 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  'train-labels-idx1-ubyte': 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  't10k-images-idx3-ubyte': '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  't10k-labels-idx1-ubyte': '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
} as const;
type FileName = keyof typeof files;
const fileNames = Object.keys(files) as FileName[];
const archives = fileNames.map((name) => `${name}.gz`);

export const openFashionMnist: OpenDataset = async (_config, path, context) => {
  const folder = path ?? (await locate(context));
  const open = async (name: SplitName, prefix: 'train' | 't10k') => {
    const images = await readVerified(folder, `${prefix}-images-idx3-ubyte`);
    const labels = await readVerified(folder, `${prefix}-labels-idx1-ubyte`);
    return idxSplit(name, join(folder, `${prefix}-images-idx3-ubyte`), images, labels, fashionMnistClasses);
  };
  const [train, test] = await Promise.all([open('train', 'train'), open('test', 't10k')]);
  return {
    kind: 'fashion-mnist',
    path: folder,
    classes: fashionMnistClasses,
    train,
    validation: null,
    test,
  } satisfies Dataset;
};

async function readVerified(folder: string, name: FileName) {
  const path = join(folder, `${name}.gz`);
  if (!(await exists(path))) throw errors.dataUnreadable(folder, `${name}.gz is missing`);
  const array = await readIdx(path);
  if (array.sha256 !== files[name]) throw errors.checksumMismatch(`${path} (uncompressed)`, files[name], array.sha256);
  return array;
}

async function locate({ onProgress = () => {} }: OpenContext): Promise<string> {
  const cached = join(cacheFolder(), 'fashion-mnist');
  for (const folder of [installedFolder, cached]) if (await holdsAll(folder, archives)) return folder;
  const set = { kind: 'fashion-mnist', title: 'Fashion-MNIST (31 MB)', files: archives, origins, verify: verifyAll };
  return fetchInto(cached, set, onProgress);
}

async function verifyAll(folder: string): Promise<void> {
  for (const name of fileNames) await readVerified(folder, name);
}

const origins: FetchedFolder['origins'] = {
  "Debian's package": async (temporary) => join(await unpackDebianPackage(debianPackage, temporary), installedFolder),
  "the authors' server": async (temporary) => {
    const folder = join(temporary, 'files');
    await mkdir(folder);
    for (const name of fileNames)
      await downloadFile(`${authorsServer}/${name}.gz`, join(folder, `${name}.gz`), 64 * 2 ** 20);
    return folder;
  },
};
