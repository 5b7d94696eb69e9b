/** Each run as a line through what differs between the runs, ending in what came out. */
import { useRef } from 'preact/hooks';
import type { ValueChoice } from '../../experiments/compare.ts';
import { differingKeys, metricInfo, metricRows, rankedBy } from '../../experiments/compare.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import type { ChartBoard } from '../charts/chartBoard.ts';
import { lineStyle } from '../charts/lineStyle.ts';
import { shortKey, showValue } from '../grid/cellWords.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { Menu } from '../parts/controls.tsx';
import { theme } from '../theme.ts';
import { exportDrawing } from './exportDrawing.ts';

interface Axis {
  label: string;
  title: string;
  ticks: { share: number; words: string }[];
  /** 0 (bottom) to 1 (top) by run; null where the run has no value. */
  shares: (number | null)[];
}

const width = 900;
const height = 300;
const margin = { left: 90, right: 110, top: 34, bottom: 16 };
const axisLimit = 8;

export function ParallelCoordinates(props: { board: ChartBoard; choose: ValueChoice; host: PanelHost }) {
  const { board, choose, host } = props;
  const drawing = useRef<SVGSVGElement>(null);
  const runs = board.store.runs.value;
  const keys = differingKeys(runs, 0).filter(({ key }) => !key.startsWith('runtime.'));
  const outcomes = metricRows(runs, choose).filter(({ metric }) => metric === 'knnTop1' || metric === 'loss');
  const axes: Axis[] = [
    ...keys.slice(0, axisLimit - outcomes.length).map(({ key, values }) => configAxis(key, values)),
    ...outcomes.map(({ metric, values }) => metricAxis(metric, values, rankedBy(metric, runs))),
  ];
  if (axes.length < 2) return <p class="quiet-line">{t('Nothing differs that could be drawn.')}</p>;
  const x = (i: number) => margin.left + (i * (width - margin.left - margin.right)) / (axes.length - 1);
  const y = (share: number) => height - margin.bottom - share * (height - margin.top - margin.bottom);
  const colours = theme.value;
  const lifted = board.highlighted.value;
  const save = (format: 'svg' | 'png') => (): void => {
    const { background, fontFamily } = colours;
    if (drawing.current)
      void exportDrawing(host, drawing.current, { name: 'parallel-coordinates', format, background, fontFamily });
  };
  return (
    <figure class="parallel card">
      <Menu
        label={t('Export drawing')}
        icon="download"
        items={[
          { label: 'PNG', onSelect: save('png') },
          { label: 'SVG', onSelect: save('svg') },
        ]}
      />
      <svg
        ref={drawing}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={t(
          'Parallel coordinates of {0} runs over {1}',
          runs.length,
          axes.map(({ label }) => label).join(', '),
        )}
      >
        {runs.map((run, r) => {
          const points = axes.map((axis, i) => (axis.shares[r] == null ? null : `${x(i)} ${y(axis.shares[r])}`));
          const path = points
            .map((point, i) => (point === null ? '' : `${i === 0 || points[i - 1] === null ? 'M' : 'L'}${point}`))
            .join('');
          const { colour, dash } = lineStyle(r, colours);
          const faded = lifted !== null && lifted !== run.id;
          return (
            <path
              key={run.id}
              d={path}
              fill="none"
              stroke={colour}
              stroke-width={lifted === run.id ? 3 : 1.75}
              stroke-opacity={faded ? 0.2 : 0.9}
              stroke-dasharray={dash.join(' ')}
              onPointerEnter={() => (board.highlighted.value = run.id)}
              onPointerLeave={() => (board.highlighted.value = null)}
            >
              <title>{run.name}</title>
            </path>
          );
        })}
        {axes.map((axis, i) => (
          <g key={axis.label}>
            <line x1={x(i)} x2={x(i)} y1={y(0)} y2={y(1)} stroke={colours.foreground} stroke-opacity={0.4} />
            <text x={x(i)} y={16} text-anchor="middle" fill={colours.foreground} font-weight="600">
              <title>{axis.title}</title>
              {axis.label}
            </text>
            {axis.ticks.map(({ share, words }) => (
              <text
                key={words}
                x={x(i) + (i === axes.length - 1 ? 7 : -7)}
                y={y(share) + 4}
                text-anchor={i === axes.length - 1 ? 'start' : 'end'}
                fill={colours.muted}
                paint-order="stroke"
                stroke={colours.background}
                stroke-width={3}
              >
                {words}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** Values in order, evenly spaced: what was chosen matters, not how far apart it lies. */
function configAxis(key: string, values: readonly (JsonScalar | undefined)[]): Axis {
  const distinct = [...new Set(values.filter((value): value is JsonScalar => value !== undefined))].sort((a, b) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)),
  );
  const shareOf = (i: number) => (distinct.length > 1 ? 0.04 + (0.92 * i) / (distinct.length - 1) : 0.5);
  const every = Math.ceil(distinct.length / 10);
  return {
    label: shortKey(key),
    title: key,
    ticks: distinct.flatMap((value, i) =>
      i % every === 0 ? [{ share: shareOf(i), words: showValue(value).slice(0, 18) }] : [],
    ),
    shares: values.map((value) => (value === undefined ? null : shareOf(distinct.indexOf(value)))),
  };
}

/** The better end is at the top, the larger one where neither is better. */
function metricAxis(
  metric: string,
  values: readonly (number | undefined)[],
  better: ReturnType<typeof rankedBy>,
): Axis {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const { label } = metricInfo(metric);
  const shareOf = (value: number): number => {
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return 0.04 + 0.92 * (better === 'lower' ? 1 - share : share);
  };
  return {
    label,
    title: better === null ? t('{0}; not ranked', label) : t('{0}; better at the top', label),
    ticks: [...new Set([low, (low + high) / 2, high])].flatMap((value) =>
      Number.isFinite(value) ? [{ share: shareOf(value), words: formatMetric(metric, value) }] : [],
    ),
    shares: values.map((value) => (value !== undefined && Number.isFinite(value) ? shareOf(value) : null)),
  };
}
