import { computed, signal } from '@preact/signals';
import type { Pause } from '../../experiments/xAxis.ts';
import { pausesOf } from '../../experiments/xAxis.ts';
import type { RunSummary, Series } from '../../protocol/panelMessages.ts';
import { dependOn } from '../dependOn.ts';
import { Curve } from './curve.ts';
import { deriveCurve, isDerived } from './derivedCurves.ts';

/** The runs of a panel and their curves. Components read `runs` and `revision`; charts read the curves themselves. */
export class CurveStore {
  readonly runs = signal<readonly RunSummary[]>([]);
  /** Grows whenever a curve changed. */
  readonly revision = signal(0);
  readonly metrics = computed(() => {
    dependOn(this.revision);
    return new Set([...this.#curves.values()].flatMap((curves) => [...curves.keys()]));
  });
  #curves = new Map<string, Map<string, Curve>>();
  #derived = new Map<string, Map<string, Curve | undefined>>();
  #clocks = new Map<string, { startMs: number; pauses: Pause[] }>();

  /** Everything anew. */
  replace(runs: readonly RunSummary[], series: readonly Series[]): void {
    this.#curves.clear();
    this.#derived.clear();
    for (const one of series) this.#take({ ...one, from: 0 });
    this.runs.value = runs;
    this.#touch();
  }

  /** News. False when something was missed, so that a snapshot is needed. */
  append(runs: readonly RunSummary[], series: readonly Series[], removed: readonly string[]): boolean {
    const whole = series.map((one) => this.#take(one)).every(Boolean);
    for (const id of removed) {
      this.#curves.delete(id);
      this.#derived.delete(id);
    }
    const news = new Map(runs.map((run) => [run.id, run]));
    const known = new Set(this.runs.value.map((run) => run.id));
    this.runs.value = [
      ...this.runs.value.filter((run) => !removed.includes(run.id)).map((run) => news.get(run.id) ?? run),
      ...runs.filter((run) => !known.has(run.id)),
    ];
    if (series.length > 0 || removed.length > 0) this.#touch();
    return whole;
  }

  curve(runId: string, metric: string): Curve | undefined {
    return isDerived(metric) ? this.#derive(runId, metric) : this.#curves.get(runId)?.get(metric);
  }

  /** Where a run's clock starts and when it stood still, from its densest curve. */
  clock(run: RunSummary): { startMs: number; pauses: readonly Pause[] } {
    let clock = this.#clocks.get(run.id);
    if (!clock) {
      const curves = [...(this.#curves.get(run.id)?.values() ?? [])];
      const densest = curves.reduce<Curve | undefined>((a, b) => (a && a.length >= b.length ? a : b), undefined);
      clock = {
        startMs: Math.min(...curves.filter((c) => c.length > 0).map((c) => c.time[0]!)),
        pauses: densest ? pausesOf(densest, run.resumedAtSteps) : [],
      };
      this.#clocks.set(run.id, clock);
    }
    return clock;
  }

  #take(series: Series): boolean {
    const curves = this.#curves.get(series.runId) ?? new Map<string, Curve>();
    this.#curves.set(series.runId, curves);
    const curve = curves.get(series.metric) ?? new Curve(series.runId, series.metric);
    curves.set(series.metric, curve);
    this.#derived.delete(series.runId);
    return curve.take(series);
  }

  /** Made of logged curves the first time it is asked for, and anew when those have grown. */
  #derive(runId: string, metric: string): Curve | undefined {
    const run = this.runs.peek().find(({ id }) => id === runId);
    if (!run) return undefined;
    const known = this.#derived.get(runId) ?? new Map<string, Curve | undefined>();
    this.#derived.set(runId, known);
    if (!known.has(metric))
      known.set(
        metric,
        deriveCurve(run, metric, (name) => this.curve(runId, name)),
      );
    return known.get(metric);
  }

  #touch(): void {
    this.#clocks.clear();
    this.revision.value++;
  }
}
