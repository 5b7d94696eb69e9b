/**
 * What a SLURM cluster says of jobs: `squeue --json` for those that wait or work, `sacct` for those that ended. Both are asked as
 * seldom as possible: one answer serves all runs of a look, and a job that ended is not asked about again.
 */
import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import type { JobRecord } from '../../protocol/records.ts';
import type { JobState } from '../jobState.ts';

/** Asks a command of SLURM; rejects when it can't be run. */
export type AskSlurm = (command: 'squeue' | 'sacct' | 'scancel', args: string[]) => Promise<string>;

const run = promisify(execFile);
const askSlurm: AskSlurm = async (command, args) => {
  const { stdout } = await run(command, args, { timeout: 15_000, maxBuffer: 64 * 2 ** 20 });
  return stdout;
};

/** A job by its number, or a task of a job array by the array's number and its own: `17` or `17_3`. */
export type JobName = string;

/** An answer of `squeue` holds for this long. */
const freshMs = 1500;
/** Without an answer, the next question waits: where there is no cluster, none is looked for at every look. */
const retryMs = 30_000;
/** A job that was submitted so shortly before the queue was listed may be missing in it; clocks of hosts differ a little. */
const settledMs = 5000;

export class SlurmQueue {
  #ended = new Map<JobName, JobState>();
  #listing: Promise<Map<JobName, JobState> | undefined> | undefined;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listedAtUnixMs = 0;
  #failed = false;

  constructor(
    private readonly ask: AskSlurm = askSlurm,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly unixMs: () => number = () => Date.now(),
  ) {}

  /** A job that is missing in an answer older than itself has not ended: nothing is known of it yet. */
  async stateOf({ job, submittedAt }: Pick<JobRecord, 'job' | 'submittedAt'>): Promise<JobState> {
    const known = this.#ended.get(job);
    if (known) return known;
    const listing = await this.#list();
    if (!listing) return unknown;
    const listed = listing.get(job) ?? pendingTask(listing, job) ?? wholeArray(listing, job);
    if (!listed && this.#listedAtUnixMs < Date.parse(submittedAt) + settledMs) return unknown;
    const state = listed ?? (await this.#accountOf(job));
    if (state.phase === 'ended') this.#ended.set(job, state);
    return state;
  }

  /** Forgets answers: something was just submitted or cancelled. */
  refresh(): void {
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    this.#failed = false;
  }

  #list(): Promise<Map<JobName, JobState> | undefined> {
    const ageMs = this.nowMs() - this.#listedAtMs;
    if (this.#listing && ageMs < (this.#failed ? retryMs : freshMs)) return this.#listing;
    this.#listedAtMs = this.nowMs();
    this.#listedAtUnixMs = this.unixMs();
    this.#listing = this.ask('squeue', ['--json']).then(
      (text) => {
        this.#failed = false;
        return jobsOf(text);
      },
      () => {
        // No cluster here, or it does not answer: the run folders speak alone.
        this.#failed = true;
        return undefined;
      },
    );
    return this.#listing;
  }

  /** A job that the queue has forgotten has ended; how, accounting may know. */
  async #accountOf(job: JobName): Promise<JobState> {
    const text = await this.ask('sacct', ['-n', '-P', '-X', '-j', job, '--format=State'])
      .catch(() => this.ask('sacct', ['-c', '-n', '-P', '-j', job.split('_')[0]!, '--format=JobID,State']))
      .catch(() => ''); // no accounting on this cluster
    const word = text.trim().split('\n').at(-1)?.split('|').at(-1)?.trim() ?? '';
    return { phase: 'ended', reason: word === '' ? 'gone' : word, startedMs: null };
  }
}

const unknown: JobState = { phase: 'unknown', reason: '', startedMs: null };

/** The jobs of `squeue --json`, by name. Older versions write plain values where newer ones write `{set, number}` and lists. */
export function jobsOf(text: string): Map<JobName, JobState> {
  const { jobs = [] } = JSON.parse(text) as { jobs?: Record<string, unknown>[] };
  const states = new Map<JobName, JobState>();
  for (const job of jobs) {
    const state = stateOfJob(job);
    const array = numberOf(job['array_job_id']);
    const task = numberOf(job['array_task_id']);
    if (array && task !== null) states.set(`${array}_${task}`, state);
    else states.set(String(numberOf(job['job_id'])), state);
    // Tasks that wait are one job, with their numbers as a text.
    const waiting = job['array_task_string'];
    if (typeof waiting === 'string') for (const index of tasksOf(waiting)) states.set(`${array}_${index}`, state);
  }
  return states;
}

/** A long list of waiting tasks is cut off in the answer; a task of an array that waits as a whole waits too. */
function pendingTask(listing: ReadonlyMap<JobName, JobState>, job: JobName): JobState | undefined {
  const [array, task] = job.split('_');
  const whole = task === undefined ? undefined : listing.get(array!);
  return whole?.phase === 'waiting' ? whole : undefined;
}

/** An array works while any of its tasks does, and waits while any waits. */
function wholeArray(listing: ReadonlyMap<JobName, JobState>, job: JobName): JobState | undefined {
  if (job.includes('_')) return undefined;
  const tasks = [...listing].filter(([name]) => name.startsWith(`${job}_`)).map(([, state]) => state);
  const order = ['working', 'waiting', 'leaving', 'ended'] as const;
  return order.map((phase) => tasks.find((task) => task.phase === phase)).find((task) => task !== undefined);
}

const phases: Record<string, JobState['phase']> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_FED: 'waiting',
  REQUEUE_HOLD: 'waiting',
  SPECIAL_EXIT: 'waiting',
  RESV_DEL_HOLD: 'waiting',
  RUNNING: 'working',
  SUSPENDED: 'working',
  RESIZING: 'working',
  SIGNALING: 'working',
  STAGE_OUT: 'leaving',
  STOPPED: 'leaving',
  COMPLETING: 'leaving',
};

function stateOfJob(job: Record<string, unknown>): JobState {
  const words = [job['job_state']].flat().filter((word): word is string => typeof word === 'string');
  const phase = words.map((word) => phases[word] ?? 'ended');
  const why = typeof job['state_reason'] === 'string' && job['state_reason'] !== 'None' ? job['state_reason'] : '';
  const reason = why === '' ? words.join(' ') : `${words.join(' ')} (${why})`;
  // `[PENDING, REQUEUED]`, `[RUNNING, COMPLETING]`: the later phase of a job that is not over counts.
  const order = ['waiting', 'leaving', 'working', 'ended'] as const;
  const started = numberOf(job['start_time']);
  const found = order.find((one) => phase.includes(one)) ?? 'unknown';
  return { phase: found, reason, startedMs: found === 'waiting' || !started ? null : 1000 * started };
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return null;
  const { set, number } = value as { set?: boolean; number?: number };
  return set && typeof number === 'number' ? number : null;
}

/** `0-2,5%2` -> 0, 1, 2, 5. */
function tasksOf(text: string): number[] {
  return text
    .replace(/%.*$/, '')
    .split(',')
    .flatMap((part) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
      if (!match) return [];
      const first = Number(match[1]);
      const last = Number(match[2] ?? match[1]);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Ends jobs. Those that train get SIGTERM first and write a checkpoint. */
export async function cancelJobs(jobs: readonly JobName[], ask: AskSlurm = askSlurm): Promise<void> {
  if (jobs.length > 0) await ask('scancel', [...jobs]);
  slurmQueue.refresh();
}

/** The cluster that this machine belongs to, one for all readers. */
export const slurmQueue = new SlurmQueue();
