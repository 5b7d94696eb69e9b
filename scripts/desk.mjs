// npm run desk [-- NAME...] [-- --runs-dir DIR] [--results-only]: the experiments of configs/sweeps/desk_*.yaml.
//
// Each is a grid that can be interrupted and continued: what is finished stays, the rest is run. Afterwards, and with --results-only
// instead, docs/results/desk_NAME.md and .json are written from the run folders.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from './bundle.mjs';
import { runTypeScript } from './runTypeScript.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'runs-dir': { type: 'string', default: join(root, 'runs') },
    'results-only': { type: 'boolean', default: false },
    'results-dir': { type: 'string', default: join(root, 'docs', 'results') },
  },
});
const runsFolder = resolve(values['runs-dir']);
const sweepsFolder = join(root, 'configs', 'sweeps');
const known = readdirSync(sweepsFolder).flatMap((file) => /^desk_(\w+)\.yaml$/.exec(file)?.[1] ?? []);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`desk: there is no experiment ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}
const simdino = join(root, 'dist', 'simdino.mjs');
if (!values['results-only'] && !existsSync(simdino)) {
  console.error('desk: dist/simdino.mjs is missing; run `npm run build` first');
  process.exit(2);
}

const { sweepResultsOf } = await runTypeScript('experiments/store/sweepResultsOf.ts');
let worst = 0;
const toWriteUp = [];
for (const name of positionals.length > 0 ? positionals : known) {
  const id = `desk_${name}`;
  const isMade = existsSync(join(runsFolder, 'sweeps', id, 'sweep.json'));
  if (!values['results-only']) {
    const which = isMade ? ['--resume', id] : [join(sweepsFolder, `${id}.yaml`), '--sweep-id', id];
    const { status, signal } = spawnSync(process.execPath, [simdino, 'sweep', ...which, '--runs-dir', runsFolder], {
      stdio: 'inherit',
    });
    // Stopped on request: what is there is written up, nothing more is begun. A failed cell is a result.
    if (signal !== null || status === 4 || status === 2) worst = status ?? 4;
  } else if (!isMade) {
    console.log(`desk: ${id} was never started in ${runsFolder}`);
    continue;
  }
  toWriteUp.push(id);
  if (worst !== 0) break;
}
// When all are done: pages would be uncommitted changes to the runs that come after them.
mkdirSync(values['results-dir'], { recursive: true });
for (const id of toWriteUp) {
  const sweepFile = `configs/sweeps/${id}.yaml`;
  const comment = readFileSync(join(root, sweepFile), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => line.replace(/^# ?/, ''));
  const { page, summary } = await sweepResultsOf(id, runsFolder, { comment, sweepFile });
  const path = join(values['results-dir'], id);
  writeFileSync(`${path}.md`, page);
  writeFileSync(`${path}.json`, `${JSON.stringify(summary, null, 1)}\n`);
  console.log(`desk: ${path}.md`);
}
process.exitCode = worst;
