import { describe, expect, test } from 'vitest';
import { presets } from '../../../configs/presets.ts';
import { completions, type Completion } from '../../../configs/language/completion.ts';

/** `|` marks the cursor. */
function at(marked: string, path = 'my.simdino.yaml'): Completion[] {
  const offset = marked.indexOf('|');
  return completions(marked.replace('|', ''), offset, path);
}

const labels = (marked: string, path?: string): string[] => at(marked, path).map(({ label }) => label);

/** The text after the completion of that label is taken. */
function taken(marked: string, label: string): string {
  const text = marked.replace('|', '');
  const found = at(marked).find((completion) => completion.label === label);
  if (!found) throw new Error(`no completion ${label}; there are ${labels(marked).join(', ')}`);
  return text.slice(0, found.start) + found.insert + text.slice(found.end);
}

describe('keys', () => {
  test('of the top level, without those that are there', () => {
    expect(labels('|')).toContain('extends');
    expect(labels('method: simdino\n|\ndata:\n  kind: idx\n')).not.toContain('method');
    expect(labels('method: simdino\nlo|')).toContain('loss');
    expect(labels('lo|\nmethod: simdino\n')).toContain('loss');
  });

  test.each([
    'loss:\n  |',
    'loss:\n  ep|',
    'loss:\n  gamma: auto\n  |',
    'loss:\n  |\n  gamma: auto\n',
    'loss:\n  gamma: auto\n  ep|\n  pairs: all\n',
    'loss:\n  gamma: auto\n  |\ntrain:\n  epochs: 1\n',
    'loss: { | }',
    'loss: { ep| }',
    'loss: {|',
    'loss: { gamma: auto, ep|',
    'loss: { gamma: auto, ep| }',
    'loss:\n  # why\n  ep|s: 0.3\n',
  ])('of a section: %j', (marked) => {
    expect(labels(marked)).toContain('eps');
    expect(labels(marked)).not.toContain('epochs');
  });

  test('of a nested section', () => {
    expect(labels('loss:\n  codingRate:\n    |\n')).toEqual(['on', 'normalise', 'groups']);
    expect(labels('loss:\n  codingRate: { on: student, | }\n')).toEqual(['normalise', 'groups']);
    expect(labels('crops:\n  global:\n    sizePx: 28\n  |\n')).toEqual([
      'recipe',
      'local',
      'flip',
      'jitter',
      'grayscale',
    ]);
  });

  test('what is inserted', () => {
    expect(taken('loss:\n  ep|', 'eps')).toBe('loss:\n  eps: ');
    expect(taken('loss:\n  ep|s: 0.3', 'eps')).toBe('loss:\n  eps: 0.3');
    expect(taken('loss:\n  co|', 'codingRate')).toBe('loss:\n  codingRate:\n    ');
    expect(taken('loss: { co| }', 'codingRate')).toBe('loss: { codingRate:  }');
  });

  test('carry their meaning', () => {
    const eps = at('loss:\n  ep|').find(({ label }) => label === 'eps');
    expect(eps?.detail).toBe('a number above 0 and at most 100');
    expect(eps?.markdown).toContain('quantisation error');
  });
});

describe('values', () => {
  test('of a choice, the default marked', () => {
    expect(at('loss:\n  preset: |').map(({ label, detail }) => [label, detail])).toEqual([
      ['reference', 'default'],
      ['paper', ''],
    ]);
    expect(labels('loss: { gamma: ba| }')).toEqual(['auto', 'balanced']);
    expect(labels('data: { kind: |')).toContain('fashion-mnist');
    expect(taken('loss: { pairs: cro|ss }', 'crossView')).toBe('loss: { pairs: crossView }');
  });

  test('numbers: the default and the paper\u2019s', () => {
    expect(at('train:\n  epochs: |').map(({ label, detail }) => [label, detail])).toEqual([['100', 'default, paper']]);
    expect(at('optim:\n  clipGradNorm: |\n').map(({ label, detail }) => [label, detail])).toEqual([
      ['3', 'default'],
      ['0.3', 'paper'],
    ]);
    expect(at('crops:\n  local: { scale: | }').map(({ label, detail }) => [label, detail])).toEqual([
      ['[0.05, 0.4]', 'default, paper'],
    ]);
  });

  test('presets', () => {
    expect(labels('extends: |')).toEqual([...presets]);
    expect(labels('extends: qu|')).toEqual([...presets]);
  });
});

test('nothing in comments, in texts, or in files of others', () => {
  expect(at('# lo|')).toEqual([]);
  expect(at('loss: # ep|')).toEqual([]);
  expect(at('data: { path: "im| ages" }')).toEqual([]);
  expect(at('lo|', 'docker-compose.yaml')).toEqual([]);
});

describe('sweeps', () => {
  test('keys of the file, dotted keys of configurations, choices', () => {
    expect(labels('base: tiny\naxes: { loss.eps: [1] }\n|', 'configs/x.yaml')).toContain('seeds');
    expect(labels('base: tiny\naxes:\n  loss.e|', 'configs/x.yaml')).toContain('loss.eps');
    expect(labels('base: tiny\naxes:\n  loss.eps: [1]\nset: { tr| }', 'configs/x.yaml')).toContain('train.epochs');
    expect(labels('base: tiny\naxes:\n  loss.pairs: [all, |]', 'configs/x.yaml')).toEqual(['all', 'crossView']);
    expect(labels('base: |\naxes:\n  loss.pairs: [all]', 'my.simdino.yaml')).toContain('tiny');
    expect(labels('base: tiny\naxes: { loss.eps: [1] }\nmetric: |', 'configs/x.yaml')).toContain('knnTop1');
  });
});
