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
import type { ChartBoard, Cursor } from './chartBoard.ts';
import type { ChartSpec } from './chartSpecs.ts';
import { lineColour } from './lineStyle.ts';
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

function place(element: HTMLElement, { chart, board, spec }: CardChart, found: Reading[], cursor: Cursor | null): void {
  element.replaceChildren();
  const area = chart.chartArea;
  if (cursor === null || !area) return;
  const x = chart.scales['x']!.getPixelForValue(cursor.x);
  if (x < area.left - 1 || x > area.right + 1) return;
  const line = document.createElement('div');
  line.className = 'crosshair-line';
  line.style.cssText = `left:${x}px;top:${area.top}px;height:${area.bottom - area.top}px`;
  element.append(line);
  const several = board.store.runs.value.length > 1;
  const placed = found.map((reading): Placed => {
    const y = chart.scales['y']!.getPixelForValue(reading.y);
    return {
      reading,
      x: chart.scales['x']!.getPixelForValue(reading.x),
      y,
      colour: lineColour(reading, spec, { several, theme: theme.value }),
      distance: cursor.pointer ? Math.abs(y - cursor.pointer.y) : Infinity,
    };
  });
  const here = cursor.chartId === spec.id && cursor.pointer !== null;
  const closest = placed.reduce<Placed | null>((a, b) => (a && a.distance <= b.distance ? a : b), null);
  const pointed = here && several && closest && closest.distance < 24 ? closest : null;
  for (const one of pointed ? [pointed] : placed.slice(0, dotLimit)) {
    if (!(one.y >= area.top - 1 && one.y <= area.bottom + 1) || one.x < area.left - 1 || one.x > area.right + 1)
      continue;
    const dot = document.createElement('div');
    dot.className = 'crosshair-dot';
    dot.style.cssText = `left:${one.x}px;top:${one.y}px;background:${one.colour}`;
    element.append(dot);
  }
  if (here) element.append(tooltip(board, placed, { cursor, pointed, element }));
}

interface Placed {
  reading: Reading;
  x: number;
  y: number;
  colour: string;
  /** From the pointer, vertically. */
  distance: number;
}

/** Values of all lines, highest first; of many, those around the line that is pointed at, which is in bold. */
function tooltip(
  board: ChartBoard,
  placed: Placed[],
  at: { cursor: Cursor; pointed: Placed | null; element: HTMLElement },
): HTMLElement {
  const { cursor, pointed, element } = at;
  const several = board.store.runs.value.length > 1;
  const box = document.createElement('div');
  box.className = 'tooltip';
  const [first] = placed;
  const step = first ? `${t('step')} ${formatNumber(first.reading.step, 7)}` : '';
  const axis = board.axis.value;
  const title = child(box, 'div', 'tooltip-title');
  title.textContent = axis === 'step' ? step : `${t(axis)} ${xLabel(axis, cursor.x)} \u00b7 ${step}`;
  const sorted = several ? [...placed].sort((a, b) => orderable(b.reading.value) - orderable(a.reading.value)) : placed;
  const centre = pointed ? sorted.indexOf(pointed) : 0;
  const start = Math.max(0, Math.min(centre - listLimit / 2, sorted.length - listLimit));
  const shown = sorted.slice(start, start + listLimit);
  const rows = child(box, 'div', 'tooltip-rows');
  for (const one of shown) {
    const { run, spec, value, raw } = one.reading;
    const bound = spec.role === 'bound' ? ' dashed' : '';
    child(rows, 'i', `swatch${bound}`).style.color = one.colour;
    const name = several ? run.name + (spec.role === 'main' ? '' : ` \u00b7 ${spec.label}`) : spec.label;
    child(rows, 'span', `tooltip-label${one === pointed ? ' pointed' : ''}`).textContent = name;
    child(rows, 'b', '').textContent = formatMetric(spec.metric, value);
    child(rows, 'span', 'tooltip-raw').textContent = raw === value ? '' : formatMetric(spec.metric, raw);
  }
  if (sorted.length > shown.length) {
    child(box, 'div', 'tooltip-raw').textContent = t(
      '{0} to {1} of {2}',
      start + 1,
      start + shown.length,
      sorted.length,
    );
  }
  const { x, y } = cursor.pointer!;
  const frame = element.getBoundingClientRect();
  const toTheLeft = frame.left + x > window.innerWidth / 2;
  box.style.cssText = toTheLeft ? `right:${element.clientWidth - x + 14}px` : `left:${x + 14}px`;
  const heightPx = 34 + 19 * shown.length;
  box.style.top = `${Math.max(-frame.top + 4, Math.min(y - 16, window.innerHeight - frame.top - heightPx))}px`;
  return box;
}

function child(parent: HTMLElement, tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
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
