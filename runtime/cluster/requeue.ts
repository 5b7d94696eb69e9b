import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errors } from '../../protocol/errors.ts';

/** The signal by which a job is told that its time is nearly over (see jobScript.ts). */
export const preemptionSignal = 'SIGUSR1';

type Environment = NodeJS.ProcessEnv;

/**
 * The job that this process is the trainer of; undefined outside of a cluster. A task of a job array is named by the array's number
 * and its own: the number of its last task is that of the whole array.
 */
export function ownJob(environment: Environment = process.env): string | undefined {
  const array = environment['SLURM_ARRAY_JOB_ID'];
  const task = environment['SLURM_ARRAY_TASK_ID'];
  return array !== undefined && task !== undefined ? `${array}_${task}` : environment['SLURM_JOB_ID'];
}

/**
 * Whether SIGTERM came because a job of higher priority takes the nodes. It comes also when somebody cancels the job, which must not be
 * queued again then.
 *
 * @throws clusterUnavailable
 */
export async function isPreempted(environment: Environment = process.env): Promise<boolean> {
  const job = ownJob(environment);
  if (job === undefined) return false;
  const said = await scontrol(['show', 'job', job]).catch((error: unknown) => {
    throw errors.clusterUnavailable('scontrol', (error as Error).message.trim());
  });
  return isPreemptedIn(said);
}

/** The same, from what `scontrol show job` says. */
export function isPreemptedIn(text: string): boolean {
  const at = /\bPreemptTime=(\S+)/.exec(text)?.[1];
  return /\bJobState=RUNNING\b/.test(text) && at !== undefined && at !== 'None';
}

/**
 * Puts the own job into the queue again, where it resumes from the checkpoint just written. The last thing that a trainer does: the
 * cluster ends the job for it.
 *
 * @throws requeueRefused
 */
export async function requeueOwnJob(environment: Environment = process.env): Promise<void> {
  const job = ownJob(environment);
  if (job === undefined) return;
  await scontrol(['requeue', job]).catch((error: unknown) => {
    throw errors.requeueRefused(job, (error as Error).message.trim());
  });
}

async function scontrol(args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('scontrol', args, { timeout: 60_000 });
  return stdout;
}
