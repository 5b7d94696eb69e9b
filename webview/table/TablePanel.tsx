/** All runs as a table: filtered, sorted by several columns, grouped by a parameter. */
import { resultTableOf } from '../../experiments/runsTableExport.ts';
import { toCsv, toLatex, toMarkdown } from '../../experiments/tables.ts';
import type { ExportFormat } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import { ColumnChoice } from '../parts/ColumnChoice.tsx';
import { Button, Menu, Notice, Select } from '../parts/controls.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { RunProblems } from '../parts/RunProblems.tsx';
import type { TableModel } from './tableModel.ts';
import { VirtualRows } from './VirtualRows.tsx';

export function TablePanel({ model }: { model: TableModel }) {
  const { host } = model;
  const fault = model.fault.value;
  const { read, total } = model.progress.value;
  const items = model.items.value;
  const matching = items.filter(({ kind }) => kind === 'row').length;
  const selected = [...model.selected.value];
  const save = (format: ExportFormat, extension: string, text: string): void =>
    host.send({ type: 'export', format, fileName: `runs.${extension}`, content: { kind: 'text', text } });
  const table = () => resultTableOf(items, model.shown.value);
  if (!model.loaded.value)
    return (
      <main>
        {fault && <Notice tone="bad" title={fault.message} children={fault.remedy} />}
        <NotLoaded fault={fault !== null} />
      </main>
    );
  return (
    <main class="table-panel">
      {fault && <Notice tone="bad" title={fault.message} children={fault.remedy} />}
      <RunProblems runs={model.rows.value.values()} />
      <header class="panel-header">
        <div class="title-row">
          <h1>{t('Runs')}</h1>
          <span class="hint" role="status">
            {matching === total ? t('{0} runs', total) : t('{0} of {1} runs', matching, total)}
            {read < total && ` \u00b7 ${t('reading best values: {0} of {1}', read, total)}`}
          </span>
          <div class="actions">
            <Button
              icon="running"
              label={t('Show curves')}
              disabled={selected.length === 0}
              onClick={() => host.send({ type: 'openRuns', runIds: selected })}
            />
            <Button
              icon="compare"
              kind="primary"
              label={selected.length > 0 ? t('Compare {0}', selected.length) : t('Compare')}
              disabled={selected.length < 2}
              onClick={() => host.send({ type: 'compare', runIds: selected })}
            />
            <Menu
              label={t('Export')}
              icon="download"
              items={[
                { label: 'CSV', onSelect: () => save('csv', 'csv', toCsv(table())) },
                { label: 'Markdown', onSelect: () => save('markdown', 'md', toMarkdown(table())) },
                { label: 'LaTeX', onSelect: () => save('latex', 'tex', toLatex(table())) },
              ]}
            />
          </div>
        </div>
      </header>
      <div class="toolbar" role="toolbar" aria-label={t('Table')}>
        <span class="field filter">
          <label for="filter">{t('Filter')}</label>
          <input
            id="filter"
            type="search"
            value={model.filter.value}
            placeholder={t('words, state:finished, loss.eps=0.5, knnTop1>0.8')}
            onInput={(event) => (model.filter.value = event.currentTarget.value)}
          />
        </span>
        <Select
          label={t('Group by')}
          options={[
            { value: '', label: t('nothing') },
            ...model.columns.value
              .filter(({ id, kind }) => kind !== 'metric' && kind !== 'time' && id !== 'name')
              .map(({ id, label }) => ({ value: id, label })),
          ]}
          value={model.groupBy.value ?? ''}
          onChange={(id) => (model.groupBy.value = id || null)}
        />
        <ColumnChoice
          columns={model.columns.value.filter(({ id }) => id !== 'name')}
          shown={model.shown.value.map(({ id }) => id)}
          onChange={(shown) => (model.chosen.value = shown)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={model.archived.value}
            onChange={(event) => (model.archived.value = event.currentTarget.checked)}
          />
          <span>{t('Archived')}</span>
        </label>
        {model.sort.value.length > 0 && (
          <Button icon="reset" kind="quiet" label={t('Newest first')} onClick={() => (model.sort.value = [])} />
        )}
      </div>
      {total === 0 ? (
        <div class="empty">
          <p>{t('No runs yet. Start one from the side bar or with `simdino train`.')}</p>
        </div>
      ) : matching === 0 ? (
        <div class="empty">
          <p>{t('No run matches the filter.')}</p>
          <Button label={t('Clear filter')} onClick={() => (model.filter.value = '')} />
        </div>
      ) : (
        <VirtualRows model={model} />
      )}
    </main>
  );
}
