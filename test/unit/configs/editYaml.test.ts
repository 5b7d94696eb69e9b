import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdits, removeYamlKey, setYamlValue, yamlInline } from '../../../configs/editYaml.ts';
import { valueAt } from '../../../configs/plainValues.ts';
import { readYaml } from '../../../configs/yamlDocument.ts';
import { yamlFiles } from './presetFiles.ts';

const set = (text: string, path: string, value: unknown): string => setYamlValue(text, path, value).text;

describe('an existing value', () => {
  test('comments, blanks and order stay', () => {
    const text = '# top\nloss:   # why\n\n  eps:   0.3   # tuned\n  gamma: auto\n# end\n';
    expect(set(text, 'loss.eps', 0.5)).toBe('# top\nloss:   # why\n\n  eps:   0.5   # tuned\n  gamma: auto\n# end\n');
  });

  test('in a flow map, in quotes, in a list', () => {
    expect(set('loss: {eps: 0.3, gamma: "auto"} # x\n', 'loss.gamma', 'balanced')).toBe(
      'loss: {eps: 0.3, gamma: balanced} # x\n',
    );
    expect(set('scale: [ 0.4,  1.0 ] # x\n', 'scale', [0.3, 1])).toBe('scale: [ 0.3,  1.0 ] # x\n');
    expect(set('scale:\n  - 0.4 # low\n  - 1\n', 'scale', [0.3, 1])).toBe('scale:\n  - 0.3 # low\n  - 1\n');
    expect(set('blur: [1, 0.1]\n', 'blur', [0.5])).toBe('blur: [0.5]\n');
  });

  test('an empty value', () => {
    expect(set('loss:\n  eps: # to do\n  gamma: auto\n', 'loss.eps', 1)).toBe(
      'loss:\n  eps: 1 # to do\n  gamma: auto\n',
    );
    expect(set('loss:\n  eps:', 'loss.eps', 1)).toBe('loss:\n  eps: 1');
  });

  test('line ends of Windows', () => {
    expect(set('a: 1\r\nb:\r\n  c: 2\r\n', 'b.d', 3)).toBe('a: 1\r\nb:\r\n  c: 2\r\n  d: 3\r\n');
  });
});

describe('a missing value', () => {
  test('goes to the end of its section, indented like its neighbours', () => {
    const text =
      'loss:\n    eps: 0.3\n    codingRate:\n        groups: 8 # GPUs\n# about training\ntrain:\n    epochs: 1\n';
    expect(set(text, 'loss.gamma', 'auto')).toBe(
      'loss:\n    eps: 0.3\n    codingRate:\n        groups: 8 # GPUs\n    gamma: auto\n# about training\ntrain:\n    epochs: 1\n',
    );
    expect(set(text, 'loss.codingRate.on', 'student')).toContain('        groups: 8 # GPUs\n        on: student\n');
  });

  test('sections are made', () => {
    expect(set('seed: 1', 'loss.codingRate.groups', 4)).toBe('seed: 1\nloss:\n  codingRate:\n    groups: 4');
    expect(set('', 'loss.eps', 4)).toBe('loss:\n  eps: 4\n');
    expect(set('# only a comment\n', 'loss.eps', 4)).toBe('# only a comment\nloss:\n  eps: 4\n');
    expect(set('loss:\n  # nothing yet\ntrain: {}\n', 'loss.eps', 4)).toBe(
      'loss:\n  eps: 4\n  # nothing yet\ntrain: {}\n',
    );
    expect(set('train: {}\n', 'train.epochs', 4)).toBe('train: { epochs: 4 }\n');
    expect(set('crops: { flip: 0 }\n', 'crops.local.count', 4)).toBe('crops: { flip: 0, local: { count: 4 } }\n');
  });
});

