import { expect, test } from 'vitest';
import { extendedConfig } from '../../../configs/extendedConfig.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { resolvedText } from '../../../configs/resolvedText.ts';
import { loadFrom } from './presetFiles.ts';

const extended = (text: string, files: Record<string, string> = {}) =>
  extendedConfig(readConfig(text, { path: 'my.yaml', load: loadFrom(files) }));
const lines = (config: ReturnType<typeof extended>) => resolvedText(config!, '').split('\n');

test('what a file extends, without what the file changes', () => {
  const own = readConfig('extends: tiny\nloss: { eps: 0.4 }\n', { path: 'my.yaml', load: loadFrom({}) });
  expect(extendedConfig(own)?.loss.eps).toBeCloseTo(0.2236, 4);
  // Resolved side by side, only the lines of changed keys differ.
  const before = lines(extendedConfig(own));
  const after = lines(own.config);
  expect(after.filter((line, i) => line !== before[i])).toEqual(['  eps: 0.4']);
});

test('a base that leaves open what its extender adds, or that is faulty', () => {
  const open = extended('extends: base.yaml\ndata: { kind: synthetic }\n', { 'base.yaml': 'seed: 4\n' });
  expect(open?.seed).toBe(4);
  expect(extended('extends: base.yaml\n', { 'base.yaml': 'extends: tiny\nloss: { epss: 1 }\n' })?.train.batchSize).toBe(
    16,
  );
});

test('nothing without extends', () => expect(extended('data: { kind: synthetic }\n')).toBeUndefined());
