import { describe, expect, test } from 'vitest';
import { formatDiagnostics, type Diagnostic } from '../../../configs/diagnostic.ts';
import { nearest } from '../../../configs/nearest.ts';

function at(text: string, marked: string): Diagnostic {
  const start = text.indexOf(marked);
  const before = text.slice(0, start).split('\n');
  return {
    start,
    end: start + marked.length,
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    severity: 'error',
    code: 'invalidValue',
    message: 'Wrong.',
    remedy: 'Mend it.',
    path: '',
    keys: [],
    suggestions: [],
  };
}

describe('terminal form', () => {
  test('the caret stands under the place, tabs and all', () => {
    const text = 'a:\n\tb: \tcc # d\n';
    expect(formatDiagnostics([at(text, 'cc')], text, 'x.yaml')).toBe(
      'x.yaml:2:6 error: Wrong. Mend it.\n2 | \tb: \tcc # d\n  | \t   \t^^',
    );
  });

  test('a place over several lines is marked to the end of its first', () => {
    const text = 'a: [1,\n  2]\n';
    expect(formatDiagnostics([at(text, '[1,\n  2]')], text, 'x.yaml')).toBe(
      'x.yaml:1:4 error: Wrong. Mend it.\n1 | a: [1,\n  |    ^^^',
    );
  });

  test('the end of a file without a last line break', () => {
    const diagnostic = { ...at('a', 'a'), start: 1, end: 1, column: 2 };
    expect(formatDiagnostics([diagnostic], 'a', 'x.yaml')).toBe('x.yaml:1:2 error: Wrong. Mend it.\n1 | a\n  |  ^');
  });
});

describe('the nearest name', () => {
  const names = ['eps', 'epochs', 'batchSize', 'gamma', 'gammaFactor', 'momentum'];
  test.each([
    ['epss', 'eps'],
    ['batch_size', 'batchSize'],
    ['batch-size', 'batchSize'],
    ['BATCHSIZE', 'batchSize'],
    ['momentm', 'momentum'],
    ['momnetum', 'momentum'],
    ['gama', 'gamma'],
  ])('to %s is %s', (typed, meant) => expect(nearest(typed, names)).toBe(meant));
  test.each(['temperature', 'x', ''])('to %j is none', (typed) => expect(nearest(typed, names)).toBeUndefined());
});