describe('anchors', () => {
  const text = 'a: &shared { x: 1 }\nb: *shared\nc: { <<: *shared, y: 2 }\n';

  test('an anchor keeps its place, and what refers to it is named', () => {
    expect(setYamlValue('a: &n 1\nb: *n\n', 'a', 2)).toMatchObject({ text: 'a: &n 2\nb: *n\n', changesAlso: ['b'] });
    expect(setYamlValue(text, 'a.x', 5)).toMatchObject({ changesAlso: ['b.x', 'c.x'] });
  });

  test('an alias is replaced by a value of its own', () => {
    expect(setYamlValue('a: &n 1\nb: *n\n', 'b', 2)).toMatchObject({ text: 'a: &n 1\nb: 2\n', changesAlso: [] });
  });

  test('a merged key gets a value of its own', () => {
    expect(set(text, 'c.x', 9)).toBe('a: &shared { x: 1 }\nb: *shared\nc: { <<: *shared, y: 2, x: 9 }\n');
  });

  test('nothing is written through an alias', () => {
    expect(() => set(text, 'b.x', 9)).toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: \`b.x\` can't be edited: \`b\` is an alias of a value that is written elsewhere; edit it there. Edit the text by hand.]`,
    );
    expect(() => set(text, 'b.z', 9)).toThrow('`b` is an alias');
  });

  test('an anchor that is in use is not removed', () => {
    expect(() => removeYamlKey('a: &n 1\nb: *n\n', 'a')).toThrow("can't be edited");
  });
});

describe('what is refused', () => {
  test('a text that is not YAML', () => {
    expect(() => set('a: {\n', 'b', 1)).toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: \`b\` can't be edited: line 2 is not valid YAML (A \`{\` above is not closed). Edit the text by hand.]`,
    );
  });

  test('a key below a value', () => {
    expect(() => set('a: 1\n', 'a.b', 1)).toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: \`a.b\` can't be edited: \`a\` is not a section. Edit the text by hand.]`,
    );
  });
});

describe('removing', () => {
  test.each([
    ['a: 1\nb: 2 # two\nc: 3\n', 'b', 'a: 1\nc: 3\n'],
    ['a: { b: 1, c: 2, d: 3 }\n', 'a.c', 'a: { b: 1, d: 3 }\n'],
    ['a: { b: 1, c: 2 }\n', 'a.c', 'a: { b: 1 }\n'],
    ['a: { b: 1, c: 2 }\n', 'a.b', 'a: { c: 2 }\n'],
    ['a:\n  b:\n    c: 1\n  d: 2\n', 'a.b', 'a:\n  d: 2\n'],
    ['a:\n  b: 1', 'a.b', 'a:\n'],
  ])('%j without %s', (text, path, expected) => {
    expect(removeYamlKey(text, path).text).toBe(expected);
  });
});

test('numbers and texts as people write them', () => {
  expect(
    [1e-6, 0.0005, 1, 1e21, 'auto', 'true', '1', 'a: b', [0.4, 1], { a: [1] }, null, true].map(yamlInline),
  ).toEqual([
    '1e-6',
    '0.0005',
    '1',
    '1e+21',
    'auto',
    '"true"',
    '"1"',
    '"a: b"',
    '[0.4, 1]',
    '{ a: [1] }',
    'null',
    'true',
  ]);
});

test('in every preset, any key can be set to any value, and only that value changes', () => {
  const files = yamlFiles();
  const key = fc.constantFrom(
    'seed',
    'loss.eps',
    'loss.codingRate.groups',
    'crops.local.scale',
    'eval.knn.k',
    'data.path',
    'new.deep.key',
  );
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...files), key, value, ({ text }, path, wished) => {
      const edited = setYamlValue(text, path, wished);
      expect(applyEdits(text, edited.edits)).toBe(edited.text);
      const got = valueAt(readYaml(edited.text).value, path.split('.'));
      // -0 and 0 are one number to whoever reads a configuration.
      expect(JSON.stringify(got)).toBe(JSON.stringify(wished));
      const comments = (source: string): string[] => source.match(/#.*/g) ?? [];
      if (typeof wished !== 'string') expect(comments(edited.text)).toEqual(comments(text));
    }),
    { numRuns: 300 },
  );
});
