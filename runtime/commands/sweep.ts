import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { readSweep, type Sweep } from '../../configs/readSweep.ts';
import type { SweepEstimate } from '../../experiments/estimateSweep.ts';
import { formatBytes, formatDuration } from '../../experiments/formatMetric.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { listRuns } from '../../experiments/store/listRuns.ts';
import { controlSweepJobs } from '../../experiments/store/runJobs.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { schedulerOf } from '../../experiments/store/readSweep.ts';
import { reusableRuns } from '../../experiments/store/reusableRuns.ts';
import { sweepCost } from '../../experiments/store/sweepCost.ts';
import { errors } from '../../protocol/errors.ts';
import type { SweepRecord } from '../../protocol/records.ts';
import { sweepsFolder } from '../../protocol/runFolder.ts';
import { loadReference } from '../configFile.ts';
import { builtFile } from '../installation.ts';
import { newRunId } from '../run/runId.ts';
import { studioVersion } from '../run/versions.ts';
import { launcherOf, submitSweep } from '../cluster/submitSweep.ts';
import { createSweep, readSweepRecord } from '../sweep/createSweep.ts';
import { runSweep } from '../sweep/runSweep.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino sweep FILE [options]       make a sweep and run its cells
       simdino sweep --resume ID [options]   run what is missing, failed or was interrupted
       simdino sweep --pause ID              launch nothing more; running cells go on to their end
       simdino sweep --cancel ID             stop the running cells at a checkpoint and launch nothing more

  --dry-run        say how many runs it is, how long it takes and how much disk, and make nothing
  --cell RUN       with --resume: this cell and no other; may be repeated
  --no-reuse       train every cell, even one that a finished run has trained with the same configuration
  --runs-dir DIR   where run folders are made (default: runs)
  --sweep-id ID    name of the sweep (default: made from the file's name and the time)
`;

/** `simdino sweep` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      'sweep-id': { type: 'string' },
      resume: { type: 'string' },
      pause: { type: 'string' },
      cancel: { type: 'string' },
      cell: { type: 'string', multiple: true },
      'dry-run': { type: 'boolean', default: false },
      'no-reuse': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file] = positionals;
  const subjects = [file, values.resume, values.pause, values.cancel].filter((subject) => subject !== undefined);
  if (values.help || subjects.length !== 1 || (values.cell && values.resume === undefined)) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const runsFolder = resolve(values['runs-dir']);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  if (values.pause !== undefined) return ask(runsFolder, values.pause, 'pause', say);
  if (values.cancel !== undefined) return ask(runsFolder, values.cancel, 'stop', say);
  if (values.resume !== undefined) {
    const folder = sweepFolderOf(runsFolder, values.resume);
    if ((await schedulerOf(folder, new LivenessWatch())) === 'pausing')
      return ask(runsFolder, values.resume, 'continue', say);
  }
  let sweep: SweepRecord;
  if (file === undefined) sweep = readSweepRecord(runsFolder, values.resume ?? '');
  else {
    const { text, plan } = readPlan(resolve(file));
    const { runs } = await listRuns(runsFolder);
    const version = values['no-reuse'] ? null : studioVersion();
    if (values['dry-run']) {
      process.stdout.write(`${describeEstimate(plan, await sweepCost(plan, runs, version))}\n`);
      return exitCodes.success;
    }
    const now = new Date();
    const stem = basename(file).replace(/(\.sweep)?\.ya?ml$/, '');
    sweep = createSweep(plan, {
      id: values['sweep-id'] ?? newRunId(resolve(runsFolder, sweepsFolder), stem, now),
      text,
      runsFolder,
      createdAt: now.toISOString(),
      reusable: version === null ? new Map() : await reusableRuns(plan, runs, version),
    });
    const reused = sweep.cells.filter(({ runId }) => existsSync(join(runsFolder, runId)));
    if (reused.length > 0)
      say(`${reused.length} cells were trained before: ${reused.map(({ runId }) => runId).join(', ')}`);
  }

  const only = values.cell && cellsOf(sweep, values.cell);
  say(`sweep ${sweep.id}: ${only?.size ?? sweep.cells.length} cells, ${sweep.slots} at a time`);
  if (launcherOf(sweep, runsFolder) === 'slurm') {
    const { job, cells } = await submitSweep(sweep, {
      runsFolder,
      onMessage: say,
      nowMs: Date.now(),
      ...(only && { only }),
    });
    say(job === null ? 'nothing is left to do' : `job ${job}: ${cells} cells`);
    return exitCodes.success;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const outcome = await runSweep(sweep, {
    runsFolder,
    simdino: [process.execPath, builtFile('simdino.mjs')],
    onMessage: say,
    ...(only && { only }),
    signal: stop.signal,
    now: () => Date.now(),
  });
  if (outcome.left > 0) return exitCodes.stopped;
  return outcome.failed > 0 ? exitCodes.failed : exitCodes.success;
}

/** @throws usage when one is none of the sweep's */
function cellsOf(sweep: SweepRecord, runIds: readonly string[]): ReadonlySet<string> {
  const stranger = runIds.find((id) => !sweep.cells.some(({ runId }) => runId === id));
  if (stranger !== undefined) throw errors.usage(`'${stranger}' is no cell of the sweep '${sweep.id}'.`);
  return new Set(runIds);
}

/** Asks the scheduler that works on a sweep, wherever it runs. */
async function ask(
  runsFolder: string,
  id: string,
  action: 'pause' | 'continue' | 'stop',
  say: (text: string) => void,
): Promise<number> {
  const folder = sweepFolderOf(runsFolder, id);
  if (action !== 'continue' && (await controlSweepJobs(folder, action))) {
    say(`asked the cluster about ${id}: ${action}`);
    return exitCodes.success;
  }
  const scheduler = await schedulerOf(folder, new LivenessWatch());
  if (scheduler !== 'running' && scheduler !== 'pausing') {
    say(`nothing works on ${id}: ${scheduler}`);
    return exitCodes.success;
  }
  await writeRequest(folder, action, 'simdino sweep');
  say(`asked the scheduler of ${id}: ${action}`);
  return exitCodes.success;
}

function sweepFolderOf(runsFolder: string, id: string): string {
  return join(runsFolder, sweepsFolder, readSweepRecord(runsFolder, id).id);
}

function readPlan(path: string): { text: string; plan: Sweep } {
  const text = readFile(path);
  const { sweep, diagnostics } = readSweep(text, { path, load: loadReference });
  if (!sweep) throw errors.configInvalid(path, formatDiagnostics(diagnostics, text, path));
  return { text, plan: sweep };
}

function describeEstimate({ runs, slots }: Sweep, { durationMs, bases, reused, diskBytes }: SweepEstimate): string {
  const pace = bases.length > 0 ? ` at the pace of ${bases.join(', ')}` : '';
  const time =
    durationMs === null
      ? 'unknown until a run of comparable steps was made'
      : `about ${formatDuration(durationMs)}${pace}`;
  const lines = [
    `${runs.length} runs, ${slots} at a time`,
    ...(reused > 0 ? [`trained before: ${reused}`] : []),
    `time: ${time}`,
    `disk: at most ${formatBytes(diskBytes)}`,
  ];
  return lines.join('\n');
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw errors.sweepMissing(path);
    throw error;
  }
}
