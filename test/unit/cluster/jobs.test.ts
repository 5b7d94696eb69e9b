import { describe, expect, test } from 'vitest';
import { mergeJobState, type JobState } from '../../../experiments/jobState.ts';
import { jobsOf, SlurmQueue } from '../../../experiments/store/slurmQueue.ts';
import { jobScript } from '../../../runtime/cluster/jobScript.ts';
import { isPreemptedIn, ownJob } from '../../../runtime/cluster/requeue.ts';
import { mpiPlugin } from '../../../runtime/cluster/mpiPlugin.ts';
import { readConfigFile } from '../../../runtime/configFile.ts';

const job = (phase: JobState['phase'], reason = '', startedMs: number | null = null): JobState => ({
  phase,
  reason,
  startedMs,
});

describe('the state of a run and of its job made one', () => {
  test.each([
    // What the folder says, what the cluster says, when the last attempt was opened, and what comes of it.
    ['finished', job('working'), 5, 'finished'],
    ['starting', job('waiting'), null, 'queued'],
    ['stopped', job('waiting', 'PENDING (BeginTime)'), 5, 'queued'],
    ['crashed', job('waiting'), 5, 'queued'],
    ['crashed', job('working'), null, 'starting'],
    ['running', job('working'), 5, 'running'],
    ['stopping', job('working'), 5, 'stopping'],
    ['stale', job('working'), 5, 'running'],
    ['stopped', job('working', 'RUNNING', 100_000), 20_000, 'starting'],
    ['stopped', job('working', 'RUNNING', 100_000), 101_000, 'stopped'],
    ['running', job('leaving'), 5, 'stopping'],
    ['stale', job('ended', 'NODE_FAIL'), 5, 'crashed'],
    ['running', job('ended', 'TIMEOUT'), 5, 'crashed'],
    ['failed', job('ended', 'FAILED'), 5, 'failed'],
    ['starting', job('ended', 'CANCELLED by 0'), null, 'stopped'],
    ['starting', job('ended', 'FAILED'), null, 'crashed'],
    ['stale', job('unknown'), 5, 'stale'],
  ] as const)('%s with a job that is %o, attempt at %s: %s', (folder, state, attemptedMs, expected) => {
    expect(mergeJobState(folder, state, { attemptedMs })).toBe(expected);
  });
});

test('squeue\u2019s JSON, as older and newer versions write it', () => {
  const older = {
    jobs: [
      {
        job_id: 3,
        array_job_id: 1,
        array_task_id: 0,
        array_task_string: '',
        job_state: 'RUNNING',
        state_reason: 'None',
        start_time: 100,
      },
      {
        job_id: 1,
        array_job_id: 1,
        array_task_id: null,
        array_task_string: '2-3,5%2',
        job_state: 'PENDING',
        state_reason: 'JobArrayTaskLimit',
      },
      {
        job_id: 2,
        array_job_id: 0,
        array_task_id: null,
        array_task_string: '',
        job_state: 'COMPLETING',
        state_reason: 'None',
      },
    ],
  };
  const states = jobsOf(JSON.stringify(older));
  expect(states.get('1_0')).toEqual({ phase: 'working', reason: 'RUNNING', startedMs: 100_000 });
  for (const task of ['1_2', '1_3', '1_5'])
    expect(states.get(task)).toMatchObject({ phase: 'waiting', reason: 'PENDING (JobArrayTaskLimit)' });
  expect(states.get('1_4')).toBeUndefined();
  expect(states.get('2')?.phase).toBe('leaving');
  const newer = {
    jobs: [
      {
        job_id: 9,
        array_job_id: { set: true, infinite: false, number: 7 },
        array_task_id: { set: true, infinite: false, number: 1 },
        job_state: ['RUNNING', 'COMPLETING'],
        state_reason: 'None',
        start_time: { set: true, infinite: false, number: 100 },
      },
      {
        job_id: 8,
        array_job_id: { set: true, infinite: false, number: 0 },
        array_task_id: { set: false, infinite: false, number: 0 },
        job_state: ['PENDING', 'REQUEUED'],
        state_reason: 'BeginTime',
      },
    ],
  };
  expect(jobsOf(JSON.stringify(newer)).get('7_1')?.phase).toBe('leaving');
  expect(jobsOf(JSON.stringify(newer)).get('8')).toMatchObject({
    phase: 'waiting',
    reason: 'PENDING REQUEUED (BeginTime)',
  });
});

