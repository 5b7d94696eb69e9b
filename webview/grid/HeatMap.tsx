/**
 * One facet as a heat map. Chart.js's matrix draws fills and patterns; above them stands a table of buttons with the
 * values, so that text is sharp at any zoom, a screen reader reads a table, and arrow keys walk the cells.
 */
import { effect } from '@preact/signals';
import { Chart, LinearScale } from 'chart.js';
import { MatrixController, MatrixElement } from 'chartjs-chart-matrix';
import { useEffect, useRef } from 'preact/hooks';
import { shareOfRange, type Grid, type GridCell, type GridFacet } from '../../experiments/grid.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { withAlpha } from '../colour.ts';
import { t } from '../l10n.ts';
import { Icon } from '../parts/Icon.tsx';
import { theme } from '../theme.ts';
import { cellLooks, statePattern } from './cellLooks.ts';
import { cellWords, shortKey, showValue } from './cellWords.ts';
import { rampColours } from './colourRamp.ts';

Chart.register(MatrixController, MatrixElement, LinearScale);

const cellHeightPx = 62;

interface HeatMapProps {
  grid: Grid;
  facet: GridFacet;
  metric: string;
  /** What a click on a cell does, in words; undefined where it does nothing. */
  onClickDoes: (cell: GridCell) => string | undefined;
  onOpen: (cell: GridCell) => void;
}

export function HeatMap({ grid, facet, metric, onClickDoes, onOpen }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const shareOf = (cell: GridCell): number | null => shareOfRange(grid, cell);

  useEffect(() => {
    const rows = facet.cells.length;
    const columns = facet.cells[0]?.length ?? 0;
    if (!canvas.current || rows === 0 || columns === 0) return;
    const data = facet.cells.flatMap((row, y) => row.map((cell, x) => ({ x, y, v: shareOf(cell) ?? 0, cell })));
    const chart = new Chart(canvas.current, {
      type: 'matrix',
      data: {
        datasets: [
          {
            data,
            width: ({ chart: { chartArea } }) => (chartArea ? chartArea.width / columns - 2 : 0),
            height: ({ chart: { chartArea } }) => (chartArea ? chartArea.height / rows - 2 : 0),
            borderRadius: 4,
            borderWidth: theme.value.highContrast ? 1 : 0,
            borderColor: theme.value.border,
            backgroundColor: (context) => {
              const point = context.raw as (typeof data)[number] | undefined;
              if (!point) return 'transparent';
              const share = shareOf(point.cell);
              if (share === null) return statePattern(point.cell.state, theme.value);
              return rampColours(share, theme.value).fill;
            },
          },
        ],
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: 0 },
        scales: {
          x: { type: 'linear', display: false, min: -0.5, max: columns - 0.5, offset: false },
          y: { type: 'linear', display: false, min: -0.5, max: rows - 0.5, offset: false, reverse: true },
        },
        plugins: { legend: { display: false }, tooltip: { enabled: false } },
      },
    });
    const stop = effect(() => {
      chart.data.datasets[0]!.borderColor = withAlpha(theme.value.border, 1);
      chart.data.datasets[0]!.borderWidth = theme.value.highContrast ? 1 : 0;
      chart.update('none');
    });
    return () => {
      stop();
      chart.destroy();
    };
  }, [facet, grid.better, metric]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const columns = facet.cells[0]?.length ?? 0;
    const buttons = [...(body.current?.querySelectorAll<HTMLButtonElement>('button') ?? [])];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const column = at % columns;
    const moves: Record<string, number> = {
      ArrowRight: column < columns - 1 ? at + 1 : at,
      ArrowLeft: column > 0 ? at - 1 : at,
      ArrowDown: at + columns,
      ArrowUp: at - columns,
      Home: at - column,
      End: at - column + columns - 1,
    };
    const target = moves[event.key];
    if (at < 0 || target === undefined) return;
    event.preventDefault();
    const next = buttons[target];
    if (!next) return;
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  };

  const caption = Object.entries(facet.fixed)
    .map(([key, value]) => `${shortKey(key)} = ${showValue(value)}`)
    .join(', ');
  return (
    <figure class="heat-map">
      {caption && <figcaption>{caption}</figcaption>}
      <div class="heat-frame">
        <table class="heat-table">
          <caption class="visually-hidden">
            {t('{0} by {1} and {2}', metric, grid.rowKey ?? t('one row'), grid.columnKey ?? t('one column'))}
          </caption>
          <thead>
            <tr>
              <td class="corner" />
              {grid.columns.map((value, x) => (
                <th scope="col" key={x}>
                  {grid.columnKey === null ? '' : showValue(value)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={onKeyDown}>
            {facet.cells.map((row, y) => (
              <tr key={y} style={{ height: `${cellHeightPx}px` }}>
                <th scope="row">{grid.rowKey === null ? '' : showValue(grid.rows[y]!)}</th>
                {row.map((cell, x) => (
                  <td key={x}>
                    <CellButton
                      cell={cell}
                      metric={metric}
                      share={shareOf(cell)}
                      first={x === 0 && y === 0}
                      does={onClickDoes(cell)}
                      onOpen={onOpen}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        <div class="heat-canvas" style={{ height: `${cellHeightPx * facet.cells.length}px` }}>
          <canvas ref={canvas} aria-hidden="true" />
        </div>
      </div>
    </figure>
  );
}

function CellButton(props: {
  cell: GridCell;
  metric: string;
  share: number | null;
  first: boolean;
  does: string | undefined;
  onOpen: (cell: GridCell) => void;
}) {
  const { cell, metric, share, first, does, onOpen } = props;
  const look = cellLooks[cell.state];
  const words = cellWords(cell, metric);
  return (
    <button
      type="button"
      class={`cell state-${cell.state}${cell.best ? ' best' : ''}`}
      style={share === null ? {} : { color: rampColours(share, theme.value).text }}
      tabIndex={first ? 0 : -1}
      aria-label={words}
      title={does === undefined ? words : `${words}\n${does}`}
      disabled={cell.state === 'absent'}
      onClick={() => onOpen(cell)}
    >
      {cell.summary ? (
        <>
          <b>
            {cell.best && <Icon name="star" size={12} />} {formatMetric(metric, cell.summary.mean)}
          </b>
          <span>
            {cell.summary.ci95 === null ? '' : `\u00b1 ${formatMetric(metric, cell.summary.ci95)} \u00b7 `}n ={' '}
            {cell.summary.n}
            {cell.state !== 'done' && (
              <span class={`tone-${look.tone}`}>
                {' '}
                {look.icon && <Icon name={look.icon} size={11} />} {cell.summary.n}/{cell.members.length}
              </span>
            )}
          </span>
        </>
      ) : (
        <span class={`cell-state tone-${look.tone}`}>
          {look.icon && <Icon name={look.icon} size={14} />}
          <span class="cell-word">
            {look.label}
            {cell.preliminary !== null && ` (${formatMetric(metric, cell.preliminary)})`}
          </span>
        </span>
      )}
    </button>
  );
}
