import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLookRecord, lookFile, lookFolder, lookOfName, type LookRecord } from '../../protocol/lookRecord.ts';
import { runFiles } from '../../protocol/runFolder.ts';

export interface Look {
  folder: string;
  record: LookRecord;
}

/** The pictures of a run: of each step the newest look that is whole, by step. Looks that can't be read are passed over. */
export async function readLooks(runFolder: string): Promise<Look[]> {
  const parent = join(runFolder, runFiles.artifacts, lookFolder);
  let names: string[];
  try {
    names = await readdir(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const newestFirst = names
    .flatMap((name) => {
      const look = lookOfName(name);
      return look ? [{ name, ...look }] : [];
    })
    .sort((a, b) => b.time - a.time);
  const ofStep = new Map<number, Look>();
  for (const { name, step } of newestFirst) {
    if (ofStep.has(step)) continue;
    const folder = join(parent, name);
    const record = await readRecord(join(folder, lookFile));
    if (record) ofStep.set(step, { folder, record });
  }
  return [...ofStep.values()].sort((a, b) => a.record.step - b.record.step);
}

async function readRecord(path: string): Promise<LookRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isLookRecord(value) ? value : undefined;
  } catch (error) {
    // Of another version, or being made: it counts when it is whole.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
