import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDiagnostics, hasErrors } from '../../configs/diagnostic.ts';
import { extendedConfig } from '../../configs/extendedConfig.ts';
import { documentKind } from '../../configs/documentKind.ts';
import { presets } from '../../configs/presets.ts';
import { readConfig } from '../../configs/readConfig.ts';
import { readSweep } from '../../configs/readSweep.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { differingKeys } from '../../experiments/compare.ts';
import { flattenConfig } from '../../experiments/flattenConfig.ts';
import { errors } from '../../protocol/errors.ts';
import {
  loadReference,
  locateConfigFile,
  parseOverrides,
  presetsFolder,
  readConfigFile,
  type ConfigFile,
} from '../configFile.ts';
import { formatResolvedConfig } from '../run/openRun.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

/** `simdino config list|check|resolve|diff`: the presets, and the sentences of the editor, in the terminal. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      // The terminal's `simdino.lint.paper`.
      'no-paper': { type: 'boolean', default: false },
    },
  });
  const [action, ...files] = positionals;
  const [first, second] = files;
  if (action === 'list') return list(first);
  if (first === undefined) {
    throw errors.usage('`simdino config` takes list, or check, resolve or diff and a file.');
  }
  const overrides = parseOverrides(values.set);
  switch (action) {
    case 'check':
      return check(files, !values['no-paper']);
    case 'resolve':
      process.stdout.write(formatResolvedConfig(said(readConfigFile(first, overrides)).config));
      return exitCodes.success;
    case 'diff':
      if (second === undefined) diffWithExtended(first);
      else diff(said(readConfigFile(first)).config, said(readConfigFile(second)).config);
      return exitCodes.success;
    default:
      throw errors.usage(`\`simdino config\` takes list, check, resolve or diff, got '${action}'.`);
  }
}

/** The presets by name with what they are; those of the paper's tables and figures where their names are asked for. */
function list(part: string | undefined): number {
  const paper = readdirSync(join(presetsFolder, 'paper'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `paper/${file.replaceAll('\\', '/').slice(0, -'.yaml'.length)}`)
    .sort();
  const named = part === undefined ? [...presets] : [...presets, ...paper].filter((name) => name.includes(part));
  if (named.length === 0) throw errors.usage(`No preset's name holds '${part}'.`);
  const rows = named.map((name) => {
    const [first = ''] = readFileSync(join(presetsFolder, `${name}.yaml`), 'utf8').split('\n', 1);
    return [name, first.replace(/^#\s*/, '')];
  });
  process.stdout.write(`${formatTable(rows)}\n`);
  if (part === undefined) {
    process.stdout.write(
      `\nand ${paper.length} of the paper's tables and figures: \`simdino config list paper\`, or \`list table6\`\n`,
    );
  }
  return exitCodes.success;
}

/** Warnings go beside what is asked for, not into it. */
function said(file: ConfigFile): ConfigFile {
  const { warnings, text, path } = file;
  if (warnings.length > 0) process.stderr.write(`${formatDiagnostics(warnings, text, path)}\n`);
  return file;
}

function check(files: readonly string[], paperLint: boolean): number {
  let valid = true;
  for (const file of files) {
    const path = locateConfigFile(file);
    const text = readFileSync(path, 'utf8');
    const read = documentKind(path, text) === 'sweep' ? readSweep : readConfig;
    const { diagnostics } = read(text, { path, load: loadReference, paperLint });
    if (hasErrors(diagnostics)) valid = false;
    process.stdout.write(
      diagnostics.length > 0 ? `${formatDiagnostics(diagnostics, text, path)}\n` : `${path}: valid\n`,
    );
  }
  return valid ? exitCodes.success : exitCodes.usage;
}

/** What a file changes of the one that it extends. */
function diffWithExtended(file: string): void {
  const { config, path, text } = said(readConfigFile(file));
  const extended = extendedConfig(readConfig(text, { path, load: loadReference }));
  if (!extended)
    throw errors.usage(`\`simdino config diff\` takes two files, or one that extends another; ${path} does not.`);
  diff(extended, config);
}

function diff(first: ResolvedConfig, second: ResolvedConfig): void {
  const configs = [first, second].map((config) => ({ config: flattenConfig(config) }));
  const differences = differingKeys(configs, 0);
  if (differences.length === 0) process.stdout.write('no differences\n');
  for (const { key, values } of differences)
    process.stdout.write(`${key}: ${values.map((value) => String(value ?? '-')).join(' -> ')}\n`);
}
