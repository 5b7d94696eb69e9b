// node scripts/golden.mjs [--dir FOLDER] [--only a,b] [--engine webgpu] [--write]: the golden suite, on its own files or on another folder of
// the same format, by the CPU engine or another one. --write puts the worst errors into docs/results/golden.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './bundle.mjs';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    only: { type: 'string' },
    engine: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
if (values.dir !== undefined && !existsSync(values.dir)) {
  console.error(`test:golden: no folder at ${values.dir}.`);
  process.exit(2);
}
if (values.write && [values.dir, values.only, values.engine].some((value) => value !== undefined)) {
  console.error(
    'test:golden: --write is for the whole suite on its own files by the CPU engine; leave out the other options.',
  );
  process.exit(2);
}
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const suite = spawn(process.execPath, [vitest, 'run', '--project', 'golden'], {
  cwd: root,
  stdio: ['inherit', 'pipe', 'inherit'],
  env: {
    ...process.env,
    SIMDINO_GOLDEN_REPORT: '1',
    ...(values.dir === undefined ? {} : { SIMDINO_GOLDEN_DIR: resolve(values.dir) }),
    ...(values.only === undefined ? {} : { SIMDINO_GOLDEN_ONLY: values.only }),
    ...(values.engine === undefined ? {} : { SIMDINO_GOLDEN_ENGINE: values.engine }),
  },
});
let output = '';
suite.stdout.on('data', (text) => {
  process.stdout.write(text);
  output += text;
});
const [status] = await once(suite, 'close');
process.exitCode = status ?? 1;
if (values.write && status === 0) writeTable(join(root, 'docs', 'results', 'golden.md'));

/** The text above the table is kept. */
function writeTable(page) {
  const [text] = readFileSync(page, 'utf8').split(/^\| reference/m);
  const worst = {};
  for (const [, name, precision, error, what] of output.matchAll(
    /^golden (\S+) +(\S+) +worst error (\S+) +\((.*)\)$/gm,
  )) {
    const known = (worst[name] ??= {})[precision];
    if (known === undefined || Number(error) > Number(known.error)) worst[name][precision] = { error, what };
  }
  const cells = (found) => (found === undefined ? '– |  ' : `${found.error} | ${found.what} `);
  const rows = Object.keys(worst)
    .sort()
    .map((name) => `| ${name} | ${cells(worst[name].float64)}| ${cells(worst[name].float32)}|`);
  const head = ['| reference | in double | where | in single | where |', '| --- | ---: | --- | ---: | --- |'];
  const machine = `Node ${process.versions.node}, ${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}`;
  writeFileSync(page, `${text}${[...head, ...rows].join('\n')}\n\nMeasured on ${machine}.\n`);
}
