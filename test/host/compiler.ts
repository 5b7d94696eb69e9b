import { spawnSync } from 'node:child_process';

/** A C compiler that makes shared libraries by gcc's options; none is looked for on Windows. */
export function findCompiler(): string | undefined {
  if (process.platform === 'win32') return undefined;
  return ['gcc', 'cc', 'clang'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}
