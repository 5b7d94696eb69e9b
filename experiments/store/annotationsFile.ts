import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asAnnotations } from '../../experiments/store/checkRecords.ts';
import { readJson } from '../../experiments/store/readJson.ts';
import type { Annotations } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';

/**
 * Changes what people say about a run. The file is read right before, so that two windows change different things without
 * losing either, and replaced as a whole, so that nobody reads half of it. A value of undefined removes its key.
 */
export async function changeAnnotations(
  runFolder: string,
  changes: { [Key in keyof Annotations]: Annotations[Key] | undefined },
): Promise<Annotations> {
  const path = join(runFolder, runFiles.annotations);
  const file = await readJson(path);
  // A file that is no JSON is not overwritten: it may hold notes that a person can still rescue.
  if (file.kind === 'faulty') throw new Error(`${path}: ${file.reason}`);
  const all = { ...asAnnotations(file.kind === 'value' ? file.value : undefined), ...changes };
  const annotations = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Annotations;
  await writeWhole(path, `${JSON.stringify(annotations, null, 2)}\n`);
  return annotations;
}

/** Writes a file so that readers see the old or the new content, never a part. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
