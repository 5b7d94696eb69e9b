import type { ResolvedConfig } from '../../configs/schema.ts';

export type SlurmOptions = ResolvedConfig['runtime']['slurm'];

export interface JobPlan {
  /** Shown by `squeue`. */
  name: string;
  /** Runs to train, absolute; several make a job array, a task each in this order. */
  runIds: readonly string[];
  runsFolder: string;
  /** Node and the script, absolute. */
  simdino: readonly [string, string];
  workingFolder: string;
  /** What jobs print: `%j`, `%A` and `%a` are the job's, the array's and the task's number. */
  logPath: string;
  /** The MPI plug-in of `srun`; absent: the cluster's default. */
  mpi?: string;
  /** Tasks of an array at the same time; absent: no limit. */
  atOnce?: number;
}

/**
 * The text of a batch job that trains runs which are there already, from their newest checkpoint.
 *
 * A job always resumes: its first start finds no checkpoint and begins at step 0, and a start after pre-emption, a lost node or a time
 * limit goes on, with the same line. The processes that train are a step of the job (`srun`), however many they are: a cluster that
 * takes nodes back tells the steps, and not the script. SIGUSR1 comes before the time limit.
 */
export function jobScript(slurm: SlurmOptions, plan: JobPlan): string {
  const { name, runIds, runsFolder, simdino, workingFolder, logPath, mpi, atOnce } = plan;
  const isArray = runIds.length > 1;
  const limit = atOnce === undefined ? '' : `%${atOnce}`;
  const options = [
    `--job-name=${name}`,
    `--output=${quoted(logPath)}`,
    '--open-mode=append',
    '--requeue',
    // The ranks of mpirun are no step; it passes on what the script is told.
    `--signal=${usesMpirun(slurm) ? 'B:' : ''}USR1@${slurm.warnSeconds}`,
    `--chdir=${quoted(workingFolder)}`,
    `--ntasks=${slurm.ranks}`,
    ...(isArray ? [`--array=0-${runIds.length - 1}${limit}`] : []),
    ...(slurm.partition === undefined ? [] : [`--partition=${slurm.partition}`]),
    ...(slurm.account === undefined ? [] : [`--account=${slurm.account}`]),
    ...(slurm.time === undefined ? [] : [`--time=${slurm.time}`]),
    ...(slurm.cpus === undefined ? [] : [`--cpus-per-task=${slurm.cpus}`]),
    ...(slurm.memory === undefined ? [] : [`--mem=${slurm.memory}`]),
    ...(slurm.gpus > 0 ? [`--gpus-per-task=${slurm.gpus}`] : []),
    ...slurm.sbatch,
  ];
  const trainer = [...simdino, 'resume', '--here', '--runs-dir', runsFolder].map(quoted).join(' ');
  return [
    '#!/bin/bash',
    ...options.map((option) => `#SBATCH ${option}`),
    '',
    ...slurm.setup,
    // Processes that are left when another is lost get time to write their checkpoint.
    ...(usesMpirun(slurm) ? ['export OMPI_MCA_odls_base_sigkill_timeout=15'] : []),
    `runs=(${runIds.map(quoted).join(' ')})`,
    `exec ${starterOf(slurm, mpi)}${trainer} "\${runs[\${SLURM_ARRAY_TASK_ID:-0}]}"`,
    '',
  ].join('\n');
}

/** What starts the processes of a job. */
function starterOf(slurm: SlurmOptions, mpi: string | undefined): string {
  const { ranks, cpus } = slurm;
  if (usesMpirun(slurm)) return `mpirun -n ${ranks} `;
  const options = [
    `--ntasks=${ranks}`,
    // srun does not take the cores of a task from the job of itself.
    ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
    // One process has nobody to find; a plug-in could only fail.
    ...(ranks === 1 ? ['--mpi=none'] : mpi === undefined ? [] : [`--mpi=${mpi}`]),
    // A lost process is made known to the others at once, by SIGTERM.
    ...(ranks === 1 ? [] : ['--kill-on-bad-exit=1']),
  ];
  return `srun ${options.join(' ')} `;
}

function usesMpirun({ ranks, start }: SlurmOptions): boolean {
  return ranks > 1 && start === 'mpirun';
}

/** A word for the shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
