/** What would make a comparison of runs misleading. */
import type { RunSummary } from '../protocol/panelMessages.ts';
import type { JsonScalar } from '../protocol/records.ts';

export interface Caveat {
  code:
    | 'singleSeed'
    | 'unevenSeeds'
    | 'epochs'
    | 'unfinished'
    | 'data'
    | 'evaluation'
    | 'dirtyCode'
    | 'commit'
    | 'commitUnknown'
    | 'diverged';
  /** Whether conclusions are wrong (`serious`) or only weak (`note`). */
  weight: 'serious' | 'note';
  /** One sentence with the facts, then what to do. */
  message: string;
  /** Configuration keys behind it. */
  keys: string[];
}

type Compared = Pick<RunSummary, 'id' | 'name' | 'state' | 'seed' | 'config' | 'git' | 'step' | 'totalSteps' | 'last'>;

/** Caveats of comparing these runs, the serious ones first. Runs that differ in nothing but the seed are one arm. */
export function comparisonCaveats(runs: readonly Compared[]): Caveat[] {
  if (runs.length < 2) return [];
  const caveats = [
    unequal(
      runs,
      'epochs',
      ['train.epochs'],
      'were trained for different numbers of epochs',
      'Compare at equal epochs.',
    ),
    unequal(runs, 'data', keysUnder(runs, 'data.'), 'saw different data', 'Results on different data do not compare.'),
    unequal(
      runs,
      'evaluation',
      keysUnder(runs, 'eval.').filter((key) => !key.endsWith('everyEpochs')),
      'were evaluated differently',
      'Evaluate them again with one protocol.',
    ),
    diverged(runs),
    unfinished(runs),
    dirtyCode(runs),
    commits(runs),
    unknownCommits(runs),
    seeds(runs),
  ];
  const found = caveats.filter((caveat): caveat is Caveat => caveat !== undefined);
  return found.sort((a, b) => Number(a.weight === 'note') - Number(b.weight === 'note'));
}

/** Runs grouped by everything but their seed. */
export function arms<T extends Pick<RunSummary, 'config'>>(runs: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const run of runs) {
    const rest = Object.entries(run.config).filter(([key]) => key !== 'seed' && !key.startsWith('runtime.'));
    const key = JSON.stringify(rest.sort(([a], [b]) => (a < b ? -1 : 1)));
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

function unequal(
  runs: readonly Compared[],
  code: Caveat['code'],
  keys: readonly string[],
  what: string,
  remedy: string,
): Caveat | undefined {
  const unequalKeys = keys.filter((key) => new Set(runs.map((run) => JSON.stringify(run.config[key]))).size > 1);
  if (unequalKeys.length === 0) return undefined;
  const facts = unequalKeys.map(
    (key) => `${key}: ${[...new Set(runs.map((run) => show(run.config[key])))].join(', ')}`,
  );
  return { code, weight: 'serious', message: `The runs ${what} (${facts.join('; ')}). ${remedy}`, keys: unequalKeys };
}

function diverged(runs: readonly Compared[]): Caveat | undefined {
  const bad = runs.filter((run) => run.last['loss'] !== undefined && !Number.isFinite(run.last['loss']));
  if (bad.length === 0) return undefined;
  return {
    code: 'diverged',
    weight: 'serious',
    message: `The loss of ${names(bad)} is not finite: it diverged. Its best values are from before that.`,
    keys: [],
  };
}

function unfinished(runs: readonly Compared[]): Caveat | undefined {
  const open = runs.filter((run) => run.step < run.totalSteps);
  if (open.length === 0) return undefined;
  return {
    code: 'unfinished',
    weight: 'serious',
    message: `${names(open)} ${open.length === 1 ? 'has' : 'have'} not reached the last step. Schedules end with it, so compare when all have.`,
    keys: [],
  };
}

function dirtyCode(runs: readonly Compared[]): Caveat | undefined {
  const dirty = runs.filter((run) => run.git?.dirty);
  if (dirty.length === 0) return undefined;
  return {
    code: 'dirtyCode',
    weight: 'note',
    message: `${names(dirty)} ${dirty.length === 1 ? 'was' : 'were'} started with uncommitted changes. The difference is in dirty.diff of the run folder.`,
    keys: [],
  };
}

function commits(runs: readonly Compared[]): Caveat | undefined {
  const known = new Set(runs.flatMap((run) => (run.git ? [run.git.commit.slice(0, 7)] : [])));
  if (known.size < 2) return undefined;
  return {
    code: 'commit',
    weight: 'note',
    message: `The runs come from different commits (${[...known].join(', ')}). Check that nothing else changed between them.`,
    keys: [],
  };
}

function unknownCommits(runs: readonly Compared[]): Caveat | undefined {
  const unknown = runs.filter((run) => !run.git);
  if (unknown.length === 0) return undefined;
  return {
    code: 'commitUnknown',
    weight: 'note',
    message: `The commit of ${names(unknown)} is not known. Start runs inside a Git repository to record it.`,
    keys: [],
  };
}

function seeds(runs: readonly Compared[]): Caveat | undefined {
  const groups = arms(runs);
  if (groups.length < 2) return undefined;
  const seedsOf = groups.map((group) => [...new Set(group.map((run) => run.seed))].sort((a, b) => a - b));
  if (seedsOf.every((group) => group.length === 1)) {
    const distinct = new Set(seedsOf.map((group) => group[0]));
    const same =
      distinct.size === 1 ? `the same seed (${seedsOf[0]![0]})` : `different seeds (${[...distinct].join(', ')})`;
    return {
      code: 'singleSeed',
      weight: distinct.size === 1 ? 'note' : 'serious',
      message: `One run per arm, with ${same}: n = 1 shows no spread. Run three seeds of each before concluding.`,
      keys: ['seed'],
    };
  }
  if (new Set(seedsOf.map((group) => group.join())).size === 1) return undefined;
  return {
    code: 'unevenSeeds',
    weight: 'note',
    message: `The arms have different seeds (${seedsOf.map((group) => group.join(' ')).join(' | ')}). Give each the same ones.`,
    keys: ['seed'],
  };
}

function keysUnder(runs: readonly Compared[], prefix: string): string[] {
  return [...new Set(runs.flatMap((run) => Object.keys(run.config).filter((key) => key.startsWith(prefix))))].sort();
}

function names(runs: readonly Compared[]): string {
  const shown = runs.slice(0, 3).map((run) => run.name);
  return runs.length > 3 ? `${shown.join(', ')} and ${runs.length - 3} more` : shown.join(', ');
}

function show(value: JsonScalar | undefined): string {
  return value === undefined ? 'not set' : String(value);
}
