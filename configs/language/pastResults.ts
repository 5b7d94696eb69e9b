/** What one's own past runs say about the values of a key: the evidence in hovers and in "Edit hyperparameter". */
import type { JsonScalar } from '../../protocol/records.ts';

/** A run as far as its result can be laid to its configuration. */
export interface PastRun {
  name: string;
  /** ISO 8601. */
  createdAt: string;
  /** The resolved configuration by dotted keys; a list is its JSON text. */
  config: Readonly<Record<string, JsonScalar>>;
  /** Best k-NN accuracy in [0, 1]. */
  knnTop1: number;
}

export interface PastResult {
  /** As it is written in YAML. */
  value: string;
  /** Best k-NN accuracy of the runs with this value, and the run that has it. */
  best: number;
  bestRun: string;
  runs: number;
}

/** Values that a list of results holds. */
const mostResults = 6;
/** What has to agree for accuracies to be comparable at all. */
const comparableKeys = ['method', 'data.kind', 'data.path'] as const;

/**
 * The values of `key` that past runs of the same method on the same data had, with their best accuracy: those nearest to
 * `current` where values are numbers, else the best ones; in the order of the values.
 */
export function pastResults(
  key: string,
  runs: readonly PastRun[],
  { config, current }: { config: Readonly<Record<string, JsonScalar>>; current: JsonScalar | undefined },
): PastResult[] {
  const comparable = runs.filter((run) => comparableKeys.every((name) => run.config[name] === config[name]));
  const byValue = new Map<JsonScalar, PastRun[]>();
  for (const run of comparable) {
    const value = run.config[key];
    if (value === undefined || !Number.isFinite(run.knnTop1)) continue;
    byValue.set(value, [...(byValue.get(value) ?? []), run]);
  }
  const results = [...byValue].map(([value, with_]) => {
    const best = with_.reduce((a, b) => (b.knnTop1 > a.knnTop1 ? b : a));
    return { raw: value, value: shown(value), best: best.knnTop1, bestRun: best.name, runs: with_.length };
  });
  const isNear = typeof current === 'number' && results.every(({ raw }) => typeof raw === 'number');
  const distance = ({ raw }: { raw: JsonScalar }): number => Math.abs(Number(raw) - Number(current));
  return results
    .sort((a, b) => (isNear ? distance(a) - distance(b) : b.best - a.best))
    .slice(0, mostResults)
    .sort((a, b) =>
      typeof a.raw === 'number' && typeof b.raw === 'number' ? a.raw - b.raw : a.value < b.value ? -1 : 1,
    )
    .map(({ raw: _raw, ...result }) => result);
}

/** `0.2236: 81.2 % (2 runs), 0.5: 79.0 %` */
export function pastSentence(results: readonly PastResult[]): string {
  return results
    .map(({ value, best, runs }) => `${value}: ${percent(best)}${runs > 1 ? ` (${runs} runs)` : ''}`)
    .join(', ');
}

/** For hovers; empty without results. */
export function pastMarkdown(results: readonly PastResult[]): string {
  if (results.length === 0) return '';
  const values = results.map(({ value, best, bestRun, runs }) => {
    const others = runs > 1 ? `, best of ${runs}` : '';
    return `\`${value}\` ${percent(best)} (${escaped(bestRun)}${others})`;
  });
  return `**Your runs** on this data, best k-NN: ${values.join(', ')}.`;
}

function shown(value: JsonScalar): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return typeof value === 'string' && value.startsWith('[') ? value.replaceAll(',', ', ') : String(value);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Names of runs are free text: nothing in them may end a cell or become markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()|#!]/g, '\\$&').replace(/\s+/g, ' ');
}
