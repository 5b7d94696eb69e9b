import { expect, test, vi } from 'vitest';
import { metricInfo } from '../../../experiments/compare.ts';
import { chartsFor } from '../../../webview/charts/chartSpecs.ts';

// No page: texts stay as they are written.
vi.mock('../../../webview/l10n.ts', () => ({ t: (text: string) => text }));

const logged = new Set(['loss', 'distanceView1', 'distanceView2', 'distanceView10', 'codingRateView1', 'mine']);

test('what is measured view by view shares a chart, views in their order', () => {
  const charts = chartsFor(logged, 1);
  expect(charts.map(({ id }) => id)).toEqual(['loss', 'distanceView', 'codingRateView', 'mine']);
  const distance = charts.find(({ id }) => id === 'distanceView')!;
  expect(distance.title).toBe('Distance of views');
  expect(distance.lines.map(({ label }) => label)).toEqual([
    'Distance of view 1',
    'Distance of view 2',
    'Distance of view 10',
  ]);
});

test('several runs are compared by their first view', () => {
  const distance = chartsFor(logged, 3).find(({ id }) => id === 'distanceView')!;
  expect(distance.lines.map(({ metric }) => metric)).toEqual(['distanceView1']);
});

test('what the GPU does stands with the machine', () => {
  const charts = chartsFor(new Set(['loss', 'cpuShare', 'gpuShare', 'gpuMemoryBytes']), 1);
  expect(charts.map(({ title, section }) => `${section}: ${title}`)).toEqual([
    'learning: Loss',
    'machine: CPU use',
    'machine: GPU use',
    'machine: GPU memory',
  ]);
});

test('a metric of one view has its words in every table', () => {
  expect(metricInfo('codingRateView2')).toMatchObject({
    label: 'Coding rate of view 2',
    unit: 'nats',
    better: 'higher',
  });
  expect(metricInfo('someView2')).toMatchObject({ label: 'someView2', better: null });
});

test('figures on other data are titled by the end of their path that tells them apart', () => {
  const [one, two] = ['videoJF on /data/one/davis', 'videoJF on /data/two/davis'] as const;
  const charts = chartsFor(new Set([one, two]), 1);
  expect(charts.map(({ id, title, lines }) => [id, title, lines[0]!.label])).toEqual([
    [one, 'Video J&F on one/davis', 'Video J&F on one/davis'],
    [two, 'Video J&F on two/davis', 'Video J&F on two/davis'],
  ]);
  expect(charts[0]!.description).toMatch(/^Video J&F on \/data\/one\/davis\. /);
});
