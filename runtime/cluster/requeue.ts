import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The signal by which a batch job is told that its time is nearly over (see jobScript.ts). */
export const preemptionSignal = 'SIGUSR1';

/** The job that this process is the trainer of; undefined outside of a cluster. */
export function ownJob(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment['SLURM_JOB_ID'];
}

/**
 * Puts the own job into the queue again, where it resumes from the checkpoint just written. The last thing that a trainer does: the
 * cluster ends the job for it.
 *
 * @throws Error of the system or of the cluster
 */
export async function requeueOwnJob(environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const job = ownJob(environment);
  if (job !== undefined) await promisify(execFile)('scontrol', ['requeue', job], { timeout: 60_000 });
}
