import type { XAxis } from '../../experiments/xAxis.ts';
import { t } from '../l10n.ts';
import { Button, Choice, Slider } from '../parts/controls.tsx';
import type { ChartBoard } from './chartBoard.ts';
import { xLabel } from './cardChart.ts';

const axes: { value: XAxis; label: string }[] = [
  { value: 'step', label: t('Step') },
  { value: 'epoch', label: t('Epoch') },
  { value: 'time', label: t('Time') },
];

/** Controls that all charts of a panel obey. */
export function ChartToolbar({ board }: { board: ChartBoard }) {
  const zoom = board.zoom.value;
  const axis = board.axis.value;
  return (
    <div class="toolbar" role="toolbar" aria-label={t('Charts')}>
      <Choice label={t('Horizontal axis')} options={axes} value={axis} onChange={(value) => board.setAxis(value)} />
      <Slider
        label={t('Smoothing')}
        min={0}
        max={0.99}
        step={0.01}
        value={board.beta.value}
        words={board.beta.value === 0 ? t('off') : board.beta.value.toFixed(2)}
        onInput={(value) => (board.beta.value = value)}
      />
      {zoom ? (
        <span class="zoom-state">
          {t('{0} to {1}', xLabel(axis, round(zoom.from)), xLabel(axis, round(zoom.to)))}
          <Button icon="reset" label={t('Show all')} onClick={() => (board.zoom.value = null)} />
        </span>
      ) : (
        <span class="hint">{t('Drag to zoom \u00b7 Shift-drag to pan \u00b7 double-click for all')}</span>
      )}
    </div>
  );
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
