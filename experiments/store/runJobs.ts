import { join } from 'node:path';
import { runFiles } from '../../protocol/runFolder.ts';
import type { JobRecord } from '../../protocol/records.ts';
import type { JobState } from '../jobState.ts';
import { cancelJobs, slurmQueue, type SlurmQueue } from './slurmQueue.ts';
import { readJsonLines } from './tailJsonLines.ts';

/** The jobs that a run (or a sweep) was given to, oldest first; none where it was started otherwise. */
export async function readJobs(folder: string): Promise<JobRecord[]> {
  const { lines } = await readJsonLines(join(folder, runFiles.jobs));
  return lines.flatMap((line) => {
    const { scheduler, job, submittedAt, by } = line;
    if (scheduler !== 'slurm' || typeof job !== 'string' || !/^\d+(_\d+)?$/.test(job)) return [];
    return [{ scheduler, job, submittedAt: String(submittedAt), by: String(by) }];
  });
}

/** What the cluster says of the last job of a run; undefined for a run that was given to none. */
export async function lastJobState(
  folder: string,
  queue: SlurmQueue = slurmQueue,
): Promise<{ record: JobRecord; state: JobState } | undefined> {
  const record = (await readJobs(folder)).at(-1);
  return record && { record, state: await queue.stateOf(record) };
}

/** Takes a run back that waits for its cluster; false when it does not wait, and is to be asked through its folder. */
export async function cancelWaitingJob(folder: string): Promise<boolean> {
  const last = await lastJobState(folder);
  if (last?.state.phase !== 'waiting') return false;
  await cancelJobs([last.record.job]);
  return true;
}

/**
 * Pauses or cancels a sweep that a cluster works on: cells that wait are taken back, and with `stop` those that train write a checkpoint
 * and end.
 *
 * @returns false for a sweep that has a scheduler of its own
 */
export async function controlSweepJobs(sweepFolder: string, action: 'pause' | 'stop'): Promise<boolean> {
  const jobs = await readJobs(sweepFolder);
  if (jobs.length === 0) return false;
  slurmQueue.refresh();
  for (const record of jobs) {
    const { job } = record;
    const { phase } = await slurmQueue.stateOf(record);
    if (phase === 'waiting' || phase === 'working')
      await cancelJobs(action === 'pause' ? ['--state=PENDING', job] : [job]);
  }
  return true;
}
