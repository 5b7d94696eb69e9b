/** From a sweep file's text to the resolved configuration of every run, and everything that is to be said about it. */
import { metricCatalogue } from '../protocol/metrics.ts';
import type { JsonScalar } from '../protocol/records.ts';
import { hasErrors, type Diagnostic, type Suggestion } from './diagnostic.ts';
import { expandCells, type SweepAxis, type SweepCell } from './expandCells.ts';
import { catalogueOf, type FieldRow, type JsonSchema } from './fieldCatalogue.ts';
import { show, splitPath, type Finding } from './finding.ts';
import { mergeDeep, withValue } from './plainValues.ts';
import { positioned, readReference, type ReadOptions } from './readConfig.ts';
import { z } from 'zod';
import type { ResolvedConfig } from './schema.ts';
import { findingsOf, type Vocabulary } from './schemaFindings.ts';
import { sweepSchema, type SweepFile } from './sweepSchema.ts';
import { validateConfig, type Validation } from './validateConfig.ts';
import { readYaml, type KeyPath, type YamlText } from './yamlDocument.ts';

export interface SweepRun extends SweepCell {
  config: ResolvedConfig;
}

export interface Sweep {
  /** As the file says it. */
  base: string;
  /** Path of the base's text. */
  basePath: string;
  axes: SweepAxis[];
  seeds: number[];
  metric: SweepFile['metric'];
  goal: 'maximise' | 'minimise';
  slots: number;
  /** GPUs that runs are spread over; empty: each run sees all. */
  devices: string[];
  /** In the order of launching. */
  runs: SweepRun[];
}

export interface ReadSweep {
  /** Only when there is no error. */
  sweep?: Sweep;
  yaml: YamlText;
  diagnostics: Diagnostic[];
}

/** More runs than anybody means to start by hand. */
const maxRuns = 1000;

export function readSweep(text: string, options: ReadOptions): ReadSweep {
  const yaml = readYaml(text);
  const diagnostics = [...yaml.diagnostics];
  const add = (findings: Iterable<Finding>): void => {
    for (const finding of findings) {
      const diagnostic = positioned(finding, yaml);
      const known = diagnostics.some(
        ({ start, end, message }) =>
          start === diagnostic.start && end === diagnostic.end && message === diagnostic.message,
      );
      if (!known) diagnostics.push(diagnostic);
    }
  };

  const parsed = sweepSchema.safeParse(yaml.value ?? {});
  if (!parsed.success) {
    add(parsed.error.issues.flatMap((issue) => findingsOf(issue, yaml.value ?? {}, sweepVocabulary())));
    return { yaml, diagnostics: inOrder(diagnostics) };
  }
  const file = parsed.data;
  const axes = axesOf(file);
  const base = readReference(file.base, 'base', yaml, options);
  if (base.diagnostic) diagnostics.push(base.diagnostic);
  add(shapeFindings(file));
  const cells = expandCells({ axes, cells: file.cells, seeds: file.seeds });
  if (cells.length > maxRuns) add([tooManyRuns(cells.length)]);
  if (base.value === undefined || hasErrors(diagnostics)) return { yaml, diagnostics: inOrder(diagnostics) };

  const common = Object.entries(file.set).reduce<unknown>(
    (value, [key, set]) => mergeDeep(value, withValue({}, splitPath(key), set)),
    base.value,
  );
  const validate = validationsOf(common);
  const runs: SweepRun[] = [];
  cells.forEach(({ cell, seed }, index) => {
    const { config, findings } = validate({ cell, seed });
    if (config) runs.push({ cell, seed, config });
    const cellIndex = Math.floor(index / file.seeds.length);
    add(
      findings
        .filter(({ code }) => code !== 'paper' || options.paperLint !== false)
        .map((finding) => inSweep(finding, placesInSweep(finding, file, cell, cellIndex)))
        // What the base alone gives rise to is said in the base.
        .filter(({ paths, severity }) => severity === 'error' || paths.some(([section]) => section !== 'base')),
    );
  });
  inOrder(diagnostics);
  if (hasErrors(diagnostics)) return { yaml, diagnostics };
  const better = metricCatalogue[file.metric].better;
  return {
    yaml,
    diagnostics,
    sweep: {
      base: file.base,
      basePath: base.path ?? file.base,
      axes,
      seeds: file.seeds,
      metric: file.metric,
      goal: file.goal ?? (better === 'lower' ? 'minimise' : 'maximise'),
      slots: file.slots,
      devices: file.devices.map(String),
      runs,
    },
  };
}

let remembered: { common: string; validations: ReadonlyMap<string, Validation> } = {
  common: '',
  validations: new Map(),
};

/**
 * Validates cells on a common base. What the last reading of the same base has found is remembered: an edit changes one
 * cell of hundreds.
 */
function validationsOf(common: unknown): (run: SweepCell) => Validation {
  const text = JSON.stringify(common);
  const known = remembered.common === text ? remembered.validations : new Map<string, Validation>();
  const validations = new Map<string, Validation>();
  remembered = { common: text, validations };
  return ({ cell, seed }) => {
    const key = JSON.stringify([cell, seed]);
    const validation = known.get(key) ?? validations.get(key) ?? validateConfig(valuesOf(common, { cell, seed }));
    validations.set(key, validation);
    return validation;
  };
}

function valuesOf(common: unknown, { cell, seed }: SweepCell): unknown {
  return Object.entries({ ...cell, seed }).reduce<unknown>(
    (value, [key, set]) => mergeDeep(value, withValue({}, splitPath(key), set)),
    common,
  );
}

