import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listRuns } from '../../experiments/store/listRuns.ts';
import { lastJobState } from '../../experiments/store/runJobs.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

/** `simdino jobs`: the runs that were given to a cluster, with what the cluster and their folders say. */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { 'runs-dir': { type: 'string', default: 'runs' }, json: { type: 'boolean', default: false } },
  });
  const runsFolder = resolve(values['runs-dir']);
  const { runs } = await listRuns(runsFolder);
  const jobs = [];
  for (const { id, state, latest } of runs) {
    const last = await lastJobState(join(runsFolder, id));
    if (last)
      jobs.push({
        id,
        job: last.record.job,
        cluster: last.state.reason || last.state.phase,
        state,
        step: latest['step'],
      });
  }
  if (values.json) process.stdout.write(`${JSON.stringify(jobs, null, 2)}\n`);
  else if (jobs.length === 0) process.stdout.write(`No run in ${runsFolder} was given to a cluster.\n`);
  else {
    const rows = jobs.map(({ id, job, cluster, state, step }) => [id, job, cluster, state, String(step ?? '-')]);
    process.stdout.write(`${formatTable([['RUN', 'JOB', 'CLUSTER', 'STATE', 'STEP'], ...rows])}\n`);
  }
  return exitCodes.success;
}
