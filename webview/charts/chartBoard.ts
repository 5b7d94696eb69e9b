/** What the charts of one panel share: runs, axis, zoom, crosshair, smoothing; and the one loop that redraws them. */
import type { ReadonlySignal } from '@preact/signals';
import { computed, signal } from '@preact/signals';
import type { XAxis } from '../../experiments/xAxis.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { dependOn } from '../dependOn.ts';
import type { CurveStore } from './curveStore.ts';

export interface Cursor {
  /** In the unit of the x axis. */
  x: number;
  /** The chart under the pointer or the keyboard. */
  chartId: string;
  /** Position of the pointer in that chart, for its tooltip; null from the keyboard. */
  pointer: { x: number; y: number } | null;
}

export class ChartBoard {
  readonly axis = signal<XAxis>('step');
  /** Smoothing factor of the moving average, 0 for none. */
  readonly beta = signal(0.8);
  /** Zoomed part of the x axis; null shows everything and follows new points. */
  readonly zoom = signal<{ from: number; to: number } | null>(null);
  readonly cursor = signal<Cursor | null>(null);
  /** A run pointed at in a legend. */
  readonly highlighted = signal<string | null>(null);
  readonly hidden = signal<ReadonlySet<string>>(new Set());
  /** Charts with a logarithmic y axis. */
  readonly logarithmic = signal<ReadonlySet<string>>(new Set());
  readonly shown: ReadonlySignal<readonly RunSummary[]>;
  /** First and last x over the shown runs. */
  readonly extent: ReadonlySignal<{ from: number; to: number }>;
  #dirty = new Set<Redrawable>();
  #frame = 0;

  constructor(readonly store: CurveStore) {
    this.shown = computed(() => store.runs.value.filter((run) => !this.hidden.value.has(run.id)));
    this.extent = computed(() => {
      dependOn(store.revision);
      return extentOf(store, this.shown.value, this.axis.value);
    });
  }

  /** The part of the x axis on show. */
  window(): { from: number; to: number } {
    return this.zoom.value ?? this.extent.value;
  }

  setAxis(axis: XAxis): void {
    if (axis === this.axis.value) return;
    this.zoom.value = null;
    this.cursor.value = null;
    this.axis.value = axis;
  }

  /** Zooms to a part; the whole, or more than it, is no zoom. */
  zoomTo(from: number, to: number): void {
    const whole = this.extent.value;
    const width = Math.max(to - from, (whole.to - whole.from) * 1e-6);
    const start = Math.min(Math.max(from, whole.from), whole.to - width);
    this.zoom.value = width >= (whole.to - whole.from) * 0.999 ? null : { from: start, to: start + width };
  }

  /** Position of a run in the order that colours follow: hiding a run changes nobody's colour. */
  indexOf(runId: string): number {
    return this.store.runs.value.findIndex((run) => run.id === runId);
  }

  /** Draws the chart in one of the next frames: the one in use first, and no more than fits a frame. */
  requestDraw(chart: Redrawable): void {
    this.#dirty.add(chart);
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#drawDirty());
  }

  forget(chart: Redrawable): void {
    this.#dirty.delete(chart);
  }

  #drawDirty(): void {
    this.#frame = 0;
    const budgetMs = 10;
    const start = performance.now();
    const first = this.cursor.value?.chartId;
    const order = [...this.#dirty].sort((a, b) => Number(b.id === first) - Number(a.id === first));
    for (const chart of order) {
      this.#dirty.delete(chart);
      chart.draw();
      if (performance.now() - start > budgetMs) break;
    }
    if (this.#dirty.size > 0) this.#frame = requestAnimationFrame(() => this.#drawDirty());
  }
}

export interface Redrawable {
  id: string;
  draw(): void;
}

function extentOf(store: CurveStore, runs: readonly RunSummary[], axis: XAxis): { from: number; to: number } {
  let [from, to] = [Infinity, -Infinity];
  for (const run of runs) {
    for (const metric of store.metrics.value) {
      const curve = store.curve(run.id, metric);
      if (!curve || curve.length === 0) continue;
      const x = curve.x(axis, store.clock(run));
      from = Math.min(from, x[0]!);
      to = Math.max(to, x[x.length - 1]!);
    }
  }
  if (from > to) return { from: 0, to: 1 };
  return from === to ? { from, to: from + 1 } : { from, to };
}
