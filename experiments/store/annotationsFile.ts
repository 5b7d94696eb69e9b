import { join } from 'node:path';
import { errors } from '../../protocol/errors.ts';
import type { Annotations } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { asAnnotations } from './checkRecords.ts';
import { readJson } from './readJson.ts';
import { writeWhole } from './writeWhole.ts';

/**
 * Changes what people say about a run. The file is read right before, so that two windows change different things without
 * losing either, and replaced as a whole, so that nobody reads half of it. A value of undefined removes its key.
 *
 * @throws notesUnkept where the file can't be read, or can't be written
 */
export async function changeAnnotations(
  runFolder: string,
  changes: { [Key in keyof Annotations]: Annotations[Key] | undefined },
): Promise<Annotations> {
  const path = join(runFolder, runFiles.annotations);
  const file = await readJson(path);
  // A file that is no JSON is not overwritten: it may hold notes that a person can still rescue.
  if (file.kind === 'faulty') throw errors.notesUnkept(path, file.reason);
  const all = { ...asAnnotations(file.kind === 'value' ? file.value : undefined), ...changes };
  const annotations = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Annotations;
  await writeWhole(path, `${JSON.stringify(annotations, null, 2)}\n`, errors.notesUnkept);
  return annotations;
}
