export { runName } from '../../experiments/runName.ts';
import { formatDuration, formatMetric } from '../../experiments/formatMetric.ts';
import { remainingMs } from '../../experiments/pace.ts';
import { isUnreadable, type RunOverview } from '../../experiments/store/summariseRun.ts';
import type { ShownState } from '../../protocol/panelMessages.ts';

/** Words for the states; the extension passes the editor's translations. */
export type StateWords = Record<ShownState, string>;

/** `running · epoch 3.2 of 10 · loss -1.234 · k-NN 81.2 %`: what the tree shows behind a run's name. */
export function runDescription(run: RunOverview, words: StateWords): string {
  const problem = run.problems.slice(0, 1);
  if (isUnreadable(run)) return [words.unreadable, ...problem].join(' \u00b7 ');
  const state = isUndecided(run) ? `${words.stale}?` : words[run.state];
  return [state, ...progressParts(run), ...problem].join(' \u00b7 ');
}

/**
 * The same for the narrow tree, whose edge cuts it: what the icon does not say comes first, each number before its word.
 * `3.2/10 epochs · 81.2 % k-NN · loss -1.234 · running`; the accuracy leads when a run has ended. A failure is said first.
 */
export function treeDescription(run: RunOverview, words: StateWords): string {
  const isPlain = run.state === 'running' || run.state === 'finished' || run.state === 'stopped';
  if (isUnreadable(run) || !isPlain) return runDescription(run, words);
  const [epoch, loss, knn] = [epochText(run), lossText(run), knnText(run)];
  const progress = epoch === undefined ? [] : [`${epoch} epochs`];
  const accuracy = knn === undefined ? [] : [`${knn} k-NN`];
  const leading = run.state === 'running' ? [...progress, ...accuracy] : [...accuracy, ...progress];
  return [
    ...leading,
    ...(loss === undefined ? [] : [`loss ${loss}`]),
    words[run.state],
    ...run.problems.slice(0, 1),
  ].join(' \u00b7 ');
}

/** Epoch, loss and k-NN as far as they are known. */
export function progressParts(run: RunOverview): string[] {
  const parts = { epoch: epochText(run), loss: lossText(run), 'k-NN': knnText(run) };
  return Object.entries(parts).flatMap(([word, text]) => (text === undefined ? [] : [`${word} ${text}`]));
}

function epochText({ latest, record }: RunOverview): string | undefined {
  const epoch = latest['epoch'];
  if (epoch === undefined || !Number.isFinite(epoch)) return undefined;
  const epochs = record && record.stepsPerEpoch > 0 ? record.totalSteps / record.stepsPerEpoch : undefined;
  return epochs === undefined ? shortEpoch(epoch) : `${shortEpoch(epoch)}/${shortEpoch(epochs)}`;
}

function lossText({ latest }: RunOverview): string | undefined {
  return latest['loss'] === undefined ? undefined : formatMetric('loss', latest['loss']);
}

function knnText({ latest }: RunOverview): string | undefined {
  return latest['knnTop1'] === undefined ? undefined : formatMetric('knnTop1', latest['knnTop1']);
}

/** `3 min 20 s left`, or undefined when it is not running or too little is known. */
export function remainingText(run: RunOverview): string | undefined {
  if (run.state !== 'running') return undefined;
  const leftMs = remainingMs(run.latest['step'] ?? 0, run.record?.totalSteps ?? 0, run.msPerStep);
  return leftMs === null ? undefined : formatDuration(leftMs);
}

/** A run of another host that was not watched for long enough to tell whether it lives. */
export function isUndecided(run: RunOverview): boolean {
  return run.state === 'stale' && run.liveness === 'undecided';
}

function shortEpoch(epoch: number): string {
  return epoch >= 100 ? epoch.toFixed(0) : String(Number(epoch.toFixed(1)));
}
