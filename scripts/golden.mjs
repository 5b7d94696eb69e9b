// node scripts/golden.mjs [--dir FOLDER] [--only a,b] [--engine webgpu]: the golden suite, on its own files or on another folder of the same
// format, by the CPU engine or another one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './bundle.mjs';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, only: { type: 'string' }, engine: { type: 'string' } },
});
if (values.dir !== undefined && !existsSync(values.dir)) {
  console.error(`test:golden: no folder at ${values.dir}.`);
  process.exit(2);
}
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'golden'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    SIMDINO_GOLDEN_REPORT: '1',
    ...(values.dir === undefined ? {} : { SIMDINO_GOLDEN_DIR: resolve(values.dir) }),
    ...(values.only === undefined ? {} : { SIMDINO_GOLDEN_ONLY: values.only }),
    ...(values.engine === undefined ? {} : { SIMDINO_GOLDEN_ENGINE: values.engine }),
  },
});
process.exit(status ?? 1);
