/**
 * `npm run bench -- NAME` runs bench/NAME.ts against its peer; its last line of output is one JSON object: name, ratio
 * (ours against the peer, above 1 is better), ours, peer, unit, hardware.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.mjs';
import { runTypeScript, WITH_PACKAGES } from './runTypeScript.mjs';

const all = ['cpu', 'gpu', 'data', 'ui', 'yaml', 'manage', 'parallel', 'handOver', 'scaling'];
const present = readdirSync(join(root, 'bench'));
const names = all.filter((name) => present.includes(`${name}.ts`));
const name = process.argv[2];
if (name === undefined || !names.includes(name)) {
  console.error(`Give the name of a benchmark: ${names.join(', ')}.`);
  process.exitCode = 2;
} else await runTypeScript(`bench/${name}.ts`, name === 'gpu' ? WITH_PACKAGES : undefined);
