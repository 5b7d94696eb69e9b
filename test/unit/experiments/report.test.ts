import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureSvg } from '../../../experiments/figureSvg.ts';
import { linearTicks, logTicks } from '../../../experiments/axisTicks.ts';
import { flattenConfig } from '../../../experiments/flattenConfig.ts';
import { decodeReport, encodeReport } from '../../../experiments/reportData.ts';
import { reportHtml } from '../../../experiments/reportHtml.ts';
import { run, series } from './fixtureRuns.ts';

const report = (overrides = {}) => ({
  title: 'r',
  createdAtMs: 1,
  studioVersion: '0.1.0',
  runs: [run({ id: 'a', name: '</script><img src=x onerror=alert(1)>', last: { loss: NaN, gap: -Infinity } })],
  series: [series({ value: Float64Array.from([1.5, NaN, Infinity, -0]) })],
  grids: [],
  baseId: 'a',
  ...overrides,
});

describe('report data', () => {
  it('comes back bit for bit, NaN included, and holds no markup', () => {
    const text = encodeReport(report());
    expect(text).not.toMatch(/[<>&]/);
    expect(decodeReport(text)).toEqual(report());
  });

  it('keeps any doubles and any names', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.string({ unit: 'binary' }), (values, name) => {
        const data = report({ runs: [run({ id: 'a', name })], series: [series({ value: Float64Array.from(values) })] });
        expect(decodeReport(encodeReport(data))).toEqual(data);
      }),
    );
  });

  it('stores equal columns once', () => {
    const two = report({
      series: [series({ value: new Float64Array(1000) }), series({ metric: 'lr', value: new Float64Array(1000) })],
    });
    const columns = (JSON.parse(encodeReport(two)) as { columns: string[] }).columns;
    expect(columns.length).toBe(4);
  });

  it('refuses what is damaged or newer', () => {
    const encoded = JSON.parse(encodeReport(report())) as Record<string, unknown>;
    expect(() => decodeReport(JSON.stringify({ ...encoded, version: 2 }))).toThrow('format 2');
    expect(() => decodeReport(JSON.stringify({ ...encoded, runs: [{}] }))).toThrow('damaged');
    expect(() => decodeReport(JSON.stringify({ ...encoded, columns: [] }))).toThrow('lacks a column');
  });
});

describe('reportHtml', () => {
  const html = reportHtml({
    title: '<img onerror=x> & "quotes"',
    script: 'const a = "</script><!--";\n//# sourceMappingURL=report.js.map\n',
    style: 'a::after{content:"</style>"}',
    data: encodeReport(report()),
    nonce: 'abcdefgh12345678',
  });

  it('lets no name, script or style end its element', () => {
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).not.toContain('<img');
    expect(html).not.toContain('<!--');
    expect(html).not.toContain('sourceMappingURL');
  });

  it('carries its data and a policy that fetches nothing', () => {
    const data = /id="report-data">(.*)<\/script>/.exec(html)![1]!;
    expect(decodeReport(data).runs[0]!.name).toBe('</script><img src=x onerror=alert(1)>');
    expect(html).toContain("default-src 'none'; script-src 'nonce-abcdefgh12345678'");
  });
});

describe('figureSvg', () => {
  const figure = {
    title: 'a < b',
    xLabel: 'step',
    yLabel: 'loss',
    logarithmicY: false,
    widthPx: 400,
    heightPx: 300,
    lines: [{ label: '<one>', colour: '#f00', x: [0, 1, 2, 3], y: [1, NaN, 2, 3] }],
  };

  it('breaks the line at a gap and escapes words', () => {
    const svg = figureSvg(figure);
    expect(svg).toMatch(/d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+L[\d.]+ [\d.]+"/);
    expect(svg).toContain('a &#60; b');
    expect(svg).not.toContain('<one>');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws nothing finite as an empty figure, and a log axis without zero', () => {
    expect(figureSvg({ ...figure, lines: [] })).not.toMatch(/NaN|Infinity/);
    const log = {
      ...figure,
      logarithmicY: true,
      lines: [{ label: 'l', colour: '#000', x: [0, 1, 2], y: [0, 1, 100] }],
    };
    expect(figureSvg(log)).not.toMatch(/NaN|Infinity/);
    expect(figureSvg({ ...figure, lines: [{ label: 'l', colour: '#000', x: [1], y: [2] }] })).not.toMatch(
      /NaN|Infinity/,
    );
  });
});

describe('ticks', () => {
  it('are round and inside', () => {
    expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(-0.013, 0.027, 4)).toEqual([-0.01, 0, 0.01, 0.02]);
    expect(logTicks(0.5, 2000)).toEqual([1, 10, 100, 1000]);
    expect(logTicks(2, 8)).toEqual([2, 5]);
    expect(linearTicks(3, 3, 5)).toEqual([3]);
  });
});

describe('flattenConfig', () => {
  it('dots the keys and writes lists as text', () => {
    expect(flattenConfig({ a: { b: 1, c: [0.4, 1], d: null }, e: 'x', f: undefined })).toEqual({
      'a.b': 1,
      'a.c': '[0.4,1]',
      'a.d': null,
      e: 'x',
    });
  });
});