test('one question serves many runs, an ended job is not asked about again, and a missing cluster seldom', async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const queue = new SlurmQueue(
    async (command) => {
      asked.push(command);
      return command === 'squeue' ? '{"jobs": []}' : 'NODE_FAIL\n';
    },
    () => nowMs,
    () => Date.parse('2026-01-31T12:00:00Z'),
  );
  const jobs = ['1', '2', '3'].map((job) => ({ job, submittedAt: '2026-01-31T11:00:00Z' }));
  const justNow = { job: '4', submittedAt: '2026-01-31T12:00:01Z' };
  await Promise.all(jobs.map((job) => queue.stateOf(job)));
  expect((await queue.stateOf(justNow)).phase).toBe('unknown');
  expect(asked).toEqual(['squeue', 'sacct', 'sacct', 'sacct']);
  nowMs = 60_000;
  expect(await queue.stateOf(jobs[1]!)).toEqual({ phase: 'ended', reason: 'NODE_FAIL', startedMs: null });
  expect(asked).toHaveLength(4);

  let tries = 0;
  const nowhere = new SlurmQueue(
    async () => {
      tries++;
      throw new Error('spawn squeue ENOENT');
    },
    () => nowMs,
  );
  for (const atMs of [0, 1000, 2000, 29_000, 31_000]) {
    nowMs = atMs;
    expect((await nowhere.stateOf(jobs[0]!)).phase).toBe('unknown');
  }
  expect(tries).toBe(2);
});

test('the batch script of a job array over several processes', () => {
  const { config } = readConfigFile('tiny', {});
  const slurm = {
    ...config.runtime.slurm,
    partition: 'gpu',
    account: 'vision',
    time: '2-00:00',
    gpus: 1,
    cpus: 8,
    ranks: 4,
    sbatch: ['--constraint=a100'],
    setup: ['module load node/20'],
  };
  const plan = {
    name: 'grid',
    runIds: ['grid-1', 'grid-2'],
    runsFolder: '/shared/my runs',
    simdino: ['/usr/bin/node', '/opt/simdino.mjs'] as const,
    workingFolder: '/shared',
    logPath: '/shared/job-%A_%a.log',
    mpi: 'pmi2',
    atOnce: 2,
  };
  expect(jobScript(slurm, plan)).toMatchInlineSnapshot(`
    "#!/bin/bash
    #SBATCH --job-name=grid
    #SBATCH --output=/shared/job-%A_%a.log
    #SBATCH --open-mode=append
    #SBATCH --requeue
    #SBATCH --signal=USR1@120
    #SBATCH --chdir=/shared
    #SBATCH --ntasks=4
    #SBATCH --array=0-1%2
    #SBATCH --partition=gpu
    #SBATCH --account=vision
    #SBATCH --time=2-00:00
    #SBATCH --cpus-per-task=8
    #SBATCH --gpus-per-task=1
    #SBATCH --constraint=a100

    module load node/20
    runs=(grid-1 grid-2)
    exec srun --ntasks=4 --cpus-per-task=8 --mpi=pmi2 --kill-on-bad-exit=1 /usr/bin/node /opt/simdino.mjs resume --here --runs-dir '/shared/my runs' "\${runs[\${SLURM_ARRAY_TASK_ID:-0}]}"
    "
  `);
});

test('one process is a step too; mpirun is told by way of the script', () => {
  const { slurm } = readConfigFile('tiny', {}).config.runtime;
  const plan = {
    name: 'one',
    runIds: ['one'],
    runsFolder: '/runs',
    simdino: ['/usr/bin/node', '/opt/simdino.mjs'] as const,
    workingFolder: '/shared',
    logPath: '/shared/job-%j.log',
  };
  const alone = jobScript({ ...slurm, cpus: 4 }, plan);
  expect(alone).toContain('\nexec srun --ntasks=1 --cpus-per-task=4 --mpi=none /usr/bin/node /opt/simdino.mjs resume');
  expect(alone).toContain('\n#SBATCH --signal=USR1@120\n');
  const byMpirun = jobScript({ ...slurm, ranks: 2, start: 'mpirun' }, plan);
  expect(byMpirun).toContain('\nexec mpirun -n 2 /usr/bin/node');
  expect(byMpirun).toContain('\n#SBATCH --signal=B:USR1@120\n');
  expect(byMpirun).toContain('\nexport OMPI_MCA_odls_base_sigkill_timeout=15\n');
});

