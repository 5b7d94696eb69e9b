// node scripts/build.mjs [--watch] [--production]: writes dist/.
import { bundle } from './bundle.mjs';

const watch = process.argv.includes('--watch');
const startedAt = performance.now();
try {
  await bundle({ watch, production: process.argv.includes('--production') });
  console.log(
    watch
      ? 'build: watching; Ctrl-C stops'
      : `build: dist/ in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  );
} catch (error) {
  // esbuild prints its own findings, with positions.
  if (!('errors' in error)) console.error(error.message);
  process.exitCode = 1;
}
