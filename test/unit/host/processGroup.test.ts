import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../../host/eventually.ts';
import { members, startProcessGroup } from '../../host/processGroup.ts';

const work = mkdtempSync(join(tmpdir(), 'simdino-group-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A process that starts a child which ignores SIGTERM, prints its pid, and sleeps. */
const stubborn = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')"]);
  child.stdout.once('data', () => console.log(child.pid));
  setInterval(() => {}, 1000);
`;

test.skipIf(process.platform === 'win32')(
  'a group ends with its children, even those that will not listen',
  async () => {
    const logPath = join(work, 'log');
    const group = startProcessGroup(process.execPath, ['-e', stubborn], { cwd: work, env: process.env, logPath });
    const child = await eventually(
      'the child',
      20_000,
      async () => Number(readFileSync(logPath, 'utf8').trim()) || undefined,
    );
    expect(members(group.pid)).toContain(child);

    await group.stop(300);
    expect(members(group.pid)).toEqual([]);
  },
);