function inOrder(diagnostics: Diagnostic[]): Diagnostic[] {
  return diagnostics.sort((a, b) => a.start - b.start);
}

let catalogue: ReadonlyMap<string, FieldRow> | undefined;

export function sweepJsonSchema(): JsonSchema {
  return z.toJSONSchema(sweepSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
}

export function sweepCatalogue(): ReadonlyMap<string, FieldRow> {
  return (catalogue ??= catalogueOf(sweepJsonSchema()));
}

function sweepVocabulary(): Vocabulary {
  return { noun: 'a sweep file', start: 'base: quickstart', catalogue: sweepCatalogue() };
}

/** The axes as written, or those that the explicit cells span. */
function axesOf(file: SweepFile): SweepAxis[] {
  if (!file.cells) return Object.entries(file.axes).map(([key, values]) => ({ key, values }));
  const axes = new Map<string, JsonScalar[]>();
  for (const [key, value] of file.cells.flatMap((cell) => Object.entries(cell))) {
    const values = axes.get(key) ?? [];
    if (!values.includes(value)) values.push(value);
    axes.set(key, values);
  }
  return [...axes].map(([key, values]) => ({ key, values }));
}

function* shapeFindings(file: SweepFile): Iterable<Finding> {
  const at = (paths: KeyPath[], message: string, remedy: string): Finding => ({
    severity: 'error',
    code: 'relation',
    paths,
    part: 'key',
    message,
    remedy,
    suggestions: [],
  });
  if (file.cells && Object.keys(file.axes).length > 0) {
    yield at([['cells'], ['axes']], 'A sweep has `axes` or `cells`, not both.', 'Remove one of them.');
  }
  if (!file.cells && Object.keys(file.axes).length === 0) {
    yield at([['axes']], 'The sweep varies nothing.', 'Add axes, for example `axes: { loss.eps: [0.1, 0.2236] }`.');
  }
  for (const [section, keys] of [
    ['axes', Object.keys(file.axes)],
    ['set', Object.keys(file.set)],
  ] as const) {
    if (keys.includes('seed')) {
      yield at([[section, 'seed']], `\`seed\` stands in \`${section}\`.`, 'List the seeds in `seeds:`.');
    }
    if (keys.includes('extends')) {
      yield at([[section, 'extends']], `\`extends\` stands in \`${section}\`.`, 'Name the configuration in `base:`.');
    }
  }
  for (const key of Object.keys(file.axes)) {
    const values = file.axes[key] ?? [];
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) {
      yield at([['axes', key]], `The axis \`${key}\` lists ${show(twice)} twice.`, 'Remove one of them.');
    }
  }
}

function tooManyRuns(count: number): Finding {
  return {
    severity: 'error',
    code: 'relation',
    paths: [['axes'], ['cells']],
    part: 'key',
    message: `The sweep has ${count} runs, more than ${maxRuns}.`,
    remedy: 'Split it into several sweeps, or list the cells that matter in `cells:`.',
    suggestions: [],
  };
}

/** A finding about a cell's configuration as one about the sweep file, with what can be mended at those places. */
function inSweep(finding: Finding, paths: KeyPath[]): Finding {
  const [place = []] = paths;
  const dotted = (finding.paths[0] ?? []).join('.');
  const isKey = (path: KeyPath, key: string): boolean => path.findLast((step) => typeof step === 'string') === key;
  const suggestions = finding.suggestions.flatMap((suggestion): Suggestion[] => {
    switch (suggestion.kind) {
      case 'rename': {
        const to = [...(finding.paths[0] ?? []).slice(0, -1), suggestion.to].join('.');
        return isKey(place, dotted) ? [{ kind: 'rename', to }] : [];
      }
      case 'set': {
        const key = [suggestion.path].flat().join('.');
        const there = paths.find((path) => isKey(path, key) && (path[0] !== 'axes' || path.length === 3));
        return there && !Array.isArray(suggestion.value) ? [{ ...suggestion, path: there.map(String) }] : [];
      }
      case 'remove':
        return isKey(place, dotted) && typeof place.at(-1) === 'string' ? [suggestion] : [];
      case 'move':
        return [];
    }
  });
  return { ...finding, paths, suggestions };
}

/** Where in the sweep file the keys of a finding about one cell's configuration are written. */
function placesInSweep(finding: Finding, file: SweepFile, cell: SweepCell['cell'], cellIndex: number): KeyPath[] {
  const places: KeyPath[] = [];
  for (const path of finding.paths) {
    const dotted = path.join('.');
    const sets = (key: string): boolean =>
      dotted === key || dotted.startsWith(`${key}.`) || key.startsWith(`${dotted}.`);
    const inCell = Object.keys(cell).find(sets);
    if (inCell !== undefined && file.cells) places.push(['cells', cellIndex, inCell]);
    else if (inCell !== undefined) {
      const key: KeyPath = ['axes', inCell];
      // A key that does not exist is wrong for every value.
      const index = file.axes[inCell]?.indexOf(cell[inCell] as string) ?? -1;
      places.push(finding.part === 'key' || index < 0 ? key : [...key, index]);
    } else if (sets('seed')) places.push(['seeds']);
    const inSet = Object.keys(file.set).find(sets);
    if (inSet !== undefined) places.push(['set', inSet]);
  }
  return places.length > 0 ? places : [['base']];
}
