import type { Assessment } from '../../experiments/watchdog.ts';
import { assess } from '../../experiments/watchdog.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { Button } from '../parts/controls.tsx';
import { Icon } from '../parts/Icon.tsx';

const words: Record<Assessment['verdict'], { title: string; tone: string }> = {
  healthy: { title: t('Features are spread'), tone: 'good' },
  warmingUp: { title: t('Warming up'), tone: 'quiet' },
  narrowing: { title: t('Features are narrow'), tone: 'warning' },
  collapsed: { title: t('Collapsed'), tone: 'bad' },
  diverged: { title: t('Diverged'), tone: 'bad' },
  unknown: { title: '', tone: 'quiet' },
};

/** One line on the health of the features, with the remedy where one is needed. */
export function Watchdog({ run, host }: { run: RunSummary; host: PanelHost }) {
  const { verdict, reason, spread, remedy } = assess(run);
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
          label={t('Try again: {0}', remedy.words)}
          onClick={() => host.send({ type: 'forkRun', runId: run.id, step: 0, changes: remedy.changes, reason })}
        />
      )}
    </div>
  );
}
