import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { makePaper } from '../paper/makePaper.ts';
import { usualMetrics } from '../paper/paperTables.ts';
import { verifyPaper } from '../paper/verifyPaper.ts';
import { readSweepRecord } from '../sweep/createSweep.ts';
import { exitCodes } from './exitCodes.ts';
import { sayMetricMeant } from './metricArguments.ts';
import { sayProblems } from './sayProblems.ts';

const usage = `Usage: simdino paper make RUN... | --sweep ID [options]   table (Markdown, LaTeX, CSV), figure and manifest
       simdino paper verify DIR                          computes them anew from the raw metrics and compares

  -o, --output DIR   where they are written (default: paper)
  --metric NAME      what the table shows; may be repeated (default: the sweep's metric, or knnTop1 and loss); the data of a figure
                     on others may be left out where there is but one
  --best             the best value of each run instead of the last
  --title TEXT       the caption
  --with-data        copies the raw metrics beside the manifest, so that the folder can be verified anywhere
  --runs-dir DIR     where run folders are (default: runs; for verify: where the manifest says)
`;

/** `simdino paper`: a table that can be checked. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string' },
      output: { type: 'string', short: 'o', default: 'paper' },
      sweep: { type: 'string' },
      metric: { type: 'string', multiple: true },
      best: { type: 'boolean', default: false },
      title: { type: 'string' },
      'with-data': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action, ...subjects] = positionals;
  if (values.help || (action !== 'make' && action !== 'verify')) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (action === 'verify') {
    const [folder] = subjects;
    if (folder === undefined) throw errors.usage('`simdino paper verify` needs a folder.');
    const runs = values['runs-dir'];
    const verdict = await verifyPaper(resolve(folder), runs === undefined ? undefined : resolve(runs));
    const { differences, filesVerified, manifest } = verdict;
    if (values.json) process.stdout.write(`${JSON.stringify({ differences, filesVerified })}\n`);
    else if (differences.length > 0) process.stdout.write(`${differences.join('\n')}\n`);
    else
      process.stdout.write(
        `verified: ${Object.keys(manifest.outputs).join(', ')} follow from ${filesVerified} files of ${manifest.runs.length} runs\n`,
      );
    return differences.length > 0 ? exitCodes.failed : exitCodes.success;
  }
  const runsFolder = resolve(values['runs-dir'] ?? 'runs');
  const sweep = values.sweep === undefined ? undefined : readSweepRecord(runsFolder, values.sweep);
  const runIds = sweep
    ? sweep.cells.map(({ runId }) => runId).filter((id) => existsSync(join(runsFolder, id)))
    : [...new Set(subjects)];
  if (runIds.length === 0) throw errors.usage('`simdino paper make` needs the names of runs, or --sweep.');
  const metrics = values.metric ?? (sweep ? [sweep.metric] : usualMetrics);
  if (sweep && metrics.length > 1)
    throw errors.usage(
      `A grid's table is of one metric, got ${metrics.join(', ')}: make one folder for each, or name the runs instead of --sweep.`,
    );
  const folder = resolve(values.output);
  const { manifest, problems } = await makePaper(
    runsFolder,
    {
      title: values.title ?? (sweep ? `Ablation ${sweep.id}` : `${runIds.length} runs`),
      sweepId: sweep?.id ?? null,
      metrics,
      choose: values.best ? 'best' : 'last',
      runIds,
    },
    { folder, withData: values['with-data'], createdAt: new Date().toISOString() },
  );
  process.stdout.write(
    `${[...Object.keys(manifest.outputs), 'manifest.json'].map((name) => join(folder, name)).join('\n')}\n`,
  );
  metrics.forEach((metric, i) => sayMetricMeant(metric, manifest.metrics[i]!));
  sayProblems(problems);
  return exitCodes.success;
}
