import { spawnSync } from 'node:child_process';

/** A Python that can import torch: the one that SIMDINO_PYTHON names, the one on the PATH, or Debian's with its `python3-torch`. */
export function findTorch(): string | undefined {
  const candidates = [process.env['SIMDINO_PYTHON'], 'python3', '/usr/bin/python3'];
  return candidates.find((python) => python !== undefined && canImport(python, 'torch'));
}

export function canImport(python: string, packageName: string): boolean {
  return spawnSync(python, ['-c', `import ${packageName}`], { stdio: 'ignore', timeout: 60_000 }).status === 0;
}
