import type { CellState } from '../../experiments/grid.ts';
import { withAlpha } from '../colour.ts';
import { t } from '../l10n.ts';
import type { IconName } from '../parts/Icon.tsx';
import type { Theme } from '../theme.ts';

/** A cell's state by glyph, word and pattern; colour only repeats it. */
export const cellLooks: Record<CellState, { label: string; icon: IconName | null; tone: string }> = {
  done: { label: t('done'), icon: 'finished', tone: 'good' },
  partial: { label: t('some seeds done'), icon: 'half', tone: 'quiet' },
  running: { label: t('running'), icon: 'running', tone: 'active' },
  pending: { label: t('queued'), icon: 'queued', tone: 'quiet' },
  missing: { label: t('not started'), icon: 'plus', tone: 'quiet' },
  failed: { label: t('failed'), icon: 'failed', tone: 'bad' },
  stopped: { label: t('stopped'), icon: 'stop', tone: 'warning' },
  absent: { label: t('not in the sweep'), icon: null, tone: 'quiet' },
};

/** The fill of a cell without a value. */
export function statePattern(state: CellState, theme: Theme): string | CanvasPattern {
  const ink = (css: string, alpha: number) => withAlpha(css, theme.highContrast ? 0.75 : alpha);
  switch (state) {
    case 'failed':
      return hatch(ink(theme.bad, 0.4), 'cross') ?? 'transparent';
    case 'running':
      return withAlpha(theme.accent, 0.14);
    case 'pending':
      return hatch(ink(theme.foreground, 0.22), 'dots') ?? 'transparent';
    case 'stopped':
      return hatch(ink(theme.warning, 0.4), 'diagonal') ?? 'transparent';
    default:
      return 'transparent';
  }
}

function hatch(ink: string, kind: 'diagonal' | 'cross' | 'dots'): CanvasPattern | null {
  const size = 8;
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const context = tile.getContext('2d');
  if (!context) return null;
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = 1.2;
  context.beginPath();
  if (kind === 'dots') context.arc(size / 2, size / 2, 1.1, 0, 7);
  else {
    for (const offset of [-size, 0, size]) {
      context.moveTo(offset, size);
      context.lineTo(offset + size, 0);
      if (kind === 'cross') {
        context.moveTo(offset, 0);
        context.lineTo(offset + size, size);
      }
    }
  }
  if (kind === 'dots') context.fill();
  else context.stroke();
  return context.createPattern(tile, 'repeat');
}
