import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { errors } from '../../protocol/errors.ts';

/**
 * Writes a file so that readers see the old or the new content, never a part.
 *
 * @throws what `unwritten` makes of the reason: fileUnwritten, if nothing else is given
 */
export async function writeWhole(
  path: string,
  text: string,
  unwritten: (path: string, reason: string) => Error = errors.fileUnwritten,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritten(path, (error as Error).message);
  }
}
