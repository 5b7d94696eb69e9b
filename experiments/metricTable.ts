/** One metric's points: `values[i]` was logged on row `rows[i]` of the table. NaN is a value that was logged as such. */
export interface MetricSeries {
  rows: Uint32Array;
  values: Float64Array;
}

/** One line of metrics: `values[i]` is of `names[i]`. The step is among them. */
export interface MetricRow {
  names: readonly string[];
  values: ArrayLike<number>;
  step: number;
}

/**
 * The metrics of a run by columns, in the order of training.
 *
 * A metric that some lines lack (an evaluation, say) has fewer points than the table has rows; a point that was logged as
 * NaN or Infinity is there with that value.
 */
export class MetricTable {
  #step = new Column(Float64Array);
  #epoch = new Column(Float64Array);
  #time = new Column(Float64Array);
  #metrics = new Map<string, { rows: Column<Uint32Array>; values: Column<Float64Array> }>();

  get length(): number {
    return this.#step.length;
  }
  get names(): string[] {
    return [...this.#metrics.keys()];
  }
  get step(): Float64Array {
    return this.#step.view();
  }
  get epoch(): Float64Array {
    return this.#epoch.view();
  }
  /** Unix time in ms. */
  get time(): Float64Array {
    return this.#time.view();
  }

  /** The points of a metric; none when it was never logged. The arrays are views: copy them before sending them away. */
  series(name: string): MetricSeries {
    const metric = this.#metrics.get(name);
    return metric
      ? { rows: metric.rows.view(), values: metric.values.view() }
      : { rows: new Uint32Array(0), values: new Float64Array(0) };
  }

  /** The newest value of a metric and the row it was logged on. */
  latest(name: string): { value: number; row: number } | undefined {
    const metric = this.#metrics.get(name);
    if (!metric || metric.rows.length === 0) return undefined;
    const last = metric.rows.length - 1;
    return { value: metric.values.at(last), row: metric.rows.at(last) };
  }

  append({ names, values, step }: MetricRow): void {
    const row = this.#step.length;
    let epoch = Number.NaN;
    let time = Number.NaN;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = values[i] as number;
      if (name === 'step') continue;
      if (name === 'epoch') {
        epoch = value;
        continue;
      }
      if (name === 'time') {
        time = value;
        continue;
      }
      let metric = this.#metrics.get(name);
      if (!metric) {
        metric = { rows: new Column(Uint32Array), values: new Column(Float64Array) };
        this.#metrics.set(name, metric);
      }
      metric.rows.push(row);
      metric.values.push(value);
    }
    this.#step.push(step);
    this.#epoch.push(epoch);
    this.#time.push(time);
  }

  /** Drops every row whose step is larger: a later attempt took over from there. */
  dropPast(step: number): void {
    let keep = this.length;
    while (keep > 0 && this.#step.at(keep - 1) > step) keep--;
    if (keep === this.length) return;
    for (const column of [this.#step, this.#epoch, this.#time]) column.length = keep;
    for (const [name, { rows, values }] of this.#metrics) {
      let points = rows.length;
      while (points > 0 && rows.at(points - 1) >= keep) points--;
      rows.length = points;
      values.length = points;
      if (points === 0) this.#metrics.delete(name);
    }
  }
}

type Numbers = Float64Array | Uint32Array;

/** A typed array that grows by doubling. */
class Column<T extends Numbers> {
  length = 0;
  #data: T;

  constructor(readonly make: new (length: number) => T) {
    this.#data = new make(64);
  }

  push(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new this.make(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length++] = value;
  }

  at(index: number): number {
    return this.#data[index] as number;
  }

  view(): T {
    return this.#data.subarray(0, this.length) as T;
  }
}
