/** Gives runs to a SLURM cluster. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { slurmQueue } from '../../experiments/store/slurmQueue.ts';
import { errors } from '../../protocol/errors.ts';
import type { JobRecord } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { builtFile } from '../installation.ts';
import { guard, jsonLine } from '../run/appendLines.ts';
import { jobScript } from './jobScript.ts';
import { mpiPlugin } from './mpiPlugin.ts';

export interface Submission {
  runIds: readonly string[];
  runsFolder: string;
  /** What is asked of the cluster; of several runs, what the first one asks. */
  slurm: ResolvedConfig['runtime']['slurm'];
  name: string;
  logPath: string;
  /** Of several runs, how many at a time. */
  atOnce?: number;
  /** Who submits: the command. */
  tool: string;
  nowMs: number;
}

/**
 * Submits one job, or a job array with a task for each run, and writes the job's number into every run's `jobs.jsonl`. The runs must be
 * there.
 *
 * @returns the job's number
 * @throws clusterUnavailable, mpiPluginMissing, clusterRefused with what the cluster says
 */
export async function submit(submission: Submission): Promise<string> {
  const { runIds, runsFolder, slurm, name, logPath, atOnce, tool, nowMs } = submission;
  const mpi = await mpiPlugin(slurm);
  const script = jobScript(slurm, {
    name,
    runIds,
    runsFolder,
    simdino: [process.execPath, builtFile('simdino.mjs')],
    workingFolder: process.cwd(),
    logPath,
    ...(mpi === undefined ? {} : { mpi }),
    ...(atOnce === undefined ? {} : { atOnce }),
  });
  const job = await sbatch(script);
  const by = `${tool} (process ${process.pid} on ${hostname()})`;
  for (const [index, runId] of runIds.entries()) {
    const record: JobRecord = {
      scheduler: 'slurm',
      job: runIds.length > 1 ? `${job}_${index}` : job,
      submittedAt: new Date(nowMs).toISOString(),
      by,
    };
    const path = join(runsFolder, runId, runFiles.jobs);
    guard(path, () => appendFileSync(path, `${jsonLine({ ...record })}\n`));
  }
  slurmQueue.refresh();
  return job;
}

/** Hands a script to `sbatch`. A job inherits this process's environment, less what belongs to a job that this one may run in. */
async function sbatch(script: string): Promise<string> {
  const environment = Object.entries(process.env).filter(
    ([name]) => name === 'SLURM_CONF' || !/^(SLURM|SBATCH|PMIX?|OMPI)_/.test(name),
  );
  const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (resolve, reject) => {
      const child = spawn('sbatch', ['--parsable'], { env: Object.fromEntries(environment) });
      const text = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text.stdout += part));
      child.stderr.setEncoding('utf8').on('data', (part: string) => (text.stderr += part));
      child.once('error', (error) => reject(errors.clusterUnavailable('sbatch', error.message)));
      child.once('close', (exitCode) => resolve({ code: exitCode, ...text }));
      child.stdin.on('error', () => undefined); // sbatch that ends before it has read says why on its own
      child.stdin.end(script);
    },
  );
  // `17`, or `17;cluster` where there are several.
  const job = /^(\d+)(;.*)?$/m.exec(stdout.trim())?.[1];
  if (code !== 0 || job === undefined) throw errors.clusterRefused((stderr || stdout).trim());
  return job;
}
