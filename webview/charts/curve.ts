import type { Extremes } from '../../experiments/extremes.ts';
import { indexExtremes } from '../../experiments/extremes.ts';
import { smooth } from '../../experiments/smooth.ts';
import type { Pause, XAxis } from '../../experiments/xAxis.ts';
import { xColumn } from '../../experiments/xAxis.ts';
import type { Series } from '../../protocol/panelMessages.ts';

type ColumnName = 'step' | 'epoch' | 'time' | 'value';
const columnNames: readonly ColumnName[] = ['step', 'epoch', 'time', 'value'];

/** A metric of a run with everything that is computed from it once and drawn many times. */
export class Curve {
  #columns: Record<ColumnName, Float64Array>;
  #length = 0;
  #cache = new Map<string, unknown>();

  constructor(
    readonly runId: string,
    readonly metric: string,
  ) {
    this.#columns = { step: empty, epoch: empty, time: empty, value: empty };
  }

  get length(): number {
    return this.#length;
  }
  get step(): Float64Array {
    return this.#columns.step.subarray(0, this.#length);
  }
  get epoch(): Float64Array {
    return this.#columns.epoch.subarray(0, this.#length);
  }
  get time(): Float64Array {
    return this.#columns.time.subarray(0, this.#length);
  }
  get values(): Float64Array {
    return this.#columns.value.subarray(0, this.#length);
  }

  /** Cuts at `from` and appends. False when points before `from` are missing: a snapshot is needed. */
  take(series: Series): boolean {
    if (series.from > this.#length) return false;
    const length = series.from + series.value.length;
    for (const name of columnNames) {
      let column = this.#columns[name];
      if (series.from === 0) {
        column = series[name];
      } else {
        if (length > column.length || !this.#owned) {
          const grown = new Float64Array(Math.max(1024, 2 * length));
          grown.set(column.subarray(0, this.#length));
          column = grown;
        }
        column.set(series[name], series.from);
      }
      this.#columns[name] = column;
    }
    this.#owned = series.from > 0;
    this.#length = length;
    this.#cache.clear();
    return true;
  }
  /** Whether the columns are ours to grow in place; those of a snapshot may be shared between metrics. */
  #owned = false;

  x(axis: XAxis, clock: { startMs: number; pauses: readonly Pause[] }): Float64Array {
    return this.#once(`x ${axis}`, () => xColumn(this, axis, clock));
  }

  /** The values to draw for a smoothing, with their index; 0 is the raw line. */
  drawn(beta: number): Extremes {
    const raw = this.#once('raw', () => indexExtremes(this.values));
    if (beta === 0) return raw;
    // One smoothing is in force at a time; the one before goes.
    const kept = this.#cache.get('smooth') as { beta: number; extremes: Extremes } | undefined;
    if (kept?.beta === beta) return kept.extremes;
    const extremes = indexExtremes(smooth(this.values, beta));
    this.#cache.set('smooth', { beta, extremes });
    return extremes;
  }

  #once<T>(key: string, make: () => T): T {
    if (!this.#cache.has(key)) this.#cache.set(key, make());
    return this.#cache.get(key) as T;
  }
}

const empty = new Float64Array(0);
