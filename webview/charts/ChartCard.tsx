/** A chart with its title, reading, crosshair, menu, words and table. Mounted when it comes into view. */
import { effect } from '@preact/signals';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { dependOn } from '../dependOn.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/controls.tsx';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { theme } from '../theme.ts';
import type { ChartBoard } from './chartBoard.ts';
import { CardChart } from './cardChart.ts';
import { onChartKey } from './chartKeys.ts';
import type { ChartSpec } from './chartSpecs.ts';
import { ChartTable } from './ChartTable.tsx';
import { Crosshair } from './Crosshair.tsx';
import { exportCsv, exportPng, exportSvg } from './exportChart.ts';
import { lineColour } from './lineStyle.ts';
import { readings } from './readings.ts';
import { summaryText } from './summaryText.ts';

export interface ChartCardProps {
  board: ChartBoard;
  spec: ChartSpec;
  host: PanelHost;
  /** Spans all columns. */
  wide: boolean;
  onWide: () => void;
}

export function ChartCard({ board, spec, host, wide, onWide }: ChartCardProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [chart, setChart] = useState<CardChart | null>(null);
  const [inView, setInView] = useState(false);
  const [showTable, setShowTable] = useState(false);
  const titleId = useId();
  const summaryId = useId();

  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setInView(entry!.isIntersecting), { rootMargin: '160px' });
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);

  // A chart that was scrolled away is destroyed: a page of fifty charts costs as much as what is seen of it.
  useEffect(() => {
    if (!inView || !canvas.current) return;
    const made = new CardChart(canvas.current, board, spec);
    setChart(made);
    const stop = effect(() => {
      const { store, axis, beta, zoom, extent, highlighted, shown, logarithmic } = board;
      dependOn(store.revision, axis, beta, zoom, extent, highlighted, shown, logarithmic, theme);
      board.requestDraw(made);
    });
    const observer = new ResizeObserver(() => board.requestDraw(made));
    observer.observe(frame.current!);
    return () => {
      observer.disconnect();
      stop();
      setChart(null);
      made.destroy();
    };
  }, [inView, board, spec]);

  const several = board.store.runs.value.length > 1;
  const logarithmic = board.logarithmic.value.has(spec.id);
  const toggleLogarithmic = (): void => {
    const next = new Set(board.logarithmic.value);
    if (!next.delete(spec.id)) next.add(spec.id);
    board.logarithmic.value = next;
  };

  return (
    <section class={`card chart-card${wide ? ' wide' : ''}`} aria-labelledby={titleId}>
      <header>
        <h3 id={titleId} title={spec.description}>
          {spec.title}
          {spec.unit && <span class="unit">{spec.unit}</span>}
        </h3>
        {spec.lines.length === 1 && <ReadingLine board={board} spec={spec} />}
        <div class="card-actions">
          <button
            type="button"
            class="button quiet small"
            aria-pressed={logarithmic}
            onClick={toggleLogarithmic}
            title={t('Logarithmic y axis')}
          >
            log
          </button>
          <Menu
            label={t('Actions of {0}', spec.title)}
            icon="more"
            iconOnly
            items={[
              {
                label: showTable ? t('Hide table') : t('Show as table'),
                icon: 'table',
                onSelect: () => setShowTable(!showTable),
              },
              { label: wide ? t('Make narrow') : t('Make wide'), icon: 'expand', onSelect: onWide },
              { label: t('Export PNG'), icon: 'download', onSelect: () => void exportPng(board, spec, host) },
              { label: t('Export SVG'), icon: 'download', onSelect: () => exportSvg(board, spec, host) },
              { label: t('Export CSV'), icon: 'download', onSelect: () => exportCsv(board, spec, host) },
            ]}
          />
        </div>
      </header>
      {spec.lines.length > 1 && <ReadingLine board={board} spec={spec} />}
      <div
        class={spec.lines.length > 1 && !several ? 'plot lower' : 'plot'}
        ref={frame}
        tabIndex={0}
        role="group"
        aria-roledescription={t('chart')}
        aria-labelledby={titleId}
        aria-describedby={summaryId}
        onKeyDown={(event) => onChartKey(event, board, spec)}
        onDblClick={() => (board.zoom.value = null)}
        onBlur={() => (board.cursor.value = null)}
      >
        {inView && <canvas ref={canvas} aria-hidden="true" />}
        {chart && <Crosshair board={board} spec={spec} chart={chart} />}
      </div>
      <p id={summaryId} class="visually-hidden">
        {inView ? <Summary board={board} spec={spec} /> : spec.description}
      </p>
      {chart && <Footnote board={board} chart={chart} />}
      {showTable && <ChartTable board={board} spec={spec} />}
    </section>
  );
}

function Summary({ board, spec }: Pick<ChartCardProps, 'board' | 'spec'>) {
  dependOn(board.store.revision);
  return <>{summaryText(board, spec)}</>;
}

/** Newest values, or those under the crosshair; with many runs the tooltip says them instead. */
function ReadingLine({ board, spec }: Pick<ChartCardProps, 'board' | 'spec'>) {
  dependOn(board.store.revision);
  const several = board.store.runs.value.length > 1;
  const x = board.cursor.value?.x ?? null;
  if (several) return null;
  const found = readings(board, spec, x);
  return (
    <span class="reading">
      {found.map(({ spec: line, value, raw }) => (
        <span
          key={line.metric}
          title={value === raw ? line.label : `${line.label}, ${t('raw')} ${formatMetric(line.metric, raw)}`}
        >
          {found.length > 1 && (
            <i
              class={`swatch${line.role === 'bound' ? ' dashed' : ''}`}
              style={{ color: lineColour({ spec: line, runIndex: 0 }, spec, { several: false, theme: theme.value }) }}
            />
          )}
          {found.length > 1 && <span class="reading-label">{line.label}</span>}
          <b>{formatMetric(line.metric, value)}</b>
        </span>
      ))}
    </span>
  );
}

/** What the picture leaves out is said under it. */
function Footnote({ board, chart }: { board: ChartBoard; chart: CardChart }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const previous = chart.onDrawn;
    chart.onDrawn = () => {
      previous();
      redraw((n) => n + 1);
    };
    return () => {
      chart.onDrawn = previous;
    };
  }, [chart]);
  dependOn(board.zoom);
  const { plot } = chart;
  if (!plot) return null;
  const notes = [
    plot.downsampled && t('{0} points, downsampled', formatNumber(plot.total, 12)),
    plot.gaps.length > 0 &&
      t(
        '{0} values are not finite',
        plot.gaps.reduce((sum, gap) => sum + gap.nan + gap.infinite, 0),
      ),
    plot.belowLog > 0 && t('values of 0 or less are left out of the log axis'),
  ].filter((note): note is string => typeof note === 'string');
  return (
    <footer
      class={`footnote${plot.gaps.length > 0 ? ' warns' : ''}`}
      title={
        plot.downsampled
          ? t('Every spike is kept: of each part of the picture, its smallest and largest value are drawn.')
          : undefined
      }
    >
      {plot.gaps.length > 0 && <Icon name="warning" size={11} />}
      {notes.join(' \u00b7 ')}
    </footer>
  );
}
