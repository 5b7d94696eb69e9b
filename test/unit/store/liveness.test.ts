import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isSameProcessAlive, LivenessWatch, type Machine } from '../../../experiments/store/liveness.ts';
import { currentProcess, findProcess } from '../../../experiments/store/processIdentity.ts';
import { staleAfterMs } from '../../../protocol/runFolder.ts';
import { elsewhere } from './runFolders.ts';

const here = { pid: 10, startTime: '500', hostname: 'h', bootId: 'b' };

function machine(processes: Record<number, string>): Machine & { clockMs: number } {
  const fake = {
    clockMs: 0,
    hostname: 'h',
    bootId: () => 'b',
    find: (pid: number) =>
      Promise.resolve(
        processes[pid] === undefined
          ? { kind: 'absent' as const }
          : { kind: 'present' as const, startTime: processes[pid] },
      ),
    nowMs: () => fake.clockMs,
  };
  return fake;
}

describe('LivenessWatch', () => {
  it('lets the process table decide on the same host and boot', async () => {
    const watch = new LivenessWatch(machine({ 10: '500' }));
    expect(await watch.check('run', here, '1')).toBe('alive');
    expect(await watch.check('run', { ...here, pid: 11 }, '1')).toBe('gone');
  });

  it('does not take a reused pid for the run', async () => {
    const watch = new LivenessWatch(machine({ 10: '777' }));
    expect(await watch.check('run', here, '1')).toBe('gone');
  });

  it('never calls a silent process of another host or boot gone', async () => {
    const fake = machine({});
    const watch = new LivenessWatch(fake);
    for (const identity of [elsewhere, { ...here, bootId: 'an earlier boot' }]) {
      fake.clockMs = 0;
      expect(await watch.check(identity.bootId, identity, '1')).toBe('undecided');
      fake.clockMs = staleAfterMs - 1;
      expect(await watch.check(identity.bootId, identity, '1')).toBe('undecided');
      fake.clockMs = staleAfterMs;
      expect(await watch.check(identity.bootId, identity, '1')).toBe('silent');
    }
  });

  it('believes a heartbeat that advances, and for 30 s after its last beat', async () => {
    const fake = machine({});
    const watch = new LivenessWatch(fake);
    await watch.check('run', elsewhere, '1');
    fake.clockMs = 1000;
    expect(await watch.check('run', elsewhere, '2')).toBe('alive');
    fake.clockMs = 1000 + staleAfterMs - 1;
    expect(await watch.check('run', elsewhere, '2')).toBe('alive');
    fake.clockMs = 1000 + staleAfterMs;
    expect(await watch.check('run', elsewhere, '2')).toBe('silent');
    expect(await watch.check('run', elsewhere, '3')).toBe('alive');
  });

  it('asks the heartbeat where the system tells no start times', async () => {
    const fake = machine({ 10: '' });
    const watch = new LivenessWatch(fake);
    expect(await watch.check('run', here, '1')).toBe('undecided');
    expect(await watch.check('run', here, '2')).toBe('alive');
    expect(await watch.check('run', { ...here, pid: 11 }, '3')).toBe('gone');
  });

  it('judges by the heartbeat when the attempt has no readable record', async () => {
    const watch = new LivenessWatch(machine({}));
    expect(await watch.check('run', null, null)).toBe('undecided');
    expect(await watch.check('run', null, '1')).toBe('alive');
  });
});

describe('findProcess', () => {
  it('finds this process with a start time that does not change', async () => {
    const self = currentProcess();
    expect(self.pid).toBe(process.pid);
    expect(self.hostname).not.toBe('');
    const found = await findProcess(process.pid);
    expect(found).toEqual({ kind: 'present', startTime: self.startTime });
  });

  it('knows this process from another with its pid, and from one elsewhere', () => {
    const self = currentProcess();
    expect(isSameProcessAlive(self)).toBe(true);
    expect(isSameProcessAlive({ ...self, startTime: '1' })).toBe(false);
    expect(isSameProcessAlive({ ...self, bootId: 'another' })).toBe(false);
  });

  it('does not find a process that ended, nor pids that nobody can have', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    const pid = child.pid as number;
    await once(child, 'exit');
    expect(await findProcess(pid)).toEqual({ kind: 'absent' });
    for (const bad of [0, -1, Number.NaN, 1.5]) expect(await findProcess(bad)).toEqual({ kind: 'absent' });
  });
});
