import { describe, expect, test } from 'vitest';
import { documentKind, hasForeignSchema } from '../../../configs/documentKind.ts';
import { ourDuties, type Duties } from '../../../configs/language/duties.ts';
import { yamlFiles, configsFolder } from '../configs/presetFiles.ts';

describe('which files are ours', () => {
  test.each(yamlFiles())('$path', ({ path, text }) => expect(documentKind(path, text)).toBe('config'));
  test.each(yamlFiles(`${configsFolder}/sweeps`))('$path', ({ path, text }) =>
    expect(documentKind(path, text)).toBe('sweep'),
  );

  test.each([
    ['a/my.simdino.yaml', '', 'config'],
    ['a/my.simdino.yml', 'axes: {}\n', 'sweep'],
    ['a/any.yaml', '# x\nmethod: simdino\n', 'config'],
    ['a/any.yml', 'extends: quickstart\n', 'config'],
    ['a/any.yml', 'extends: paper/\n', 'config'],
    ['a/any.yaml', 'extends: ../base.yaml # mine\nloss: { eps: 0.3 }\n', 'config'],
    ['a/any.yaml', 'method: dino\ncrops: {}\n', 'config'],
    ['a/any.yaml', 'base: quickstart\naxes:\n', 'sweep'],
    ['a/any.yaml', '# yaml-language-server: $schema=../configs/simdino/schema.json\nseed: 1\n', 'config'],
    ['configs/new.yaml', '', 'config'],
    ['C:\\work\\configs\\new.yaml', '# a SimDINO run\nmetho', 'config'],
  ] as const)('%s with %j is a %s', (path, text, kind) => expect(documentKind(path, text)).toBe(kind));

  test.each([
    ['configs/hydra.yaml', 'defaults:\n  - model: resnet\nloss: { name: ce }\n'],
    ['any.yaml', 'axes: [x, y]\n'],
    ['any.yaml', ''],
    ['any.yaml', 'model:\n  method: simdino\n'],
    ['README.md', 'method: simdino\n'],
    ['.eslintrc.yaml', 'extends: ./base.yaml\nrules: {}\n'],
    ['any.yaml', 'method: dino\nlr: 3\n'],
  ])('%s with %j is none', (path, text) => expect(documentKind(path, text)).toBeUndefined());
});

describe('beside another YAML server', () => {
  const said = (duties: Duties) => [
    duties.completion,
    duties.hover,
    duties.outline,
    duties.diagnostics('syntax'),
    duties.diagnostics('unknownKey'),
  ];
  const all = { validate: true, completion: true, hover: true };

  test('alone we do everything', () => {
    const duties = ourDuties(undefined);
    expect(said(duties)).toEqual([true, 'whole', true, true, true]);
  });

  test('it says what the schema says, we say the rest', () => {
    const duties = ourDuties({ ...all, hasSchema: true });
    expect(said(duties)).toEqual([false, 'derived', false, false, false]);
    expect(duties.diagnostics('relation') && duties.diagnostics('paper') && duties.diagnostics('extendsMissing')).toBe(
      true,
    );
  });

  test('without our schema it only reads YAML', () => {
    const duties = ourDuties({ ...all, hasSchema: false });
    expect(said(duties)).toEqual([true, 'whole', false, false, true]);
  });

  test('what is turned off there is done here', () => {
    const duties = ourDuties({ validate: false, completion: false, hover: false, hasSchema: true });
    expect(said(duties)).toEqual([true, 'whole', false, true, true]);
  });

  test('it has our schema by the name of the file or a modeline', () => {
    expect(hasForeignSchema('a.simdino.yaml', '')).toBe(true);
    expect(hasForeignSchema('a.yaml', '# yaml-language-server: $schema=x.json\n')).toBe(true);
    expect(hasForeignSchema('configs/a.yaml', 'method: simdino\n')).toBe(false);
  });
});
