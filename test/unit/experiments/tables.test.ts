import { describe, expect, it } from 'vitest';
import { digitsToDistinguish, formatDuration, formatMetric, formatNumber } from '../../../experiments/formatMetric.ts';
import { toCsv, toLatex, toMarkdown } from '../../../experiments/tables.ts';
import type { ResultTable } from '../../../experiments/tables.ts';

const table: ResultTable = {
  title: 'k-NN at 100% & more',
  columns: [
    { label: 'run_a|b', kind: 'text' },
    { label: 'k-NN', kind: 'number' },
  ],
  rows: [
    [{ text: '=cmd("x")' }, { value: 71.234, decimals: 1, spread: { plusMinus: 0.42, n: 3 }, best: true }],
    [{ text: '<img onerror=x>' }, null],
    [{ text: 'a, "b"' }, { value: NaN, decimals: 1 }],
  ],
};

describe('toMarkdown', () => {
  it('sets the best in bold and lets no markup through', () => {
    expect(toMarkdown(table)).toMatchInlineSnapshot(`
      "| run_a\\|b | k-NN |
      | --- | ---: |
      | =cmd("x") | **71.2 ± 0.4 (n = 3)** |
      | &lt;img onerror=x&gt; | – |
      | a, "b" | NaN |
      "
    `);
  });
});

describe('toCsv', () => {
  it('keeps full precision, quotes, and disarms formulas', () => {
    expect(toCsv(table)).toBe(
      [
        'run_a|b,k-NN,k-NN +-,k-NN n',
        '"\'=cmd(""x"")",71.234,0.42,3',
        '<img onerror=x>,,,',
        '"a, ""b""",NaN,,',
        '',
      ].join('\r\n'),
    );
  });
});

describe('toLatex', () => {
  it('is a booktabs table with specials escaped', () => {
    expect(toLatex(table)).toMatchInlineSnapshot(`
      "\\begin{table}
        \\centering
        \\caption{k-NN at 100\\% \\& more}
        \\begin{tabular}{lr}
          \\toprule
          run\\_a|b & k-NN \\\\
          \\midrule
          =cmd("x") & $\\mathbf{71.2} \\pm 0.4$ \\\\
          <img onerror=x> & -- \\\\
          a, "b" & NaN \\\\
          \\bottomrule
        \\end{tabular}
      \\end{table}
      "
    `);
  });
});

describe('numbers', () => {
  it.each([
    [0.22360679, '0.2236'],
    [0.000125, '1.25e\u22124'],
    [12345, '12\u202f345'],
    [-1.5, '\u22121.5'],
    [1e9, '1e9'],
    [0, '0'],
    [100, '100'],
    [123.456, '123.5'],
    [NaN, 'NaN'],
    [-Infinity, '\u2212\u221e'],
    [99999.7, '100\u202f000'],
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('has as many digits as it takes to tell numbers apart', () => {
    const shown = (values: (number | string | undefined)[]) => {
      const digits = digitsToDistinguish(values);
      return values.map((value) => (typeof value === 'number' ? formatNumber(value, digits) : value));
    };
    expect(shown([0.2236, Math.sqrt(0.05)])).toEqual(['0.2236', '0.22361']);
    expect(shown([0.5, 0.5, 'auto', undefined])).toEqual(['0.5', '0.5', 'auto', undefined]);
    expect(new Set(shown([0.1 + 0.2, 0.3])).size).toBe(2);
    expect(new Set(shown([1e-9, 1.00001e-9])).size).toBe(2);
  });

  it('knows shares, bytes and durations', () => {
    expect(formatMetric('knnTop1', 0.7123)).toBe('71.2 %');
    expect(formatMetric('memoryBytes', 3 * 2 ** 30)).toBe('3.0 GiB');
    expect(formatDuration(12_400)).toBe('12 s');
    expect(formatDuration(200_000)).toBe('3 min 20 s');
    expect(formatDuration(1_525_000)).toBe('25 min');
    expect(formatDuration(7_500_000)).toBe('2 h 05 min');
  });
});
