import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isMissing } from '../../experiments/store/tailJsonLines.ts';
import { attemptFiles, runFiles } from '../../protocol/runFolder.ts';

/** The files of a run that its numbers follow from, by their path in its folder, sorted. Checkpoints are not among them. */
export async function evidenceOf(runFolder: string): Promise<string[]> {
  const paths: string[] = [runFiles.record, runFiles.config, runFiles.dirtyDiff];
  for (const attempt of await namesIn(join(runFolder, runFiles.attempts)))
    for (const file of [attemptFiles.record, attemptFiles.metrics, attemptFiles.events])
      paths.push(`${runFiles.attempts}/${attempt}/${file}`);
  for (const name of await namesIn(join(runFolder, runFiles.evaluations)))
    if (name.endsWith('.jsonl')) paths.push(`${runFiles.evaluations}/${name}`);
  const there = await Promise.all(paths.map((path) => isFile(join(runFolder, path))));
  return paths.filter((_, i) => there[i]).sort();
}

export async function checksum(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
