import { expect, it } from 'vitest';
import { runsTable } from '../../../experiments/comparisonTable.ts';
import { curveFigure } from '../../../experiments/curveFigure.ts';
import { metricLabels } from '../../../experiments/metricLabels.ts';
import { resultMetrics } from '../../../experiments/resultColumns.ts';
import { tableColumns } from '../../../experiments/runsTable.ts';
import { toCsv, toLatex, toMarkdown } from '../../../experiments/tables.ts';

const labelsOn = (...places: string[]): string[] => {
  const metrics = places.map((place) => `videoJF on ${place}`);
  const labelOf = metricLabels(['loss', ...metrics]);
  return metrics.map((metric) => labelOf(metric).label.replace(/^Video J&F on /, ''));
};

it('names data by the shortest end of their path that tells them apart', () => {
  expect(labelsOn('/data/davis')).toEqual(['davis']);
  expect(labelsOn('/data/davis', '/data/voc')).toEqual(['davis', 'voc']);
  expect(labelsOn('/a/one/photos', '/a/two/photos', '/a/voc')).toEqual(['one/photos', 'two/photos', 'voc']);
  expect(labelsOn('/a/x/photos', '/b/x/photos')).toEqual(['a/x/photos', 'b/x/photos']);
  // The end of a folder's name is not an end of the path.
  expect(labelsOn('/data/photos', '/data/my-photos')).toEqual(['photos', 'my-photos']);
  expect(labelsOn('C:\\data\\davis', 'D:\\data\\davis')).toEqual(['C:\\data\\davis', 'D:\\data\\davis']);
});

it('keeps a path whole that another one ends with, and data that have no path', () => {
  expect(labelsOn('/photos', '/a/photos')).toEqual(['/photos', 'a/photos']);
  expect(labelsOn('photos', '/a/photos')).toEqual(['photos', 'a/photos']);
  expect(labelsOn('synthetic')).toEqual(['synthetic']);
});

it('gives the whole path as the title of a label that is shortened, and of no other', () => {
  const labelOf = metricLabels(['videoJF on /data/davis', 'videoJF', 'unheardOf on /data/davis']);
  expect(labelOf('videoJF on /data/davis')).toEqual({ label: 'Video J&F on davis', title: 'Video J&F on /data/davis' });
  expect(labelOf('videoJF')).toEqual({ label: 'Video J&F' });
  expect(labelOf('unheardOf on /data/davis')).toEqual({ label: 'unheardOf on /data/davis' });
});

it('is what tables, their exports, columns and figures show', () => {
  const [one, two] = ['videoJF on /data/one/davis', 'videoJF on /data/two/davis'] as const;
  const run = {
    ...{ id: 'a', name: 'a', seed: 0, config: {}, tags: [], last: { [one]: 0.5, [two]: 0.25 } },
    best: { [one]: { step: 1, value: 0.5 } },
  };
  const table = runsTable([run], { metrics: [one, two], choose: 'last' });
  expect(table.columns.slice(1).map(({ label, title }) => [label, title])).toEqual([
    ['Video J&F on one/davis (%)', 'Video J&F on /data/one/davis'],
    ['Video J&F on two/davis (%)', 'Video J&F on /data/two/davis'],
  ]);
  for (const text of [toCsv(table), toMarkdown(table), toLatex(table)]) expect(text).not.toContain('/data/');
  expect(resultMetrics([run]).map(({ label }) => label)).toEqual(['Video J&F on one/davis', 'Video J&F on two/davis']);
  const columns = tableColumns([run as never]).filter(({ kind }) => kind === 'metric');
  expect(columns.map(({ id, label, title }) => [id, label, title])).toEqual([
    [`last:${one}`, 'Video J&F on one/davis', `Video J&F on /data/one/davis`],
    [`best:${one}`, 'Best video J&F on one/davis', `Best video J&F on /data/one/davis`],
    [`last:${two}`, 'Video J&F on two/davis', `Video J&F on /data/two/davis`],
  ]);
  const figure = curveFigure([], {
    ...{ metric: one, axis: 'step', beta: 0, logarithmicY: false, widthPx: 400, heightPx: 300 },
  });
  expect(figure.yLabel).toBe('Video J&F on davis');
});
