import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchLogPath, spawnRuntime, waitForFile } from '../../../extension/launch/spawnRuntime.ts';
import { descendants, killTree } from '../../../experiments/store/killTree.ts';
import { findProcess } from '../../../experiments/store/processIdentity.ts';
import { currentProcess, findProcessSync } from '../../../experiments/store/processIdentity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simdino-spawn-'));
});
afterEach(() => rm(folder, { recursive: true }));

const node = { path: process.execPath, version: process.version, environment: {}, source: 'setting' as const };
async function launch(source: string, args: string[] = []) {
  const script = join(folder, 'script.cjs');
  await writeFile(script, source);
  return spawnRuntime({ node, script, args, workingFolder: folder, logPath: launchLogPath(folder, 'r') });
}
const never = () => false;

describe('spawnRuntime', () => {
  it('reports what a process printed that ended before it made its run', async () => {
    const launched = await launch(`console.error('simdino: No data set at /x.'); process.exit(2)`);
    expect(await waitForFile(launched, join(folder, 'run.json'), never)).toEqual({
      kind: 'ended',
      code: 2,
      output: 'simdino: No data set at /x.',
    });
    expect(readFileSync(launched.logPath, 'utf8')).toMatch(/^\$ .*script\.cjs/);
  });

  it('shows only the last process of a log', async () => {
    const first = await launch(`console.log('one')`);
    await waitForFile(first, undefined, never);
    const second = await launch(`console.log('two')`);
    expect(await waitForFile(second, undefined, never)).toMatchObject({ code: 0, output: 'two' });
  });

  it('returns as soon as the run is there', async () => {
    const launched = await launch(`require('fs').writeFileSync('run.json', '{}'); setTimeout(() => {}, 60000)`);
    expect(await waitForFile(launched, join(folder, 'run.json'), never)).toEqual({ kind: 'created' });
    process.kill(launched.pid, 'SIGKILL');
  });

  it('stops waiting when asked to', async () => {
    const launched = await launch(`setTimeout(() => {}, 60000)`);
    expect(await waitForFile(launched, join(folder, 'run.json'), () => true)).toEqual({ kind: 'cancelled' });
    process.kill(launched.pid, 'SIGKILL');
  });

  it('reports an executable that can not be started', async () => {
    const plan = { script: 'x', args: [], workingFolder: folder, logPath: join(folder, 'log') };
    await expect(spawnRuntime({ ...plan, node: { ...node, path: join(folder, 'none') } })).rejects.toThrow('ENOENT');
  });

  it.skipIf(process.platform === 'win32')('puts the process into a session of its own', async () => {
    const launched = await launch(`setTimeout(() => {}, 60000)`);
    const sessionOf = (pid: number): string => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] as string;
    };
    if (existsSync('/proc/self/stat')) {
      expect(sessionOf(launched.pid)).toBe(String(launched.pid));
      expect(sessionOf(launched.pid)).not.toBe(sessionOf(process.pid));
    }
    process.kill(launched.pid, 'SIGKILL');
  });
});

describe('killTree', () => {
  it('orders ancestors before descendants', () => {
    const parents = new Map([
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 3],
      [9, 8],
      [1, 1],
    ]);
    expect(descendants(2, parents)).toEqual([2, 3, 4, 5]);
    expect(descendants(1, parents)).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends a process with its children, detached ones included', async () => {
    const launched = await launch(
      `const child = require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { detached: true });
       require('fs').writeFileSync('child', String(child.pid)); setTimeout(() => {}, 60000)`,
    );
    const path = join(folder, 'child');
    await waitForFile(launched, path, never);
    // Read until the pid is whole: the file is there a moment before its content.
    const readChild = (): number => Number(readFileSync(path, 'utf8'));
    while (readChild() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const child = readChild();
    const found = findProcessSync(launched.pid);
    const identity = {
      ...currentProcess(),
      pid: launched.pid,
      startTime: found.kind === 'present' ? found.startTime : '',
    };

    expect(await killTree({ ...identity, startTime: '1' })).toEqual([]);
    expect(await findProcess(child)).toMatchObject({ kind: 'present' });
    expect(await killTree(identity)).toEqual([launched.pid, child]);
    await waitForFile(launched, undefined, never);
    expect(launched.ended()).toBe('SIGKILL');
  });
});
