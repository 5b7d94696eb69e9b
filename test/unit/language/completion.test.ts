import { describe, expect, test } from 'vitest';
import { presets } from '../../../configs/presets.ts';
import { completions, type Completion, type CompletionOptions } from '../../../configs/language/completion.ts';
import type { Method } from '../../../configs/schema.ts';

/** `|` marks the cursor. */
function at(marked: string, { path = 'my.simdino.yaml', ...options }: Place = {}): Completion[] {
  const offset = marked.indexOf('|');
  return completions(marked.replace('|', ''), offset, path, options);
}

type Place = CompletionOptions & { path?: string };
const labels = (marked: string, place?: Place): string[] => at(marked, place).map(({ label }) => label);

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
    const clip = (method?: Method) =>
      at('optim:\n  clipGradNorm: |\n', { method }).map(({ label, detail }) => [label, detail]);
    expect(clip('simdino')).toEqual([
      ['3', 'default'],
      ['0.3', 'paper'],
    ]);
    expect(clip('simdinov2')).toEqual([['3', 'default, paper']]);
    expect(clip()).toEqual([['3', 'default']]);
    // The paper's 0.002 is for a batch of 1024; ours is per 256.
    expect(labels('optim:\n  lr: |\n', { method: 'simdino' })).toEqual(['0.0005']);
    expect(at('crops:\n  local: { scale: | }').map(({ label, detail }) => [label, detail])).toEqual([
      ['[0.05, 0.4]', 'default, paper'],
    ]);
  });

  test('presets', () => {
    expect(labels('extends: |')).toEqual([...presets]);
    expect(labels('extends: qu|')).toEqual([...presets]);
    const references = () => [{ name: 'paper/table6/official', detail: 'preset of the paper' }];
    const [found] = at('extends: paper/ta|b\n', { references }).slice(presets.length);
    expect(found).toMatchObject({ label: 'paper/table6/official', detail: 'preset of the paper', start: 9, end: 18 });
    expect(labels('base: p|\naxes: { loss.eps: [1] }\n', { references })).toContain('paper/table6/official');
  });
});

test('nothing in comments, in texts, or in files of others', () => {
  expect(at('# lo|')).toEqual([]);
  expect(at('loss: # ep|')).toEqual([]);
  expect(at('data: { path: "im| ages" }')).toEqual([]);
  expect(at('lo|', { path: 'docker-compose.yaml' })).toEqual([]);
});

describe('sweeps', () => {
  test('keys of the file, dotted keys of configurations, choices', () => {
    expect(labels('base: tiny\naxes: { loss.eps: [1] }\n|', { path: 'configs/x.yaml' })).toContain('seeds');
    expect(labels('base: tiny\naxes:\n  loss.e|', { path: 'configs/x.yaml' })).toContain('loss.eps');
    expect(labels('base: tiny\naxes:\n  loss.eps: [1]\nset: { tr| }', { path: 'configs/x.yaml' })).toContain(
      'train.epochs',
    );
    expect(labels('base: tiny\naxes:\n  loss.pairs: [all, |]', { path: 'configs/x.yaml' })).toEqual([
      'all',
      'crossView',
    ]);
    expect(labels('base: |\naxes:\n  loss.pairs: [all]')).toContain('tiny');
    expect(labels('base: tiny\naxes: { loss.eps: [1] }\nmetric: |', { path: 'configs/x.yaml' })).toContain('knnTop1');
  });
});
