import { expect, test } from 'vitest';
import { unexpectedSkips } from '../../host/expectedSkips.ts';
import type { Machine } from '../../host/machine.ts';
import { passed, skipped } from '../../host/outcome.ts';

const debian: Machine = {
  platform: 'linux',
  isRoot: true,
  hasFashionMnist: false,
  hasTorch: true,
  hasTimm: true,
  hasPip: false,
  hasSlurm: false,
  hasOpenMpi: false,
  hasMpich: false,
  hasCompiler: true,
};
const names = (outcomes: { name: string }[]): string[] => outcomes.map(({ name }) => name);

test('the desktop VS Code may be missing on Linux, but nowhere else', () => {
  const outcomes = [skipped('integration in the desktop VS Code', 'no screen')];
  expect(unexpectedSkips(outcomes, debian)).toEqual([]);
  expect(names(unexpectedSkips(outcomes, { ...debian, platform: 'darwin' }))).toEqual([
    'integration in the desktop VS Code',
  ]);
});

test('root has no reason to go without a browser', () => {
  const outcomes = [skipped('e2e: a run in a real VS Code stops', 'no browser'), passed('build')];
  expect(unexpectedSkips(outcomes, { ...debian, isRoot: false })).toEqual([]);
  expect(names(unexpectedSkips(outcomes, debian))).toEqual(['e2e: a run in a real VS Code stops']);
});

test('a skip that is on no list is unexpected', () => {
  expect(names(unexpectedSkips([skipped('coding rate', 'someone was in a hurry')], debian))).toEqual(['coding rate']);
});
