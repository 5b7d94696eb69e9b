import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { metricLabels } from '../../experiments/metricLabels.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { RunCollection, type SweepOverview } from '../../experiments/store/runCollection.ts';
import { errors } from '../../protocol/errors.ts';
import type { JsonScalar, RunState } from '../../protocol/records.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';
import { sayProblems } from './sayProblems.ts';

/** `simdino grids`: the ablation grids of a folder and how far each is, or the cells of one with their last values. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'runs-dir': { type: 'string', default: 'runs' }, json: { type: 'boolean', default: false } },
  });
  const [id] = positionals;
  const collection = new RunCollection(resolve(values['runs-dir']));
  await collection.look({ monotonicMs: performance.now(), nowMs: Date.now() });
  const { sweeps } = collection;
  const print = (records: readonly object[], table: string[][]) =>
    process.stdout.write(values.json ? `${JSON.stringify(records, null, 2)}\n` : `${formatTable(table)}\n`);

  if (id === undefined) {
    const grids = sweeps.map((sweep) => overview(sweep, collection));
    if (grids.length === 0 && !values.json) process.stdout.write(`No grids in ${collection.folder}.\n`);
    else
      print(grids, [
        ['GRID', 'SCHEDULER', 'FINISHED', 'FAILED', 'AXES', 'SEEDS'],
        ...grids.map(({ grid, scheduler, finished, cells, failed, axes, seeds }) =>
          [grid, scheduler, `${finished}/${cells}`, failed, axes.join(' x '), seeds].map(String),
        ),
      ]);
    sayProblems(sweeps);
    return exitCodes.success;
  }

  const grid = sweeps.find((sweep) => sweep.id === id);
  const record = grid?.record;
  if (!record) throw errors.usage(`There is no grid '${id}' in ${collection.folder}.`);
  const cells = record.cells.map(({ runId, cell, seed }) => {
    const found = collection.runs.get(runId);
    const value = found?.latest[record.metric];
    return { run: runId, ...cell, seed, state: found?.state ?? null, [record.metric]: value ?? null };
  });
  const keys = record.axes.map(({ key }) => key);
  print(cells, [
    ['RUN', ...keys, 'SEED', 'STATE', metricLabels([record.metric])(record.metric).label.toUpperCase()],
    ...record.cells.map(({ runId, cell, seed }) => {
      const found = collection.runs.get(runId);
      const value = found?.latest[record.metric];
      const shown = value === undefined ? '-' : formatMetric(record.metric, value);
      return [runId, ...keys.map((key) => shownValue(cell[key])), String(seed), found?.state ?? 'not started', shown];
    }),
  ]);
  sayProblems([grid, ...record.cells.flatMap(({ runId }) => collection.runs.get(runId) ?? [])]);
  return exitCodes.success;
}

/** A listed cell may leave a key to the grid's base. */
function shownValue(value: JsonScalar | undefined): string {
  return value === undefined ? '-' : String(value);
}

function overview({ id, record, scheduler }: SweepOverview, { runs }: RunCollection) {
  const cells = record?.cells ?? [];
  const count = (...states: RunState[]) =>
    cells.filter(({ runId }) => states.some((state) => state === runs.get(runId)?.state)).length;
  return {
    grid: id,
    scheduler,
    cells: cells.length,
    finished: count('finished'),
    failed: count('failed', 'crashed'),
    axes: record?.axes.map(({ key }) => key) ?? [],
    seeds: record?.seeds.length ?? 0,
  };
}
