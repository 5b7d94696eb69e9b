import { comparisonCaveats } from '../../experiments/honesty.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import { Icon } from '../parts/Icon.tsx';

/** What would make this comparison misleading. */
export function Caveats({ runs }: { runs: readonly RunSummary[] }) {
  const caveats = comparisonCaveats(runs);
  if (runs.length < 2) return null;
  if (caveats.length === 0) {
    return (
      <p class="fair tone-good">
        <Icon name="finished" />{' '}
        {t('A fair comparison: equal epochs, data, evaluation and seeds, from one clean commit.')}
      </p>
    );
  }
  const serious = caveats.some(({ weight }) => weight === 'serious');
  return (
    <section class={`caveats${serious ? ' serious' : ''}`} aria-label={t('Is the comparison fair?')}>
      <h2>{serious ? t('These results do not compare directly') : t('Before you conclude')}</h2>
      <ul>
        {caveats.map(({ code, weight, message }) => (
          <li key={code} class={weight === 'serious' ? 'tone-warning' : 'tone-info'}>
            <Icon name={weight === 'serious' ? 'warning' : 'info'} />
            <span>{message}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
