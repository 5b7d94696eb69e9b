/** Results of a sweep for a document: what each cell came to over its seeds, with an honest count of runs. */
import type { EnvironmentRecord, JsonScalar } from '../protocol/records.ts';
import { meanInterval, type MeanInterval } from './studentT.ts';
import { toMarkdown, type ResultCell, type ResultTable } from './tables.ts';

export interface CellRun {
  runId: string;
  cell: Record<string, JsonScalar>;
  seed: number;
  /** `diverged` when the loss or gradient was no longer a number. */
  outcome: 'finished' | 'diverged' | 'unfinished';
  /** Accuracies as shares of 1, in the order of training. */
  knn: { epoch: number; top1: number }[];
  /** The newest value of each metric. */
  last: Record<string, number>;
  engine: string | null;
  environment: EnvironmentRecord | null;
  commit: string | null;
  /** Of the resolved configuration that the run folder holds. */
  configSha256: string | null;
  /** From the first to the last metric. */
  minutes: number | null;
}

type RunSummary = Omit<CellRun, 'cell' | 'engine' | 'environment'>;

export interface CellResult {
  /** What sets the cell apart from the others. */
  label: string;
  cell: Record<string, JsonScalar>;
  /** What is kept of each run. */
  runs: (RunSummary & { collapsed: boolean })[];
  finished: number;
  diverged: number;
  collapsed: number;
  /** Of the finished runs; null when there is none. */
  knnBefore: MeanInterval | null;
  knnAfter: MeanInterval | null;
  /** Mean accuracy of the finished runs at each evaluation that all of them have. */
  curve: { epoch: number; top1: MeanInterval }[];
  /** Means of the last values of the finished runs, where logged. */
  last: Record<string, number>;
}

/** Effective rank of the teacher's features below which they are one direction and noise. */
export const collapsedRank = 2;

/** Metrics that tell a collapse. */
const diagnostics = ['effectiveRankTeacher', 'codingRate', 'codingRateMax', 'teacherStudentCosine', 'teacherEntropy'];

/** Cells in the order of the sweep, their runs in that of the seeds. */
export function cellResults(runs: readonly CellRun[]): CellResult[] {
  const cells = new Map<string, CellRun[]>();
  for (const run of runs) {
    const key = JSON.stringify(run.cell);
    cells.set(key, [...(cells.get(key) ?? []), run]);
  }
  const all = [...cells.values()].map((members) => members[0]!.cell);
  return [...cells.values()].map((members) => cellResult(members, labelOf(members[0]!.cell, all)));
}

function cellResult(runs: readonly CellRun[], label: string): CellResult {
  const finished = runs.filter(({ outcome }) => outcome === 'finished');
  const interval = (values: (number | undefined)[]): MeanInterval | null => {
    const known = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
    return known.length === 0 ? null : meanInterval(known);
  };
  const evaluations = Math.min(...finished.map(({ knn }) => knn.length));
  const last: [string, number][] = diagnostics.flatMap((name) => {
    const mean = interval(finished.map((run) => run.last[name]));
    return mean ? [[name, mean.mean]] : [];
  });
  return {
    label,
    cell: runs[0]!.cell,
    runs: runs.map(({ cell: _cell, engine: _engine, environment: _environment, ...run }) => ({
      ...run,
      collapsed: isCollapsed(run),
    })),
    finished: finished.length,
    diverged: runs.filter(({ outcome }) => outcome === 'diverged').length,
    collapsed: finished.filter(isCollapsed).length,
    knnBefore: interval(finished.map(({ knn }) => knn[0]?.top1)),
    knnAfter: interval(finished.map(({ knn }) => knn.at(-1)?.top1)),
    curve:
      finished.length === 0
        ? []
        : Array.from({ length: evaluations }, (_, index) => ({
            epoch: finished[0]!.knn[index]!.epoch,
            top1: meanInterval(finished.map(({ knn }) => knn[index]!.top1)),
          })),
    last: Object.fromEntries(last),
  };
}

function isCollapsed({ last }: RunSummary): boolean {
  const rank = last['effectiveRankTeacher'];
  return rank !== undefined && rank < collapsedRank;
}

/** The keys that differ between cells of the same method; the method itself where there are several. */
function labelOf(cell: Record<string, JsonScalar>, all: readonly Record<string, JsonScalar>[]): string {
  const siblings = all.filter(({ method }) => method === cell['method']);
  const keys = Object.keys(cell).filter((key) =>
    key === 'method' ? siblings.length < all.length : siblings.some((other) => other[key] !== cell[key]),
  );
  return keys.map((key) => (key === 'method' ? String(cell[key]) : `${key} ${String(cell[key])}`)).join(', ') || 'all';
}

export interface SweepPage {
  /** The sweep file's opening comment. */
  comment: readonly string[];
  sweepFile: string;
  runs: readonly CellRun[];
}

