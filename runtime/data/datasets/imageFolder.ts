/**
 * Folders of image files: `train/`, `val/` and `test/` where they exist, else the whole folder is the training split.
 *
 * A split's folder with sub-folders that hold images, and no image of its own, is a tree of classes (a class is a
 * sub-folder, in the order of code points, with everything below it); any other is a plain collection without labels.
 * Links are followed; each real folder is read once, so loops of links end.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, Split, SplitName } from '../dataset.ts';
import { filesSplit, packNames } from './files.ts';
import type { OpenDataset } from './registry.ts';
import { sharedLabels } from './shared.ts';

const imageFile = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif)$/i;

const splitFolders: Record<SplitName, readonly string[]> = {
  train: ['train', 'training'],
  validation: ['val', 'validation', 'valid'],
  test: ['test'],
};

export const openImageFolder: OpenDataset = async (_config, path) => {
  if (path === null) throw errors.dataPathNeeded('imagefolder', 'a folder of images, or of class folders');
  if (!(await stat(path)).isDirectory()) throw errors.dataUnreadable(path, 'it is not a folder');
  const names = await list(path);
  const open = async (name: SplitName): Promise<Split | null> => {
    const folder = names.folders.find((candidate) => splitFolders[name].includes(candidate.toLowerCase()));
    return folder === undefined ? null : openSplit(name, join(path, folder));
  };
  const train = (await open('train')) ?? (await openSplit('train', path));
  const isSplit = train.path !== path;
  const validation = isSplit ? await open('validation') : null;
  const test = isSplit ? await open('test') : null;
  for (const split of [validation, test])
    if (split?.classes && train.classes && split.classes.join('\n') !== train.classes.join('\n'))
      throw errors.dataUnreadable(split.path, `its class folders differ from those of ${train.path}`);
  return { kind: 'imagefolder', path, classes: train.classes, train, validation, test } satisfies Dataset;
};

async function openSplit(name: SplitName, path: string): Promise<Split> {
  const visited = new Set([await realpath(path)]);
  const top = await list(path);
  const byFolder: { folder: string; files: string[] }[] = [];
  for (const folder of top.folders) {
    const files: string[] = [];
    await collect(path, folder, visited, files);
    if (files.length > 0) byFolder.push({ folder, files });
  }
  const labelled = top.images.length === 0 && byFolder.length > 0;
  const files = [...top.images, ...byFolder.flatMap((part) => part.files)];
  if (files.length === 0) throw errors.dataEmpty(path, 'JPEG, PNG, WebP, GIF, TIFF or AVIF files');
  let labels_N: Int32Array<SharedArrayBuffer> | null = null;
  if (labelled) {
    labels_N = sharedLabels(files.length);
    labels_N.set(byFolder.flatMap((part, label) => part.files.map(() => label)));
  }
  return filesSplit({
    source: 'files',
    name,
    path,
    size: files.length,
    ...packNames(files),
    labels_N,
    classes: labelled ? byFolder.map((part) => part.folder) : null,
  });
}

/**
 * Appends the paths (relative to `root`) of all images below `root/folder`, depth first, each folder's own files first.
 */
async function collect(root: string, folder: string, visited: Set<string>, into: string[]): Promise<void> {
  const real = await realpath(join(root, folder));
  if (visited.has(real)) return;
  visited.add(real);
  const { images, folders } = await list(join(root, folder));
  for (const image of images) into.push(join(folder, image));
  for (const inner of folders) await collect(root, join(folder, inner), visited, into);
}

/**
 * Images and folders directly in a folder, in the order of code points; hidden entries and dangling links are left out.
 */
async function list(path: string): Promise<{ images: string[]; folders: string[] }> {
  const images: string[] = [];
  const folders: string[] = [];
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw errors.dataUnreadable(path, error instanceof Error ? error.message : String(error));
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => null) : entry;
    if (kind === null) continue;
    if (kind.isDirectory()) folders.push(entry.name);
    else if (kind.isFile() && imageFile.test(entry.name)) images.push(entry.name);
  }
  const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return { images: images.sort(byCodePoint), folders: folders.sort(byCodePoint) };
}
