import { describe, expect, test } from 'vitest';
import { checkInput, fieldChoices, type CheckedInput } from '../../../configs/language/fieldChoices.ts';
import { readConfig, type ReadOptions } from '../../../configs/readConfig.ts';
import { resolvedText } from '../../../configs/resolvedText.ts';
import { loadFrom, loadFromRepository, yamlFiles } from '../configs/presetFiles.ts';

const options: ReadOptions = { path: 'my.yaml', load: loadFrom({}) };
const text = 'extends: tiny # small\nloss:\n  eps: 0.3 # tuned\n';
const check = (path: string, input: string): CheckedInput => checkInput(text, path, input, options);

test('every key with its value and where that comes from, what is written first', () => {
  const choices = fieldChoices(readConfig(text, options));
  expect(choices[0]).toMatchObject({ row: { path: 'loss.eps' }, value: 0.3, origin: 'written' });
  const of = (path: string) => choices.find(({ row }) => row.path === path);
  expect(of('train.batchSize')).toMatchObject({ value: 16, origin: 'extended' });
  expect(of('loss.gamma')).toMatchObject({ value: 'auto', origin: 'default' });
  expect(of('data.path')).toMatchObject({ value: undefined, origin: 'default' });
  expect(of('loss')).toBeUndefined();
});

describe('input', () => {
  test('a good value is an edit that keeps comments', () => {
    expect(check('loss.eps', '0.4')).toMatchObject({
      edit: { text: 'extends: tiny # small\nloss:\n  eps: 0.4 # tuned\n', changesAlso: [] },
    });
    expect(check('crops.local.scale', '[0.2, 0.5]')).toMatchObject({
      edit: { text: `${text}crops:\n  local:\n    scale: [0.2, 0.5]\n` },
    });
  });

  test.each([
    ['loss.eps', '-1', '`loss.eps` must be a number above 0 and at most 100, got -1. The default is 0.223607.'],
    ['loss.eps', '[1,', '"[1," is not a YAML value.'],
    ['loss.eps', ' ', 'Give a value.'],
    [
      'loss.gamma',
      'balncd',
      '`loss.gamma` must be `auto`, `balanced` or a number 0 or more, got "balncd". Did you mean `balanced`?',
    ],
    [
      'loss.codingRate.groups',
      '3',
      'loss.codingRate.groups 3 does not divide train.batchSize 16. Set it to a divisor, such as 2.',
    ],
    ['extends.x', '1', "`extends.x` can't be edited: `extends` is not a section. Edit the text by hand."],
  ])('%s: %j', (path, input, fault) => expect(check(path, input)).toEqual({ fault }));

  test('a value that the paper speaks against may be written', () => {
    expect(check('loss.eps', '0.05')).toMatchObject({
      edit: {},
      warning: expect.stringContaining('epsilon squared') as string,
    });
  });
});

test.each(yamlFiles())('$path resolved reads back as the same configuration', ({ path, text: preset }) => {
  const { config } = readConfig(preset, { path, load: loadFromRepository });
  if (!config) throw new Error(`${path} is not valid`);
  const shown = resolvedText(config, `Resolved from ${path}`);
  expect(shown).toMatch(/^# Resolved from /);
  expect(shown).toMatch(/scale: \[0\.\d+, [\d.]+\]\n/);
  const again = readConfig(shown, { path: 'resolved.yaml', load: loadFromRepository });
  expect(again.diagnostics).toEqual([]);
  expect(again.config).toEqual(config);
});
