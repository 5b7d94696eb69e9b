/** Data sets that are fetched once into the cache folder: all files of a set or none, verified before they count. */
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';

export interface FetchedFolder {
  /** `data.kind`, for messages. */
  kind: string;
  /** Name and size, for the sentence on what is being fetched. */
  title: string;
  /** Names of the files that make the folder complete. */
  files: readonly string[];
  /** Fetches the files somewhere under `temporary` and gives their folder; by the name of the place, in order of trial. */
  origins: Readonly<Record<string, (temporary: string) => Promise<string>>>;
  /** Throws where the files are not what they should be. */
  verify: (folder: string) => Promise<void>;
}

/**
 * Fetches into a temporary folder beside the target, verifies, and renames: whoever opens the cache sees all or
 * nothing, and of several processes that fetch at once the first to finish wins.
 *
 * @throws datasetDownloadFailed with what each origin said
 */
export async function fetchInto(
  target: string,
  set: FetchedFolder,
  onProgress: (message: string) => void,
): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = await mkdtemp(`${target}.partial-`);
  try {
    const reasons: string[] = [];
    for (const [origin, fetchTo] of Object.entries(set.origins)) {
      onProgress(`Fetching ${set.title} from ${origin}`);
      try {
        const folder = await fetchTo(temporary);
        await set.verify(folder);
        await replaceFolder(folder, target, set.files);
        return target;
      } catch (error) {
        reasons.push(`${origin}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw errors.datasetDownloadFailed(set.kind, reasons.join('; '));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Whether a folder holds all of these files. */
export async function holdsAll(folder: string, files: readonly string[]): Promise<boolean> {
  return (await Promise.all(files.map((name) => exists(join(folder, name))))).every(Boolean);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Moves `folder` to `target`; where another process put a whole one there meanwhile, that one stays. */
async function replaceFolder(folder: string, target: string, files: readonly string[]): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    if (await holdsAll(target, files)) return;
    // What lies there is neither complete nor being filled (filling happens elsewhere): an interrupted deletion.
    if (!(await exists(target))) throw error;
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
  }
}
