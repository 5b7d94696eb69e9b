import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce } from './installOnce.ts';

const version = '2.20.0';
const run = promisify(execFile);

/** A Python that can import TensorBoard, in the cache of the tests; undefined where it can't be had. */
export async function tensorboardPython(): Promise<string | undefined> {
  if (!(await hasPythonPackages())) return undefined;
  const folder = await installOnce(`tensorboard-${version}`, async (target) => {
    // Not a virtual environment: that would hold the path of the folder in which it is made, and the folder is moved.
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--retries', '1', '--timeout', '20'];
    await run(
      'python3',
      [
        '-m',
        'pip',
        'install',
        ...quiet,
        '--target',
        join(target, 'packages'),
        `tensorboard==${version}`,
        'setuptools<81',
      ],
      {
        timeout: 240_000,
      },
    );
  }).catch(() => undefined); // no network, or no such package for this Python: the test is skipped by name
  if (folder === undefined) return undefined;
  process.env['PYTHONPATH'] = join(folder, 'packages');
  return 'python3';
}

async function hasPythonPackages(): Promise<boolean> {
  return run('python3', ['-m', 'pip', '--version']).then(
    () => true,
    () => false,
  );
}
