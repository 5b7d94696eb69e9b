/**
 * The crosshair over one chart: a line, a dot on every curve and, in the chart under the pointer, a list of values.
 * It is HTML above the canvas, so that moving it redraws no chart; all charts show it at the same x.
 */
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { dependOn } from '../dependOn.ts';
import { t } from '../l10n.ts';
import { theme } from '../theme.ts';
import type { CardChart } from './cardChart.ts';
import { xLabel } from './cardChart.ts';
import type { ChartBoard } from './chartBoard.ts';
import type { ChartSpec } from './chartSpecs.ts';
import { lineStyle } from './lineStyle.ts';
import type { Reading } from './readings.ts';
import { readings } from './readings.ts';

const dotLimit = 16;
const listLimit = 12;

export function Crosshair({ board, spec, chart }: { board: ChartBoard; spec: ChartSpec; chart: CardChart }) {
  const overlay = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLSpanElement>(null);

  useEffect(() => {
    const element = overlay.current!;
    const plot = element.parentElement!;
    const move = (event: PointerEvent): void => {
      const box = plot.getBoundingClientRect();
      const pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
      const { left, right } = chart.chart.chartArea;
      if (pointer.x < left || pointer.x > right) board.cursor.value = null;
      else board.cursor.value = { x: chart.chart.scales['x']!.getValueForPixel(pointer.x)!, chartId: spec.id, pointer };
    };
    const leave = (): void => {
      board.cursor.value = null;
    };
    plot.addEventListener('pointermove', move);
    plot.addEventListener('pointerleave', leave);
    const stop = effect(() => {
      dependOn(board.zoom);
      const cursor = board.cursor.value;
      const found = cursor === null ? [] : readings(board, spec, cursor.x);
      place(element, chart, found, cursor);
      if (spoken.current) {
        const byKey = cursor?.chartId === spec.id && cursor.pointer === null;
        spoken.current.textContent = byKey ? inWords(board, found) : '';
      }
    });
    return () => {
      stop();
      plot.removeEventListener('pointermove', move);
      plot.removeEventListener('pointerleave', leave);
    };
  }, [board, spec, chart]);

  return (
    <>
      <div class="crosshair" ref={overlay} aria-hidden="true" />
      <span class="visually-hidden" aria-live="polite" ref={spoken} />
    </>
  );
}

function place(
  element: HTMLElement,
  { chart, board, spec }: CardChart,
  found: Reading[],
  cursor: CardChart['board']['cursor']['value'],
): void {
  element.replaceChildren();
  const area = chart.chartArea;
  if (cursor === null || !area) return;
  const x = chart.scales['x']!.getPixelForValue(cursor.x);
  if (x < area.left - 1 || x > area.right + 1) return;
  const line = document.createElement('div');
  line.className = 'crosshair-line';
  line.style.cssText = `left:${x}px;top:${area.top}px;height:${area.bottom - area.top}px`;
  element.append(line);
  const colours = theme.value;
  const several = board.store.runs.value.length > 1;
  const colourOf = (reading: Reading): string =>
    lineStyle(several ? reading.runIndex : spec.lines.indexOf(reading.spec), colours).colour;
  for (const reading of found.slice(0, dotLimit)) {
    const scale = chart.scales[reading.spec.axis === 'right' ? 'yRight' : 'y']!;
    const y = scale.getPixelForValue(reading.value);
    const dotX = chart.scales['x']!.getPixelForValue(reading.x);
    if (!(y >= area.top - 1 && y <= area.bottom + 1) || dotX < area.left - 1 || dotX > area.right + 1) continue;
    const dot = document.createElement('div');
    dot.className = 'crosshair-dot';
    dot.style.cssText = `left:${dotX}px;top:${y}px;background:${colourOf(reading)}`;
    element.append(dot);
  }
  if (cursor.chartId === spec.id && cursor.pointer) element.append(list(board, found, cursor, element, colourOf));
}

/** Values of all lines, the one nearest to the pointer in bold. */
function list(
  board: ChartBoard,
  found: Reading[],
  cursor: { x: number; pointer: { x: number; y: number } | null },
  element: HTMLElement,
  colourOf: (reading: Reading) => string,
): HTMLElement {
  const box = document.createElement('div');
  box.className = 'tooltip';
  const several = board.store.runs.value.length > 1;
  const title = document.createElement('div');
  title.className = 'tooltip-title';
  const step = found[0] ? `${t('step')} ${formatNumber(found[0].step, 7)}` : '';
  const axis = board.axis.value;
  title.textContent = axis === 'step' ? step : `${t(axis)} ${xLabel(axis, cursor.x)} \u00b7 ${step}`;
  box.append(title);
  const sorted = several ? [...found].sort((a, b) => orderable(b.value) - orderable(a.value)) : found;
  for (const reading of sorted.slice(0, listLimit)) {
    const row = document.createElement('div');
    row.className = 'tooltip-row';
    if (board.highlighted.value === reading.run.id) row.classList.add('strong');
    const swatch = document.createElement('i');
    swatch.className = `swatch${reading.spec.role === 'bound' ? ' dashed' : ''}`;
    swatch.style.color = colourOf(reading);
    const label = document.createElement('span');
    label.className = 'tooltip-label';
    label.textContent = several
      ? reading.run.name + (reading.spec.role === 'main' ? '' : ` \u00b7 ${reading.spec.label}`)
      : reading.spec.label;
    const value = document.createElement('b');
    value.textContent = formatMetric(reading.spec.metric, reading.value);
    const raw = document.createElement('span');
    raw.className = 'tooltip-raw';
    raw.textContent = reading.raw === reading.value ? '' : formatMetric(reading.spec.metric, reading.raw);
    row.append(swatch, label, value, raw);
    box.append(row);
  }
  if (sorted.length > listLimit) {
    const more = document.createElement('div');
    more.className = 'tooltip-raw';
    more.textContent = t('and {0} more', sorted.length - listLimit);
    box.append(more);
  }
  const { x, y } = cursor.pointer!;
  const toTheLeft = x > element.clientWidth / 2;
  box.style.cssText = toTheLeft ? `right:${element.clientWidth - x + 14}px` : `left:${x + 14}px`;
  box.style.top = `${Math.max(0, Math.min(y - 16, element.clientHeight - 60))}px`;
  return box;
}

function inWords(board: ChartBoard, found: Reading[]): string {
  const several = board.store.runs.value.length > 1;
  const words = found
    .slice(0, 6)
    .map(
      ({ run, spec, value }) => `${several ? `${run.name}, ` : ''}${spec.label} ${formatMetric(spec.metric, value)}`,
    );
  return found[0] ? `${t('step')} ${formatNumber(found[0].step, 7)}: ${words.join('; ')}` : '';
}

function orderable(value: number): number {
  return Number.isFinite(value) ? value : -Infinity;
}
