// The development loop: bundles and types are rebuilt on every change. Press F5 in VS Code to try the extension.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

await bundle({ watch: true });
console.log('dev: dist/ follows the sources; types are checked below. Ctrl-C stops.');
const types = spawn(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-b', '--watch', '--preserveWatchOutput'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
types.on('exit', (code) => process.exit(code ?? 0));