test('a task of a job array is called by the array and its place: the last has the number of the whole array', () => {
  expect(ownJob({ SLURM_JOB_ID: '17', SLURM_ARRAY_JOB_ID: '17', SLURM_ARRAY_TASK_ID: '3' })).toBe('17_3');
  expect(ownJob({ SLURM_JOB_ID: '17' })).toBe('17');
  expect(ownJob({})).toBeUndefined();
});

test('a job that is cancelled is not taken for one whose nodes another job takes', () => {
  const said = (state: string, at: string) =>
    `JobId=1 JobName=one\n   JobState=${state} Reason=None\n   PreemptEligibleTime=2026-01-31T00:25:26 PreemptTime=${at}\n`;
  expect(isPreemptedIn(said('RUNNING', '2026-01-31T00:25:29'))).toBe(true);
  expect(isPreemptedIn(said('RUNNING', 'None'))).toBe(false);
  expect(isPreemptedIn(said('CANCELLED', 'None'))).toBe(false);
  expect(isPreemptedIn('JobId=1 JobName=one\n   JobState=COMPLETING\n')).toBe(false);
});

describe('the MPI plug-in of srun', () => {
  const newer =
    'MPI plugin types are...\n\tpmix\n\tnone\n\tcray_shasta\n\tpmi2\nspecific pmix plugin versions available: pmix_v4\n';
  const older = 'srun: MPI types are...\nsrun: none\nsrun: pmi2\n';
  const bare = 'MPI plugin types are...\n\tnone\n';
  const cluster = (list: string, preset: string) => (command: 'srun' | 'scontrol') =>
    Promise.resolve(command === 'srun' ? list : `MessageTimeout = 10 sec\nMpiDefault              = ${preset}\n`);

  test.each([
    ['auto', newer, 'none', 'pmix'],
    ['auto', older, 'none', 'pmi2'],
    // The cluster's own choice holds.
    ['auto', newer, 'pmi2', undefined],
    ['pmi2', newer, 'pmix', 'pmi2'],
    ['pmix_v4', newer, 'none', 'pmix_v4'],
  ])('%s: of %j with MpiDefault=%s it is %s', async (mpi, list, preset, expected) => {
    expect(await mpiPlugin({ ranks: 2, start: 'srun', mpi }, cluster(list, preset))).toBe(expected);
  });

  test('is asked for only where srun starts several', async () => {
    const ask = () => Promise.reject(new Error('asked'));
    expect(await mpiPlugin({ ranks: 1, start: 'srun', mpi: 'auto' }, ask)).toBeUndefined();
    expect(await mpiPlugin({ ranks: 2, start: 'mpirun', mpi: 'pmix' }, ask)).toBeUndefined();
    await expect(mpiPlugin({ ranks: 2, start: 'srun', mpi: 'auto' }, ask)).rejects.toThrow(
      "The cluster can't be reached: srun: asked.",
    );
  });

  test('that the cluster does not have is refused', async () => {
    await expect(mpiPlugin({ ranks: 2, start: 'srun', mpi: 'pmix' }, cluster(older, 'none'))).rejects.toThrow(
      "runtime.slurm.mpi is 'pmix', which the cluster's srun does not have; it has pmi2.",
    );
    await expect(mpiPlugin({ ranks: 2, start: 'srun', mpi: 'none' }, cluster(newer, 'pmix'))).rejects.toThrow(
      "runtime.slurm.mpi is 'none'",
    );
    await expect(mpiPlugin({ ranks: 2, start: 'srun', mpi: 'auto' }, cluster(bare, 'none'))).rejects.toThrow(
      "The cluster's srun has no MPI plug-in by which several processes could find each other; it has none.",
    );
  });
});
