import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unexpectedSkips } from './expectedSkips.ts';
import { runIntegration } from './integration.ts';
import { describeMachine, thisMachine } from './machine.ts';
import { installNode } from './npmNode.ts';
import { runOtherEngines } from './otherEngines.ts';
import { type Outcome, failed, passed } from './outcome.ts';
import { repository } from './repository.ts';
import { runCommand } from './runCommand.ts';
import { runVitest } from './vitestRun.ts';

interface Stage {
  name: string;
  run: (context: Context) => Promise<Outcome[]>;
}

interface Context {
  /** A folder for the duration of the run. */
  work: string;
  say: (text: string) => void;
  /** The package under test, made by the stage `package`. */
  vsix: () => string;
}

const minutes = 60_000;

/** In the order in which a failure is cheapest to see. Everything but `build` may run alone after it. */
const stages: Stage[] = [
  { name: 'build', run: tool('build', 'scripts/build.mjs') },
  { name: 'typecheck', run: tool('typecheck', 'node_modules/typescript/bin/tsc', '-b') },
  {
    name: 'lint',
    run: tool('lint', 'node_modules/eslint/bin/eslint.js', '.', '--cache', '--cache-location', '.cache/eslint/'),
  },
  { name: 'format', run: tool('format', 'node_modules/prettier/bin/prettier.cjs', '--check', '.', '--log-level=warn') },
  {
    name: 'unit',
    run: ({ say }) => runVitest(['unit', 'tiny', 'golden', 'engines'], { timeoutMs: 25 * minutes, onOutput: say }),
  },
  { name: 'engines', run: ({ say }) => runOtherEngines(say) },
  { name: 'node20', run: onProductsFloor },
  { name: 'package', run: tool('package', 'scripts/package.mjs', '--out', '{work}') },
  {
    name: 'packaged',
    run: ({ vsix, say }) =>
      runVitest(['packaged'], { env: { SIMDINO_VSIX: vsix() }, timeoutMs: 15 * minutes, onOutput: say }),
  },
  { name: 'integration', run: ({ vsix, say }) => runIntegration(vsix(), (line) => say(`${line}\n`)) },
  {
    name: 'e2e',
    run: ({ vsix, say }) =>
      runVitest(['e2e'], { env: { SIMDINO_VSIX: vsix() }, timeoutMs: 25 * minutes, onOutput: say }),
  },
];

/**
 * Runs all stages, or those named, and prints one summary. Returns the exit code: 0 when nothing failed and nothing was
 * skipped but what this kind of machine can't run.
 */
export async function runEverything(only?: readonly string[]): Promise<number> {
  const unknown = (only ?? []).filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no stage ${unknown.join(', ')}; the stages are ${stages.map(({ name }) => name).join(', ')}.`,
    );
    return 2;
  }
  const machine = thisMachine();
  console.log(`SimDINO Studio's tests on ${describeMachine(machine)}`);
  const work = mkdtempSync(join(tmpdir(), 'simdino-tests-'));
  const context: Context = { work, say: (text) => process.stdout.write(text), vsix: () => findVsix(work) };
  const outcomes: Outcome[] = [];
  try {
    for (const stage of wanted(only)) outcomes.push(...(await runStage(stage, context)));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return summarise(outcomes, unexpectedSkips(outcomes, machine));
}

async function runStage(stage: Stage, context: Context): Promise<Outcome[]> {
  const startedAt = performance.now();
  console.log(`\n== ${stage.name}`);
  let outcomes: Outcome[];
  try {
    outcomes = await stage.run(context);
  } catch (error) {
    outcomes = [failed(stage.name, error instanceof Error ? (error.stack ?? error.message) : String(error))];
  }
  for (const { name, state, detail } of outcomes) {
    if (state === 'failed') console.log(`FAILED ${name}\n${detail ?? ''}`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`== ${stage.name}: ${count(outcomes)} in ${seconds} s`);
  return outcomes;
}

/** Stages that test the package need it to be made first. */
function wanted(only: readonly string[] | undefined): Stage[] {
  if (only === undefined) return stages;
  const needsPackage = only.some((name) => ['packaged', 'integration', 'e2e'].includes(name));
  return stages.filter(({ name }) => only.includes(name) || (name === 'package' && needsPackage));
}

function summarise(outcomes: readonly Outcome[], notAllowed: readonly Outcome[]): number {
  console.log('\n== summary');
  for (const { name, state, detail } of outcomes) {
    if (state === 'skipped') console.log(`skipped: ${name} (${detail ?? 'no reason given'})`);
  }
  for (const { name } of notAllowed)
    console.log(`failed: '${name}' was skipped, which this kind of machine is not expected to do`);
  for (const { name, state } of outcomes) {
    if (state === 'failed') console.log(`failed: ${name}`);
  }
  const isUnexpected = (outcome: Outcome): boolean => notAllowed.includes(outcome);
  console.log(count(outcomes.map((outcome) => (isUnexpected(outcome) ? { ...outcome, state: 'failed' } : outcome))));
  const isGood = notAllowed.length === 0 && outcomes.some(({ state }) => state === 'passed');
  return isGood && outcomes.every(({ state }) => state !== 'failed') ? 0 : 1;
}

function count(outcomes: readonly Outcome[]): string {
  const of = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  return `${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped`;
}

/** A stage that is one command of ours, run by this Node: it passes or fails as a whole. */
function tool(name: string, script: string, ...args: string[]): Stage['run'] {
  return async ({ work, say }) => {
    const filled = args.map((argument) => argument.replace('{work}', work));
    const { exitCode, output } = await runCommand(process.execPath, [join(repository, script), ...filled], {
      cwd: repository,
      timeoutMs: 8 * minutes,
      onOutput: say,
    });
    return [exitCode === 0 ? passed(name) : failed(name, output.slice(-2000))];
  };
}

/** The product runs on Node 20. Where the tests run on a newer one, these run on 20 as well. */
async function onProductsFloor({ say }: Context): Promise<Outcome[]> {
  if (process.versions.node.startsWith('20.')) return []; // the other stages did
  const { node } = await installNode(20);
  return runVitest(['tiny', 'golden'], { node, timeoutMs: 15 * minutes, onOutput: say });
}

function findVsix(work: string): string {
  const name = readdirSync(work).find((file) => file.endsWith('.vsix'));
  if (name === undefined) throw new Error('There is no package to test: the stage `package` failed or did not run.');
  return join(work, name);
}
