import { formatDuration, formatMetric } from '../../experiments/formatMetric.ts';
import { remainingMs } from '../../experiments/pace.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { RunState } from '../../protocol/records.ts';

/** Words for the states; the extension passes the editor's translations. */
export type StateWords = Record<RunState | 'unreadable', string>;

/** What people call a run. */
export function runName(run: Pick<RunOverview, 'id' | 'annotations'>): string {
  return run.annotations.name?.trim() || run.id;
}

/** `running · epoch 3.2 of 10 · loss -1.234 · k-NN 81.2 %`: what the tree shows behind a run's name. */
export function runDescription(run: RunOverview, words: StateWords): string {
  const problem = run.problems.slice(0, 1);
  if (isUnreadable(run)) return [words.unreadable, ...problem].join(' \u00b7 ');
  const state = isUndecided(run) ? `${words.stale}?` : words[run.state];
  return [state, ...progressParts(run), ...problem].join(' \u00b7 ');
}

/** Epoch, loss and k-NN as far as they are known. */
export function progressParts(run: RunOverview): string[] {
  const { latest, record } = run;
  const parts: string[] = [];
  const epoch = latest['epoch'];
  if (epoch !== undefined && Number.isFinite(epoch)) {
    const epochs = record && record.stepsPerEpoch > 0 ? record.totalSteps / record.stepsPerEpoch : undefined;
    parts.push(
      epochs === undefined ? `epoch ${shortEpoch(epoch)}` : `epoch ${shortEpoch(epoch)}/${shortEpoch(epochs)}`,
    );
  }
  if (latest['loss'] !== undefined) parts.push(`loss ${formatMetric('loss', latest['loss'])}`);
  if (latest['knnTop1'] !== undefined) parts.push(`k-NN ${formatMetric('knnTop1', latest['knnTop1'])}`);
  return parts;
}

/** `3 min 20 s left`, or undefined when it is not running or too little is known. */
export function remainingText(run: RunOverview): string | undefined {
  if (run.state !== 'running') return undefined;
  const leftMs = remainingMs(run.latest['step'] ?? 0, run.record?.totalSteps ?? 0, run.msPerStep);
  return leftMs === null ? undefined : formatDuration(leftMs);
}

/** A folder that says nothing about a run that can be understood; its state is not guessed. */
export function isUnreadable(run: RunOverview): boolean {
  return run.record === null && run.attemptCount === 0;
}

/** A run of another host that was not watched for long enough to tell whether it lives. */
export function isUndecided(run: RunOverview): boolean {
  return run.state === 'stale' && run.liveness === 'undecided';
}

function shortEpoch(epoch: number): string {
  return epoch >= 100 ? epoch.toFixed(0) : String(Number(epoch.toFixed(1)));
}
