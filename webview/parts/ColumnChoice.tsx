import { useEffect, useRef } from 'preact/hooks';
import { t } from '../l10n.ts';

/** Which columns are shown: a list to tick, closed by Escape or a click elsewhere. */
export function ColumnChoice(props: {
  columns: readonly { id: string; label: string; title?: string | undefined }[];
  shown: readonly string[];
  onChange: (shown: string[]) => void;
}) {
  const details = useRef<HTMLDetailsElement>(null);
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
    const next = new Set(props.shown);
    if (!next.delete(id)) next.add(id);
    props.onChange([...next]);
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
        {props.columns.map(({ id, label, title }) => (
          <li key={id} title={title}>
            <label>
              <input type="checkbox" checked={props.shown.includes(id)} onChange={() => toggle(id)} />
              <span>{label}</span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
