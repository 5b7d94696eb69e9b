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
import type { Dataset, LeftOut, Split, SplitName } from '../dataset.ts';
import { filesSplit, packNames } from './files.ts';
import type { OpenDataset } from './registry.ts';
import { sharedLabels } from './shared.ts';

const imageFile = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif)$/i;
const readable = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';
const reasons = { extension: `not named as ${readable}`, dangling: 'links to nothing' } as const;
type Reason = keyof typeof reasons;

/** Counts what is passed over. */
class Passed {
  readonly #counts = new Map<Reason, LeftOut>();

  add(reason: Reason, path: string): void {
    const counted = this.#counts.get(reason);
    if (counted) counted.files++;
    else this.#counts.set(reason, { reason: reasons[reason], files: 1, first: path });
  }

  get all(): LeftOut[] {
    return (Object.keys(reasons) as Reason[]).flatMap((reason) => this.#counts.get(reason) ?? []);
  }
}

const splitFolders: Record<SplitName, readonly string[]> = {
  train: ['train', 'training'],
  validation: ['val', 'validation', 'valid'],
  test: ['test'],
};

export const openImageFolder: OpenDataset = async (_config, path) => {
  if (path === null) throw errors.dataPathNeeded('imagefolder', 'a folder of images, or of class folders');
  if (!(await stat(path)).isDirectory()) throw errors.dataUnreadable(path, 'it is not a folder');
  const passed = new Passed();
  const names = await list(path, new Passed());
  const open = async (name: SplitName): Promise<Split | null> => {
    const folder = names.folders.find((candidate) => splitFolders[name].includes(candidate.toLowerCase()));
    return folder === undefined ? null : openSplit(name, join(path, folder), passed);
  };
  const train = (await open('train')) ?? (await openSplit('train', path, passed));
  const isSplit = train.path !== path;
  const validation = isSplit ? await open('validation') : null;
  const test = isSplit ? await open('test') : null;
  for (const split of [validation, test])
    if (split?.classes && train.classes && split.classes.join('\n') !== train.classes.join('\n'))
      throw errors.dataUnreadable(split.path, `its class folders differ from those of ${train.path}`);
  const { classes } = train;
  return { kind: 'imagefolder', path, classes, train, validation, test, leftOut: passed.all } satisfies Dataset;
};

async function openSplit(name: SplitName, path: string, passed: Passed): Promise<Split> {
  const visited = new Set([await realpath(path)]);
  const top = await list(path, passed);
  const byFolder: { folder: string; files: string[] }[] = [];
  for (const folder of top.folders) {
    const files: string[] = [];
    await collect({ root: path, visited, passed, files }, folder);
    if (files.length > 0) byFolder.push({ folder, files });
  }
  const labelled = top.images.length === 0 && byFolder.length > 0;
  const files = [...top.images, ...byFolder.flatMap((part) => part.files)];
  if (files.length === 0) throw errors.dataEmpty(path, `${readable} files`);
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

interface Collection {
  root: string;
  /** Real folders that have been read. */
  visited: Set<string>;
  passed: Passed;
  /** Where the images' paths go, relative to `root`. */
  files: string[];
}

/** Appends the paths of all images below `root/folder`, depth first, each folder's own files first. */
async function collect(collection: Collection, folder: string): Promise<void> {
  const { root, visited, passed, files } = collection;
  const real = await realpath(join(root, folder));
  if (visited.has(real)) return;
  visited.add(real);
  const { images, folders } = await list(join(root, folder), passed);
  for (const image of images) files.push(join(folder, image));
  for (const inner of folders) await collect(collection, join(folder, inner));
}

/** Images and folders directly in a folder, in the order of code points; hidden entries are no part of it. */
async function list(path: string, passed: Passed): Promise<{ images: string[]; folders: string[] }> {
  const images: string[] = [];
  const folders: string[] = [];
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw errors.dataUnreadable(path, error instanceof Error ? error.message : String(error));
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => null) : entry;
    if (kind === null) passed.add('dangling', join(path, entry.name));
    else if (kind.isDirectory()) folders.push(entry.name);
    else if (kind.isFile() && imageFile.test(entry.name)) images.push(entry.name);
    else passed.add('extension', join(path, entry.name));
  }
  return { images, folders };
}
