/** Which files a `data.path` of shards means, and which split each belongs to. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { expandBraces, isShardPattern, patternFolder } from '../../../configs/shardPattern.ts';
import { errors } from '../../../protocol/errors.ts';
import { splitNames, type SplitName } from '../dataset.ts';

export interface ShardFiles {
  /** What the shards' names are relative to. */
  folder: string;
  /** Absolute paths by split, each in the order of code points; the training split is never empty. */
  bySplit: Record<SplitName, string[]>;
}

const splitWords: Record<SplitName, RegExp> = {
  train: /(^|[-_.])train(ing)?(?![a-z])/i,
  validation: /(^|[-_.])(val|valid|validation|dev)(?![a-z])/i,
  test: /(^|[-_.])test(ing)?(?![a-z])/i,
};
/** How far below the folder shards are looked for: `data/train/0000.parquet` is the deepest usual place. */
const searchedLevels = 3;

/**
 * Finds the shards of a file, a folder or a pattern, and sorts them into splits by a word of their name, or of a folder's
 * on the way to them: `train`, `val` or `validation`, `test`. Where nothing is called `train`, all of them are
 * the training split. `leftOut` takes files that belong to no split beside a training split.
 *
 * @throws dataEmpty, dataUnreadable (a member of `{0000..0003}` is missing)
 */
export async function findShards(
  path: string,
  extensions: RegExp,
  expected: string,
  leftOut: (path: string) => void = () => {},
): Promise<ShardFiles> {
  const exists = await stat(path).catch(() => null);
  if (exists?.isFile()) return { folder: dirname(path), bySplit: { train: [path], validation: [], test: [] } };
  const folder = exists === null ? patternFolder(path) : path;
  const files = exists === null ? await matching(path) : await listFiles(path, extensions, searchedLevels);
  if (files.length === 0) throw errors.dataEmpty(path, expected);
  const bySplit: ShardFiles['bySplit'] = { train: [], validation: [], test: [] };
  const unnamed: string[] = [];
  for (const file of files) {
    const words = relative(folder, file).split(sep).reverse();
    const split = splitNames.find((name) => words.some((word) => splitWords[name].test(word)));
    (split === undefined ? unnamed : bySplit[split]).push(file);
  }
  if (bySplit.train.length === 0) return { folder, bySplit: { train: files, validation: [], test: [] } };
  unnamed.forEach(leftOut);
  return { folder, bySplit };
}

/** The files that a pattern names. Braces name files that have to be there; `*` and `?` take what is there. */
async function matching(pattern: string): Promise<string[]> {
  const alternatives = isShardPattern(pattern) ? expandBraces(pattern) : [];
  if (alternatives === undefined) throw errors.dataUnreadable(pattern, 'its braces stand for more than 100,000 files');
  const found = new Set<string>();
  for (const alternative of alternatives) {
    if (/[*?]/.test(alternative)) {
      for (const file of await globbed(alternative)) found.add(file);
    } else if (await isFile(alternative)) found.add(alternative);
    else throw errors.dataUnreadable(alternative, `there is no such file, but ${basename(pattern)} names it`);
  }
  return [...found].sort(byCodePoint);
}

/** `*` and `?` within one level of the path. */
async function globbed(pattern: string): Promise<string[]> {
  const parts = pattern.split(/[/\\]/);
  let places = [patternFolder(pattern)];
  const known = relative('/', places[0]!) === '' ? 1 : places[0]!.split(/[/\\]/).length;
  for (const [index, part] of parts.slice(known).entries()) {
    const isLast = index === parts.length - known - 1;
    const expression = new RegExp(
      `^${part
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.')}$`,
    );
    const next: string[] = [];
    for (const place of places)
      for (const entry of await readdir(place).catch(() => []))
        if (expression.test(entry) && !entry.startsWith('.')) next.push(join(place, entry));
    places = isLast ? await filtered(next, isFile) : next;
  }
  return places;
}

async function listFiles(folder: string, extensions: RegExp, levels: number): Promise<string[]> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw errors.dataUnreadable(folder, error instanceof Error ? error.message : String(error));
  });
  const files: string[] = [];
  for (const entry of entries.filter((name) => !name.startsWith('.')).sort(byCodePoint)) {
    const path = join(folder, entry);
    const kind = await stat(path).catch(() => null);
    if (kind?.isFile() && extensions.test(entry)) files.push(path);
    else if (kind?.isDirectory() && levels > 1) files.push(...(await listFiles(path, extensions, levels - 1)));
  }
  return files;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

async function filtered(paths: readonly string[], keep: (path: string) => Promise<boolean>): Promise<string[]> {
  const kept = await Promise.all(paths.map(keep));
  return paths.filter((_, index) => kept[index]);
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
