import { describe, expect, it, vi } from 'vitest';
import { chartsFor } from '../../../webview/charts/chartSpecs.ts';
import { CurveStore } from '../../../webview/charts/curveStore.ts';
import { restOfLoss, sideOf, sumOf, termOf } from '../../../webview/charts/derivedCurves.ts';
import { lossChart } from '../../../webview/charts/lossChart.ts';
import { run, series } from '../experiments/fixtureRuns.ts';

// No page: texts stay as they are written.
vi.mock('../../../webview/l10n.ts', () => ({
  t: (text: string, ...values: unknown[]) => text.replace(/\{(\d+)\}/g, (_, i: string) => String(values[Number(i)])),
}));

const steps = 50;
type Columns = Record<string, (i: number) => number>;

function chartOf(config: Record<string, string | number>, columns: Columns) {
  const store = new CurveStore();
  const one = run({ id: 'a', config });
  store.replace(
    [one],
    Object.entries(columns).map(([metric, at]) =>
      series({ metric, value: Float64Array.from({ length: steps }, (_, i) => at(i)) }),
    ),
  );
  const curveOf = (metric: string) => store.curve('a', metric);
  return { store, chart: lossChart(one, curveOf), curveOf };
}

const v2 = { method: 'simdinov2', 'masking.viewWeight': 0.5, 'masking.patchWeight': 0.25 };
const columns: Columns = {
  distance: (i) => 1 + i / 100,
  patchDistance: (i) => 2 - i / 100,
  codingRate: (i) => 10 + i,
  gamma: () => 0.02,
  loss: (i) => 0.5 * (1 + i / 100) + 0.25 * (2 - i / 100) - 0.02 * (10 + i),
};

describe('the loss, term by term', () => {
  it('has the terms of the method with their weights, and they stand on each other', () => {
    const { chart, curveOf } = chartOf(v2, columns);
    expect(chart!.lines.map(({ label, role }) => [label, role])).toEqual([
      ['0.5 \u00d7 distance', 'area'],
      ['0.25 \u00d7 patch distance', 'area'],
      ['\u2212\u03b3R', 'area'],
      ['Loss', 'total'],
    ]);
    expect(chart!.description).toBe(
      'Loss = 0.5 \u00d7 distance + 0.25 \u00d7 patch distance \u2212 \u03b3 \u00d7 coding rate: the areas stand on each other, and those above zero less those below it are the line.',
    );
    // The edges of the upper and the lower stack add up to the line.
    const [, upper, lower] = chart!.lines;
    expect(upper!.drawn).toBe(sumOf([termOf('distance'), termOf('patchDistance')]));
    expect(lower!.drawn).toBeUndefined();
    for (let i = 0; i < steps; i++) {
      const sum = curveOf(upper!.drawn!)!.values[i]! + curveOf(lower!.metric)!.values[i]!;
      expect(sum).toBeCloseTo(curveOf('loss')!.values[i]!, 12);
    }
  });

  it('shows what the terms leave: another regulariser, below zero where it is negative', () => {
    const { loss: _, ...others } = columns;
    for (const [rest, name, label] of [
      [0.7, 'infoNce', 'InfoNCE'],
      [-0.7, 'uniformity', 'Uniformity'],
    ] as const) {
      const config = { method: 'simdino', 'loss.regulariser': name };
      const { chart, curveOf } = chartOf(config, { ...others, loss: (i) => 1 + i / 100 + rest });
      expect(chart!.lines.map(({ label }) => label)).toEqual(['Distance', label, 'Loss']);
      expect(curveOf(restOfLoss)!.values[7]).toBeCloseTo(rest, 12);
      expect(chart!.lines[1]!.drawn).toBe(rest > 0 ? sumOf([termOf('distance'), restOfLoss]) : undefined);
    }
  });

  it('shows a remainder that nobody expects, such as the constant that the authors leave out', () => {
    const { chart } = chartOf(v2, { ...columns, loss: (i) => columns['loss']!(i) - 1 });
    expect(chart!.lines.map(({ label }) => label)).toContain('Rest');
    const { chart: rounded } = chartOf(v2, { ...columns, loss: (i) => columns['loss']!(i) + 1e-7 });
    expect(rounded!.lines.map(({ label }) => label)).not.toContain('Rest');
  });

  it('splits DINO\u2019s cross-entropy into the teacher\u2019s entropy and what the student is away from it', () => {
    const { chart } = chartOf({ method: 'dino' }, { teacherEntropy: () => 2, loss: () => 2.5, distance: () => 1 });
    expect(chart!.lines.map(({ label }) => label)).toEqual(['Teacher entropy', 'Divergence from the teacher', 'Loss']);
  });

  it('shows KoLeo on the side of zero that it is on, step by step, and its sign in words', () => {
    const v2 = { method: 'dinov2', 'masking.viewWeight': 1, 'masking.patchWeight': 1, 'dinov2.koleoWeight': 0.1 };
    const others: Columns = { viewCrossEntropy: () => 3, patchCrossEntropy: () => 2 };
    const withKoleo = (koleo: (i: number) => number) =>
      chartOf(v2, { ...others, koleo, loss: (i) => 5 + 0.1 * koleo(i) });
    const labels = (chart: ReturnType<typeof lossChart>) => chart!.lines.map(({ label }) => label);
    const entropies = ['Cross-entropy of views', 'Cross-entropy of patches'];

    const falling = withKoleo((i) => 2 - i / 10);
    expect(labels(falling.chart)).toEqual([...entropies, '+0.1 \u00d7 KoLeo', '0.1 \u00d7 KoLeo, negative', 'Loss']);
    expect(falling.chart!.description).toContain(
      'Loss = cross-entropy of views + cross-entropy of patches + 0.1 \u00d7 KoLeo: the areas',
    );
    const [, , upper, lower] = falling.chart!.lines;
    expect(lower!.metric).toBe(sideOf('below', termOf('koleo')));
    for (let i = 0; i < steps; i++) {
      const edges = [upper!.drawn!, lower!.metric].map((metric) => falling.curveOf(metric)!.values[i]!);
      expect(edges[0]! + edges[1]!).toBeCloseTo(falling.curveOf('loss')!.values[i]!, 12);
      expect(edges[1]!).toBeLessThanOrEqual(0);
    }

    expect(labels(withKoleo(() => 0.3).chart)).toEqual([...entropies, '+0.1 \u00d7 KoLeo', 'Loss']);
    expect(labels(withKoleo(() => -0.3).chart)).toEqual([...entropies, '0.1 \u00d7 KoLeo, negative', 'Loss']);
  });

  it('is not there for an objective of one\u2019s own, nor before anything was logged', () => {
    expect(chartOf({ method: 'simdino', 'loss.own': 'mine' }, columns).chart).toBeNull();
    expect(chartOf({ method: 'simdino' }, {}).chart).toBeNull();
  });

  it('has the schedules below it, each alone on its axes', () => {
    const { chart, store } = chartOf(v2, {
      ...columns,
      lr: () => 1,
      momentum: () => 1,
      weightDecay: () => 1,
    });
    const logged = store.metrics.value;
    const column = chartsFor(logged, 1, chart).filter(({ section }) => section === 'objective');
    expect(column.map(({ id }) => id)).toEqual(['decomposition', 'lr', 'momentum', 'weightDecay']);
    const several = chartsFor(logged, 2).filter(({ section }) => section === 'objective');
    expect(several.map(({ id }) => id)).toEqual(['lr', 'momentum', 'weightDecay']);
  });
});
