import { expect, it } from 'vitest';
import { metricCatalogue, type MetricInfo } from '../../../protocol/metrics.ts';
import { resultMetrics } from '../../../experiments/resultColumns.ts';
import { run } from './fixtureRuns.ts';

const everything = Object.fromEntries(Object.keys(metricCatalogue).map((metric) => [metric, 1]));
const logged = { ...everything, distanceView1: 1, custom: 1, step: 5 };

it('offers every metric that was logged, evaluations first', () => {
  const metrics = resultMetrics([run({ id: 'a', last: logged, best: {} })]).map(({ metric }) => metric);
  expect([...metrics].sort()).toEqual(Object.keys(logged).sort());
  expect(metrics[0]).toBe('knnTop1');
  expect(metrics.indexOf('maskAP')).toBeLessThan(metrics.indexOf('loss'));
  expect(metrics.at(-1)).toBe('gpuMemoryBytes');
});

it('shows all of the catalogue that have a direction, and of the machine the throughput alone', () => {
  const shown = resultMetrics([run({ id: 'a', last: logged, best: {} })]).filter(({ byDefault }) => byDefault);
  const directed = Object.entries<MetricInfo>(metricCatalogue).filter(([, { better }]) => better !== null);
  const expected = directed.map(([metric]) => metric).filter((metric) => !['stepMs', 'dataWaitShare'].includes(metric));
  expect(shown.map(({ metric }) => metric).sort()).toEqual([...expected, 'teacherStudentCosine'].sort());
});

it('has no column of what nobody logged', () => {
  const metrics = resultMetrics([run({ id: 'a', last: { testKnnTop1: 0.7 }, best: {} }), run({ id: 'b' })]);
  expect(metrics.map(({ metric }) => metric)).toEqual(['knnTop1', 'testKnnTop1', 'loss']);
});
