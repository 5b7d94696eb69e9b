import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import type { SlurmOptions } from './jobScript.ts';

/** Asks a command of SLURM; rejects when it can't be run. */
type Ask = (command: 'srun' | 'scontrol', args: string[]) => Promise<string>;

const run = promisify(execFile);
const askSlurm: Ask = async (command, args) => {
  // Versions differ in where they list plug-ins.
  const { stdout, stderr } = await run(command, args, { timeout: 15_000 });
  return `${stdout}\n${stderr}`;
};

/** Plug-ins that many MPI libraries know, the likelier first. */
const common = ['pmix', 'pmi2'];

/**
 * The `--mpi` of `srun` for a job; undefined where the cluster's default holds, or nothing has to be found.
 *
 * @throws mpiPluginMissing when the cluster does not have it, clusterUnavailable
 */
export async function mpiPlugin(
  { ranks, start, mpi }: Pick<SlurmOptions, 'ranks' | 'start' | 'mpi'>,
  ask: Ask = askSlurm,
): Promise<string | undefined> {
  if (ranks === 1 || start !== 'srun') return undefined;
  const answer = async (command: 'srun' | 'scontrol', ...args: string[]) =>
    ask(command, args).catch((error: unknown) => {
      throw errors.clusterUnavailable(command, (error as Error).message.trim());
    });
  const offered = pluginsOf(await answer('srun', '--mpi=list'));
  if (mpi !== 'auto') {
    if (!offered.includes(mpi)) throw errors.mpiPluginMissing(mpi, offered);
    return mpi;
  }
  const preset = /^MpiDefault\s*=\s*(\S+)/m.exec(await answer('scontrol', 'show', 'config'))?.[1];
  if (preset !== undefined && preset !== 'none' && preset !== '(null)') return undefined;
  const likeliest = common.find((name) => offered.includes(name));
  if (likeliest === undefined) throw errors.mpiPluginMissing(mpi, offered);
  return likeliest;
}

/**
 * The names, but for `none`, in what `srun --mpi=list` prints: a line each, in older versions after `srun: `, below a heading; in newer ones with the
 * versions of PMIx, comma-separated, on a line that ends the list.
 */
function pluginsOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/^srun:/, '').trim());
  const versions = lines.flatMap((line) => /versions available: (.*)$/.exec(line)?.[1]?.split(',') ?? []);
  const names = lines.filter((line) => /^[\w.-]+$/.test(line) && line !== 'none');
  return [...names, ...versions.map((version) => version.trim())];
}
