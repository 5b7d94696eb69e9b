import { useEffect, useRef } from 'preact/hooks';
import { t } from '../l10n.ts';
import type { TableModel } from './tableModel.ts';

/** Which columns are shown: a list to tick, closed by Escape or a click elsewhere. */
export function ColumnChoice({ model }: { model: TableModel }) {
  const details = useRef<HTMLDetailsElement>(null);
  const shown = new Set(model.shown.value.map(({ id }) => id));
  const close = (): void => {
    if (details.current) details.current.open = false;
  };
  useEffect(() => {
    const outside = (event: Event): void => {
      if (!details.current?.contains(event.target as Node)) close();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, []);
  const toggle = (id: string): void => {
    const next = new Set(shown);
    if (!next.delete(id)) next.add(id);
    model.chosen.value = [...next];
  };
  return (
    <details
      class="column-choice"
      ref={details}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        close();
        details.current?.querySelector('summary')?.focus();
      }}
    >
      <summary class="button secondary">{t('Columns')}</summary>
      <ul aria-label={t('Columns')}>
        {model.columns.value
          .filter(({ id }) => id !== 'name')
          .map(({ id, label }) => (
            <li key={id}>
              <label>
                <input type="checkbox" checked={shown.has(id)} onChange={() => toggle(id)} />
                <span>{label}</span>
              </label>
            </li>
          ))}
      </ul>
    </details>
  );
}
