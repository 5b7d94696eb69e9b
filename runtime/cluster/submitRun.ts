import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { attemptFiles } from '../../protocol/runFolder.ts';
import { exitCodes } from '../commands/exitCodes.ts';
import { submit } from './submit.ts';

/** Gives one run, which is there, to the cluster, and says so. */
export async function submitRun(
  { runId, runsFolder, config }: { runId: string; runsFolder: string; config: ResolvedConfig },
  { tool, json }: { tool: string; json: boolean },
): Promise<number> {
  const folder = join(runsFolder, runId);
  const job = await submit({
    runIds: [runId],
    runsFolder,
    slurm: config.runtime.slurm,
    name: runId,
    logPath: join(folder, `job-%j-${attemptFiles.log}`),
    tool,
    nowMs: Date.now(),
  });
  if (json) process.stdout.write(`${JSON.stringify({ id: runId, folder, job })}\n`);
  else process.stderr.write(`${runId}: job ${job}\n${folder}\n`);
  return exitCodes.success;
}
