import { basename, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { readSweep } from '../../configs/readSweep.ts';
import { errors } from '../../protocol/errors.ts';
import { sweepsFolder } from '../../protocol/runFolder.ts';
import { loadReference } from '../configFile.ts';
import { builtFile } from '../installation.ts';
import { newRunId } from '../run/runId.ts';
import { createSweep, readSweepRecord } from '../sweep/createSweep.ts';
import { runSweep } from '../sweep/runSweep.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino sweep FILE [options]       make a sweep and run its cells
       simdino sweep --resume ID [options]   run what is missing or was interrupted

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
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file] = positionals;
  if (values.help || (file === undefined) === (values.resume === undefined)) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const runsFolder = resolve(values['runs-dir']);
  const sweep =
    file === undefined
      ? readSweepRecord(runsFolder, values.resume ?? '')
      : makeSweep(resolve(file), runsFolder, values['sweep-id']);

  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`sweep ${sweep.id}: ${sweep.cells.length} cells, ${sweep.slots} at a time`);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const outcome = await runSweep(sweep, {
    runsFolder,
    simdino: [process.execPath, builtFile('simdino.mjs')],
    onMessage: say,
    signal: stop.signal,
    now: () => Date.now(),
  });
  if (outcome.left > 0) return exitCodes.stopped;
  return outcome.failed > 0 ? exitCodes.failed : exitCodes.success;
}

function makeSweep(path: string, runsFolder: string, id: string | undefined) {
  const text = readFile(path);
  const { sweep, diagnostics } = readSweep(text, { path, load: loadReference });
  if (!sweep) throw errors.configInvalid(path, formatDiagnostics(diagnostics, text, path));
  const now = new Date();
  const stem = basename(path).replace(/(\.sweep)?\.ya?ml$/, '');
  return createSweep(sweep, {
    id: id ?? newRunId(resolve(runsFolder, sweepsFolder), stem, now),
    text,
    runsFolder,
    createdAt: now.toISOString(),
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw errors.configMissing(path);
    throw error;
  }
}
