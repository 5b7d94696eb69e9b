import type { ShownState } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import type { IconName } from './Icon.tsx';
import { Icon } from './Icon.tsx';

const looks: Record<ShownState, { icon: IconName; label: string; tone: string }> = {
  queued: { icon: 'queued', label: t('Queued'), tone: 'quiet' },
  starting: { icon: 'starting', label: t('Starting'), tone: 'active' },
  running: { icon: 'running', label: t('Running'), tone: 'active' },
  stopping: { icon: 'stop', label: t('Stopping'), tone: 'active' },
  finished: { icon: 'finished', label: t('Finished'), tone: 'good' },
  stopped: { icon: 'stop', label: t('Stopped'), tone: 'quiet' },
  failed: { icon: 'failed', label: t('Failed'), tone: 'bad' },
  crashed: { icon: 'crashed', label: t('Crashed'), tone: 'bad' },
  stale: { icon: 'stale', label: t('Stale: out of reach'), tone: 'warning' },
  unreadable: { icon: 'warning', label: t('Unreadable'), tone: 'warning' },
};

/** A run's state by glyph, word and colour: any one of the three is enough. */
export function StateBadge({ state }: { state: ShownState }) {
  const { icon, label, tone } = looks[state];
  return (
    <span class={`badge tone-${tone}${state === 'running' ? ' alive' : ''}`}>
      <Icon name={icon} size={12} />
      {label}
    </span>
  );
}

export function stateLabel(state: ShownState): string {
  return looks[state].label;
}
