import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import { recordVersion, type QueueEntryRecord } from '../../protocol/records.ts';
import { isRunId, queueFiles, queueFolder } from '../../protocol/runFolder.ts';
import { guard } from '../run/appendLines.ts';
import { formatResolvedConfig } from '../run/openRun.ts';
import { newRunId } from '../run/runId.ts';

export interface NewQueueEntry extends Pick<QueueEntryRecord, 'configSource' | 'parent' | 'createdAt'> {
  /** The run's name, or what one is to be made from. */
  id: string | { from: string };
  runsFolder: string;
  /** With absolute paths. */
  config: ResolvedConfig;
  /** Undefined: the one that the configuration's engine uses. */
  device: string | undefined;
}

/**
 * Puts a run into the queue, its configuration as it is now: later edits of the file change nothing.
 *
 * @throws runExists, runFolderUnwritable
 */
export function addToQueue({ id, runsFolder, config, device, ...rest }: NewQueueEntry): QueueEntryRecord {
  if (typeof id === 'string' && !isRunId(id))
    throw errors.usage(`'${id}' is not a run name: use letters, digits, '.', '_' and '-'.`);
  const entries = join(runsFolder, queueFolder, queueFiles.entries);
  return guard(entries, () => {
    // Written under another name first: a scheduler sees the whole of an entry or nothing.
    const partial = join(runsFolder, queueFolder, `adding-${randomUUID()}`);
    mkdirSync(entries, { recursive: true });
    mkdirSync(partial);
    try {
      writeFileSync(join(partial, queueFiles.config), formatResolvedConfig(config));
      for (const tried = new Set<string>(); ;) {
        const runId = typeof id === 'string' ? id : newRunId(runsFolder, id.from, new Date(rest.createdAt), tried);
        const record: QueueEntryRecord = {
          version: recordVersion,
          runId,
          device: device ?? deviceOf(config),
          workingFolder: process.cwd(),
          ...rest,
        };
        writeFileSync(join(partial, queueFiles.record), `${JSON.stringify(record, null, 2)}\n`);
        try {
          renameSync(partial, join(entries, runId));
          return record;
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
          if (typeof id === 'string')
            throw errors.runExists(join(entries, id), 'a run of that name waits in the queue');
          tried.add(runId);
        }
      }
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  });
}

/** The device whose limit a run counts against: the GPU for engines that need one, else the processor. */
export function deviceOf({ runtime }: Pick<ResolvedConfig, 'runtime'>): string {
  return runtime.engine === 'webgpu' || runtime.engine === 'dawn' || runtime.engine === 'tensorflow' ? 'gpu' : 'cpu';
}
