import type { Assessment } from '../../experiments/watchdog.ts';
import { assess } from '../../experiments/watchdog.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import type { CurveStore } from '../charts/curveStore.ts';
import { dependOn } from '../dependOn.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { Button } from '../parts/controls.tsx';
import { Icon } from '../parts/Icon.tsx';

const words: Record<Assessment['verdict'], { title: string; tone: string }> = {
  healthy: { title: t('Features are spread'), tone: 'good' },
  warmingUp: { title: t('Warming up'), tone: 'quiet' },
  spike: { title: t('A spike, or the start of a collapse'), tone: 'warning' },
  narrowing: { title: t('Features are narrow'), tone: 'warning' },
  collapsed: { title: t('Collapsed'), tone: 'bad' },
  diverged: { title: t('Diverged'), tone: 'bad' },
  unknown: { title: '', tone: 'quiet' },
};

/** One line on the health of the features, with the remedy where one is needed. */
export function Watchdog({ run, store, host }: { run: RunSummary; store: CurveStore; host: PanelHost }) {
  dependOn(store.revision);
  const { verdict, reason, spread, remedy } = assess(run, (metric) => store.curve(run.id, metric));
  if (verdict === 'unknown') return null;
  const { title, tone } = words[verdict];
  return (
    <div class={`watchdog tone-${tone}`} role="status">
      <Icon name={tone === 'good' ? 'finished' : tone === 'quiet' ? 'starting' : 'warning'} />
      <strong>{title}</strong>
      {spread !== null && (
        <span class="meter" aria-hidden="true">
          <span style={{ width: `${100 * spread}%` }} />
        </span>
      )}
      <span class="watchdog-reason">{reason}</span>
      {remedy && host.live && (
        <Button
          icon="fork"
          label={
            remedy.fromStep > 0
              ? t('Try again from step {0}: {1}', remedy.fromStep, remedy.words)
              : t('Try again: {0}', remedy.words)
          }
          onClick={() =>
            host.send({ type: 'forkRun', runId: run.id, step: remedy.fromStep, changes: remedy.changes, reason })
          }
        />
      )}
    </div>
  );
}
