import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { readJobs } from '../../experiments/store/runJobs.ts';
import { SlurmQueue } from '../../experiments/store/slurmQueue.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import type { RunState } from '../../protocol/records.ts';
import { builtFile } from '../../runtime/installation.ts';
import { hasMpi } from '../host/mpi.ts';
import { hasSlurm, startVirtualCluster, type VirtualCluster } from '../host/virtualCluster.ts';
import { linesOf, lossesOf, simdino, untilStep } from './simdino.ts';

/** Trained on one core of a node; long enough to be interrupted. */
const long = ['--set', 'train.epochs=400', '--set', 'checkpoint.everyEpochs=50', '--set', 'eval.knn.everyEpochs=400'];
const onCluster = ['--set', 'runtime.launcher=slurm', '--set', 'runtime.threads=1'];

const twoRanks = (mpi: string) => ['--set', 'runtime.slurm.ranks=2', '--set', `runtime.slurm.mpi=${mpi}`];

describe.skipIf(!hasSlurm())('on a virtual SLURM cluster', { timeout: 110_000 }, () => {
  let cluster: VirtualCluster;
  const runs = mkdtempSync(join(tmpdir(), 'simdino-cluster-'));
  beforeAll(async () => {
    cluster = await startVirtualCluster({ nodes: 2 });
    process.env['SLURM_CONF'] = cluster.configPath;
  }, 60_000);
  afterAll(async () => {
    delete process.env['SLURM_CONF'];
    await cluster.stop();
    rmSync(runs, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  const watch = new LivenessWatch();
  const stateOf = async (id: string) => (await summariseRun(join(runs, id), id, watch, Date.now())).state;
  const until = async (id: string, ...wanted: RunState[]): Promise<RunState[]> => {
    const seen: RunState[] = [];
    for (const deadline = performance.now() + 80_000; performance.now() < deadline; await sleep(200)) {
      const state = await stateOf(id);
      if (seen.at(-1) !== state) seen.push(state);
      if (wanted.includes(state)) return seen;
    }
    throw new Error(`${id} has not become ${wanted.join(' or ')}; it was ${seen.join(', ')}`);
  };
  const jobOf = async (id: string) => (await readJobs(join(runs, id))).at(-1)!.job;

  test('a run waits, trains and finishes; its log and curves are in its folder', async () => {
    const submitted = simdino('train', 'tiny', '--runs-dir', runs, '--run-id', 'one', '--json', ...onCluster);
    const { code, stdout } = await submitted.finished;
    expect(code).toBe(0);
    const { job } = JSON.parse(stdout) as { job: string };
    expect(await jobOf('one')).toBe(job);
    await until('one', 'finished');
    expect(lossesOf(join(runs, 'one'), '001').size).toBe(16);
    expect(readFileSync(join(runs, 'one', `job-${job}-log.txt`), 'utf8')).toContain('finished at step 16 of 16');
  });

  test('SIGUSR1 writes a checkpoint and the job, queued again, goes on from it', async () => {
    await simdino('train', 'tiny', '--runs-dir', runs, '--run-id', 'preempted', ...long, ...onCluster).finished;
    const folder = join(runs, 'preempted');
    await untilStep(folder, '001', 20);
    const job = await jobOf('preempted');
    await cluster.slurm('scancel', '--signal=USR1', '--batch', job);
    expect(await until('preempted', 'queued')).not.toContain('failed');
    const stopped = linesOf(folder, '001', 'events.jsonl').find(({ type }) => type === 'checkpoint')!;
    expect(stopped).toMatchObject({ reason: 'stop' });
    // A job that was queued again is held back for two minutes.
    await cluster.slurm('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
    await untilStep(folder, '002', Number(stopped['step']) + 5);
    expect(lossesOf(folder, '002').keys().next().value).toBe(Number(stopped['step']) + 1);
    await until('preempted', 'running');
    // A stop asked for through the folder reaches the node that trains.
    expect((await simdino('stop', 'preempted', '--runs-dir', runs).finished).stderr).toContain('preempted: stopped');
    await until('preempted', 'stopped');
  });

  test('a job whose nodes are taken writes a checkpoint, waits, and goes on; a cancelled one does not wait', async () => {
    await simdino('train', 'tiny', '--runs-dir', runs, '--run-id', 'displaced', ...long, ...onCluster).finished;
    const folder = join(runs, 'displaced');
    await untilStep(folder, '001', 5);
    const job = await jobOf('displaced');
    // The cluster tells the steps of a job, not its script.
    const urgent = cluster.slurm('srun', '--partition=urgent', '--nodes=2', 'true');
    expect(await until('displaced', 'queued')).not.toContain('failed');
    await urgent;
    const stopped = linesOf(folder, '001', 'events.jsonl').find(({ type }) => type === 'checkpoint')!;
    expect(stopped).toMatchObject({ reason: 'stop' });
    await cluster.slurm('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
    await untilStep(folder, '002', Number(stopped['step']) + 1);
    await cluster.slurm('scancel', job);
    await until('displaced', 'stopped');
    await sleep(2000);
    expect(await stateOf('displaced')).toBe('stopped');
    expect(linesOf(folder, '002', 'events.jsonl').at(-1)).toMatchObject({ type: 'stopped' });
  });

  test('the last cell of a grid, queued again, leaves the others alone', async () => {
    const file = join(runs, 'pair.yaml');
    writeFileSync(
      file,
      'base: tiny\nset: { runtime: { launcher: slurm, threads: 1 }, train: { epochs: 400 }, eval: { knn: { everyEpochs: 400 } } }\naxes:\n  loss.eps: [0.1, 0.2]\nslots: 2\n',
    );
    await simdino('sweep', file, '--runs-dir', runs, '--sweep-id', 'pair').finished;
    for (const cell of ['pair-1', 'pair-2']) await untilStep(join(runs, cell), '001', 3);
    await cluster.slurm('scancel', '--signal=USR1', await jobOf('pair-2'));
    await until('pair-2', 'queued');
    const step = Math.max(...lossesOf(join(runs, 'pair-1'), '001').keys());
    await untilStep(join(runs, 'pair-1'), '001', step + 5);
    expect(await stateOf('pair-1')).toBe('running');
    await simdino('sweep', '--cancel', 'pair', '--runs-dir', runs).finished;
    for (const cell of ['pair-1', 'pair-2']) await until(cell, 'stopped');
  });

  test('a job that waits is taken back; a killed trainer is crashed and can be submitted again', async () => {
    await cluster.slurm('scontrol', 'update', 'NodeName=n2', 'State=DRAIN', 'Reason=test');
    try {
      const args = ['--runs-dir', runs, ...long, ...onCluster];
      await simdino('train', 'tiny', '--run-id', 'first', ...args).finished;
      await simdino('train', 'tiny', '--run-id', 'second', ...args).finished;
      await until('first', 'running');
      expect(await stateOf('second')).toBe('queued');
      expect((await simdino('stop', 'second', '--runs-dir', runs).finished).stderr).toContain('taken back');
      await until('second', 'stopped');

      await untilStep(join(runs, 'first'), '001', 3);
      const { process: trainer } = JSON.parse(
        readFileSync(join(runs, 'first', 'attempts', '001', 'attempt.json'), 'utf8'),
      ) as { process: { pid: number } };
      process.kill(trainer.pid, 'SIGKILL');
      await until('first', 'crashed');
      const again = await simdino('resume', 'first', '--runs-dir', runs).finished;
      expect(again.stderr).toMatch(/first: job \d+/);
      await untilStep(join(runs, 'first'), '002', 1);
      await simdino('stop', 'first', '--runs-dir', runs).finished;
    } finally {
      await cluster.slurm('scontrol', 'update', 'NodeName=n2', 'State=RESUME');
    }
  });

  test('a grid is a job array of so many at a time; pausing takes back what waits', async () => {
    const file = join(runs, 'grid.yaml');
    writeFileSync(
      file,
      'base: tiny\nset: { runtime: { launcher: slurm, threads: 1 } }\naxes:\n  loss.eps: [0.1, 0.2]\nseeds: [1, 2]\nslots: 1\n',
    );
    const made = await simdino('sweep', file, '--runs-dir', runs, '--sweep-id', 'grid').finished;
    expect(made.stderr).toMatch(/job \d+: 4 cells/);
    const cells = ['grid-1', 'grid-2', 'grid-3', 'grid-4'];
    const [array] = (await jobOf('grid-1')).split('_');
    expect(await Promise.all(cells.map(jobOf))).toEqual(cells.map((_, index) => `${array}_${index}`));
    await until('grid-1', 'running', 'starting', 'finished');
    expect(await cluster.slurm('scontrol', 'show', 'job', array!)).toContain('ArrayTaskThrottle=1');
    const active = (await Promise.all(cells.map(stateOf))).filter(
      (state) => state !== 'queued' && state !== 'finished',
    );
    expect(active.length).toBeLessThanOrEqual(1);
    await simdino('sweep', '--pause', 'grid', '--runs-dir', runs).finished;
    await until('grid-4', 'stopped');
    await until('grid-1', 'finished');
    const left = (await Promise.all(cells.map(stateOf))).filter((state) => state !== 'finished').length;
    const resumed = await simdino('sweep', '--resume', 'grid', '--runs-dir', runs).finished;
    expect(resumed.stderr).toMatch(new RegExp(`job \\d+: [${Math.max(1, left - 1)}${left}] cells`));
    for (const cell of cells) await until(cell, 'finished');
    const jobs = JSON.parse((await simdino('jobs', '--runs-dir', runs, '--json').finished).stdout) as { id: string }[];
    expect(jobs.map(({ id }) => id)).toEqual(expect.arrayContaining([...cells, 'one', 'first']));
  });

  test('processes that srun starts without an MPI plug-in are refused: each would train the run for itself', async () => {
    const args = [builtFile('simdino.mjs'), 'train', 'tiny', '--runs-dir', runs, '--run-id', 'apart'];
    const apart = cluster.slurm('srun', '--ntasks=2', '--mpi=none', process.execPath, ...args);
    await expect(apart).rejects.toThrow(/2 processes were started .* srun started them with no MPI plug-in/);
    expect(existsSync(join(runs, 'apart'))).toBe(false);
    const refused = simdino('train', 'tiny', '--runs-dir', runs, ...onCluster, ...twoRanks('pmi9'));
    expect((await refused.finished).stderr).toMatch(/runtime\.slurm\.mpi is 'pmi9', .* it has .*pmi2/);
  });

  test.skipIf(!hasMpi('mpich'))('two processes train together over two nodes by the plug-in asked for', async () => {
    const args = ['train', 'tiny', '--runs-dir', runs, '--run-id', 'together', ...onCluster, ...twoRanks('pmi2')];
    await simdino(...args).finished;
    await until('together', 'finished');
    const log = readFileSync(join(runs, 'together', 'attempts', '001', 'log.txt'), 'utf8');
    expect(log).toContain('process 1 of 2, MPICH');
    expect(lossesOf(join(runs, 'together'), '001').size).toBe(16);
  });

  test.skipIf(!hasMpi('mpich'))(
    'a job of two processes whose nodes are taken is queued again too, and goes on',
    async () => {
      const args = ['--runs-dir', runs, '--run-id', 'both', ...long, ...onCluster, ...twoRanks('pmi2')];
      await simdino('train', 'tiny', ...args).finished;
      const folder = join(runs, 'both');
      await untilStep(folder, '001', 5);
      const job = await jobOf('both');
      const urgent = cluster.slurm('srun', '--partition=urgent', '--nodes=2', 'true');
      expect(await until('both', 'queued')).not.toContain('failed');
      await urgent;
      await cluster.slurm('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
      const stopped = linesOf(folder, '001', 'events.jsonl').find(({ type }) => type === 'checkpoint')!;
      await untilStep(folder, '002', Number(stopped['step']) + 1);
      await cluster.slurm('scancel', job);
      await until('both', 'stopped');
    },
  );

  test.skipIf(!hasMpi('mpich'))('a lost process is made known at once, and the others write a checkpoint', async () => {
    const args = ['--runs-dir', runs, '--run-id', 'lost', ...long, ...onCluster, ...twoRanks('pmi2')];
    await simdino('train', 'tiny', ...args).finished;
    const folder = join(runs, 'lost');
    await untilStep(folder, '001', 5);
    const { process: first } = JSON.parse(readFileSync(join(folder, 'attempts', '001', 'attempt.json'), 'utf8')) as {
      process: { pid: number };
    };
    process.kill(
      trainersOf('lost').find((pid) => pid !== first.pid)!,
      'SIGKILL',
    );
    // Far below runtime.rankTimeoutSeconds.
    await until('lost', 'failed');
    const events = linesOf(folder, '001', 'events.jsonl');
    expect(events.at(-1)).toMatchObject({ type: 'failed', code: 'rankLost' });
    const saved = events.findLast(({ type }) => type === 'checkpoint')!;
    expect(saved['step']).toBe(Math.max(...lossesOf(folder, '001').keys()));
  });

  test('accounting tells how a job ended that the queue has forgotten', async () => {
    const job = await jobOf('one');
    const forgetful = new SlurmQueue(async (command, args) =>
      command === 'squeue' ? '{"jobs": []}' : cluster.slurm(command, ...args),
    );
    expect(await forgetful.stateOf({ job, submittedAt: '2026-01-31T11:00:00Z' })).toEqual({
      phase: 'ended',
      reason: 'COMPLETED',
      startedMs: null,
    });
  });
});

/** The processes that train a run, in any node. */
function trainersOf(runId: string): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return rows
    .filter(
      (row) => row.includes(`${process.execPath} ${builtFile('simdino.mjs')} resume`) && row.endsWith(` ${runId}`),
    )
    .filter((row) => !/\bsrun\b/.test(row))
    .map((row) => Number.parseInt(row, 10));
}