/** A page of results, made from the runs alone. */
export function sweepPage({ comment, sweepFile, runs }: SweepPage): string {
  const cells = cellResults(runs);
  const [title = sweepFile, ...notes] = comment;
  const finished = runs.filter(({ outcome }) => outcome === 'finished');
  const unfinished = runs.filter(({ outcome }) => outcome === 'unfinished');
  const seeds = Math.max(...cells.map((cell) => cell.runs.length));
  return [
    `# ${title.replace(/\.$/, '')}`,
    '',
    `Made from the run folders of \`${sweepFile}\` by \`npm run desk\`; every number is measured.`,
    '',
    ...notes.filter((line) => line.trim() !== '' && !/^\s*(command|hardware|time|result)\s/.test(line)),
    '',
    `- runs: ${finished.length} of ${runs.length} finished${unfinished.length > 0 ? `; ${unfinished.length} are missing and count nowhere` : ''}`,
    `- seeds: n = ${seeds} for each cell${seeds === 1 ? ': one run is a sign and no more' : '; +- is the sample standard deviation'}`,
    ...provenance(finished),
    `- collapsed: finished, with the teacher's features of an effective rank below ${collapsedRank}; diverged: the loss or gradient was no longer a number`,
    '',
    toMarkdown(summaryTable(cells)),
    '## k-NN accuracy over the epochs',
    '',
    toMarkdown(curveTable(cells)),
    '## Every run',
    '',
    toMarkdown(runTable(cells)),
  ].join('\n');
}

function provenance(runs: readonly CellRun[]): string[] {
  const distinct = (values: (string | null | undefined)[]) => [...new Set(values.filter((value) => value))].join('; ');
  const minutes = runs.flatMap((run) => (run.minutes === null ? [] : [run.minutes]));
  const total = minutes.reduce((sum, value) => sum + value, 0);
  return runs.length === 0
    ? []
    : [
        `- machine: ${distinct(runs.map(({ environment: e }) => e && `${e.cpuModel}, ${e.cpuCount} cores, Node ${e.nodeVersion.replace(/^v/, '')}`))}; engine ${distinct(runs.map(({ engine }) => engine))}`,
        `- time: ${(total / Math.max(1, minutes.length)).toFixed(1)} minutes a run, ${total.toFixed(0)} in all, beside whatever else the machine did`,
      ];
}

const text = (value: string): ResultCell => ({ text: value });
const percent = (interval: MeanInterval | null): ResultCell =>
  interval && {
    value: 100 * interval.mean,
    decimals: 1,
    ...(interval.std === null ? {} : { spread: { plusMinus: 100 * interval.std, n: interval.n } }),
  };
const number = (value: number | undefined, decimals: number): ResultCell =>
  value === undefined ? null : { value, decimals };

function summaryTable(cells: readonly CellResult[]): ResultTable {
  const hasEntropy = cells.some(({ last }) => 'teacherEntropy' in last);
  return {
    title: 'Cells',
    columns: [
      { label: 'cell', kind: 'text' },
      { label: 'n', kind: 'number' },
      { label: 'collapsed', kind: 'number' },
      { label: 'diverged', kind: 'number' },
      { label: 'k-NN untrained, %', kind: 'number' },
      { label: 'k-NN after, %', kind: 'number' },
      { label: 'effective rank (teacher)', kind: 'number' },
      { label: 'coding rate, % of its maximum', kind: 'number' },
      { label: 'teacher-student cosine', kind: 'number' },
      ...(hasEntropy ? [{ label: 'teacher entropy, nats', kind: 'number' as const }] : []),
    ],
    rows: cells.map(({ label, finished, collapsed, diverged, knnBefore, knnAfter, last }) => [
      text(label),
      number(finished, 0),
      number(collapsed, 0),
      number(diverged, 0),
      percent(knnBefore),
      percent(knnAfter),
      number(last['effectiveRankTeacher'], 1),
      number(last['codingRate'] && (100 * last['codingRate']) / (last['codingRateMax'] ?? NaN), 0),
      number(last['teacherStudentCosine'], 2),
      ...(hasEntropy ? [number(last['teacherEntropy'], 2)] : []),
    ]),
  };
}

function curveTable(cells: readonly CellResult[]): ResultTable {
  const longest = cells.reduce<CellResult['curve']>(
    (best, { curve }) => (curve.length > best.length ? curve : best),
    [],
  );
  return {
    title: 'k-NN accuracy in %',
    columns: [
      { label: 'cell', kind: 'text' },
      ...longest.map(({ epoch }) => ({ label: `epoch ${Number(epoch.toFixed(2))}`, kind: 'number' as const })),
    ],
    rows: cells.map(({ label, curve }) => [
      text(label),
      ...longest.map((_, index) => percent(curve[index]?.top1 ?? null)),
    ]),
  };
}

function runTable(cells: readonly CellResult[]): ResultTable {
  return {
    title: 'Runs',
    columns: [
      { label: 'cell', kind: 'text' },
      { label: 'seed', kind: 'number' },
      { label: 'outcome', kind: 'text' },
      { label: 'k-NN after, %', kind: 'number' },
    ],
    rows: cells.flatMap(({ label, runs }) =>
      runs.map(({ seed, outcome, collapsed, knn }) => [
        text(label),
        number(seed, 0),
        text(outcome === 'finished' && collapsed ? 'finished, collapsed' : outcome),
        outcome === 'finished' ? number(100 * (knn.at(-1)?.top1 ?? NaN), 1) : null,
      ]),
    ),
  };
}
