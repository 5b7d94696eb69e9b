import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { derive } from '../../configs/derive.ts';
import { errors } from '../../protocol/errors.ts';
import { checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { flattenConfig } from '../../experiments/flattenConfig.ts';
import { networkChanges } from '../../experiments/networkChanges.ts';
import { loadCheckpoint } from '../checkpoint/checkpoint.ts';
import { createRun, readTrainedRun, type NewRun, type OpenRun } from './openRun.ts';

/**
 * Makes a new run that goes on from a checkpoint of another one with a changed configuration.
 *
 * The checkpoint becomes the new run's first, so that it stands on its own: the parent may be deleted, and a crash before the next
 * checkpoint resumes from here. Its optimiser's moments come along; schedules are those of the new configuration at that step.
 *
 * @throws runMissing, runImported, checkpointCorrupt; usage when there is no such checkpoint, the configuration has another network, or fewer steps
 */
export async function forkRun(run: NewRun & { parent: { id: string; step: number } }): Promise<OpenRun> {
  const { id: parentId, step } = run.parent;
  const parent = readTrainedRun(run.runsFolder, parentId);
  const name = checkpointName(step);
  const checkpoint = join(parent.folder, runFiles.checkpoints, name);
  if (!existsSync(checkpoint))
    throw errors.usage(
      `Run '${parentId}' has no checkpoint at step ${step}; \`simdino checkpoints ${parentId}\` lists them.`,
    );
  const changed = networkChanges(flattenConfig(parent.config), flattenConfig(run.config));
  if (changed.length > 0)
    throw errors.usage(
      `A run with another ${changed.join(', ')} can't go on from a checkpoint of '${parentId}'; fork it at step 0.`,
    );
  const { state } = await loadCheckpoint(checkpoint);
  const { totalSteps } = derive(run.config, { trainImages: run.trainImages });
  if (step >= totalSteps)
    throw errors.usage(`The checkpoint is at step ${step}, and the new run ends at ${totalSteps}.`);
  const opened = createRun(run);
  adopt(checkpoint, join(opened.folder, runFiles.checkpoints), name);
  return { ...opened, resume: { attempt: null, step, state } };
}

/** A checkpoint's files are never written again, so a second name for them is as good as a copy. */
function adopt(checkpoint: string, folder: string, name: string): void {
  const partial = join(folder, `${name}.partial-${process.pid}`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  for (const file of readdirSync(checkpoint)) {
    try {
      linkSync(join(checkpoint, file), join(partial, file));
    } catch {
      copyFileSync(join(checkpoint, file), join(partial, file)); // another disk, or a file system without links
    }
  }
  renameSync(partial, join(folder, name));
}
