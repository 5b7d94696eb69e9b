/** A chart in words, for people who hear it. */
import { formatMetric } from '../../experiments/formatMetric.ts';
import { rangeExtremes } from '../../experiments/extremes.ts';
import { t } from '../l10n.ts';
import type { ChartBoard } from './chartBoard.ts';
import { xLabel } from './cardChart.ts';
import type { ChartSpec } from './chartSpecs.ts';

export function summaryText(board: ChartBoard, spec: ChartSpec): string {
  const runs = board.shown.value;
  const axis = board.axis.value;
  const sentences = runs.slice(0, 8).flatMap((run) =>
    spec.lines.flatMap(({ metric, label }) => {
      const curve = board.store.curve(run.id, metric);
      if (!curve || curve.length === 0) return [];
      const { low, high } = rangeExtremes(curve.drawn(0), 0, curve.length);
      if (low < 0) return [t('{0}, {1}: no finite value.', run.name, label)];
      const x = curve.x(axis, board.store.clock(run));
      const at = (i: number) => xLabel(axis, x[i]!);
      const value = (i: number) => formatMetric(metric, curve.values[i]!);
      const end = curve.length - 1;
      return [
        t(
          '{0}, {1}: from {2} to {3} over {4} points; lowest {5} at {8} {6}, highest {7} at {8} {9}.',
          run.name,
          label,
          value(0),
          value(end),
          curve.length,
          value(low),
          at(low),
          value(high),
          axis,
          at(high),
        ),
      ];
    }),
  );
  const rest = runs.length > 8 ? t('And {0} more runs.', runs.length - 8) : '';
  return [spec.description, ...sentences, rest].filter(Boolean).join(' ');
}
