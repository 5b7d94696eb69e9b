/** Two or more runs side by side: what came out, what differed, and whether the comparison is fair. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { armsTable, runsTable } from '../../experiments/comparisonTable.ts';
import type { ValueChoice } from '../../experiments/compare.ts';
import { differingKeys, isComparable, objectiveDifferences } from '../../experiments/compare.ts';
import { arms } from '../../experiments/honesty.ts';
import { paperTables, withReferences } from '../../experiments/paper.ts';
import { resultMetrics } from '../../experiments/resultColumns.ts';
import { settledValue } from '../../experiments/settledValue.ts';
import type { ResultTable } from '../../experiments/tables.ts';
import { toCsv, toLatex, toMarkdown } from '../../experiments/tables.ts';
import type { ExportFormat, RunSummary } from '../../protocol/panelMessages.ts';
import { ChartSections } from '../charts/ChartSections.tsx';
import type { CurveStore } from '../charts/curveStore.ts';
import { ChartToolbar } from '../charts/ChartToolbar.tsx';
import { RunLegend } from '../charts/RunLegend.tsx';
import { PanelNotices } from '../curves/CurvesPanel.tsx';
import type { CurvesModel } from '../curves/curvesModel.ts';
import { shortKey, showValue } from '../grid/cellWords.ts';
import { t } from '../l10n.ts';
import { ColumnChoice } from '../parts/ColumnChoice.tsx';
import { Button, Choice, Menu, Select } from '../parts/controls.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { Caveats } from './Caveats.tsx';
import { ConfigDifferences } from './ConfigDifferences.tsx';
import { PaperReference } from './PaperReference.tsx';
import { ParallelCoordinates } from './ParallelCoordinates.tsx';
import { ResultTableView } from './ResultTableView.tsx';

const overlaid = ['knnTop1', 'loss', 'codingRate', 'distance', 'effectiveRank', 'teacherStudentCosine'];

export function ComparisonPanel({ model }: { model: CurvesModel }) {
  const { host, store, board } = model;
  const runs = store.runs.value;
  const choose = useSignal<ValueChoice>('last');
  const grouping = useSignal<'runs' | 'arms'>('runs');
  const reference = useSignal('');
  const base = Math.max(
    0,
    runs.findIndex(({ id }) => id === model.base.value),
  );
  const setBase = (runId: string): void => {
    model.base.value = runId;
    host.send({ type: 'setBase', runId });
  };
  const severalSeeds = useMemo(() => arms(runs).some((arm) => arm.length > 1), [runs]);
  // With `last`, what a curve settled at; the newest line of a log is one batch.
  const settled = useMemo(() => runs.map((run) => settledRun(run, store)), [runs, store.revision.value]);
  const columns = useMemo(() => resultMetrics(settled), [settled]);
  const chosen = model.columns.value;
  const metrics = columns
    .filter(({ metric, byDefault }) => chosen?.includes(metric) ?? byDefault)
    .map(({ metric }) => metric);
  const table = useMemo(
    () => resultTable(settled, metrics, choose.value, severalSeeds ? grouping.value : 'runs', reference.value),
    [settled, metrics.join('\n'), choose.value, grouping.value, severalSeeds, reference.value],
  );
  const save = (format: ExportFormat, extension: string, text: string): void =>
    host.send({ type: 'export', format, fileName: `comparison.${extension}`, content: { kind: 'text', text } });

  if (!model.loaded.value || runs.length === 0) {
    return (
      <main>
        <PanelNotices model={model} />
        {!model.loaded.value && <NotLoaded fault={model.fault.value !== null} />}
        {model.loaded.value && (
          <div class="empty">
            <h1>{t('Nothing to compare')}</h1>
            <p>{t('Choose two or more runs.')}</p>
            {host.live && <ChooseRuns model={model} kind="primary" />}
          </div>
        )}
      </main>
    );
  }
  return (
    <main>
      <PanelNotices model={model} />
      <header class="panel-header">
        <div class="title-row">
          <h1>{runs.length === 1 ? runs[0]!.name : t('Comparison of {0} runs', runs.length)}</h1>
          <div class="actions">
            {host.live && <ChooseRuns model={model} kind="secondary" />}
            {host.live && runs.length === 2 && (
              <Button
                icon="file"
                label={t('Diff of the YAML')}
                onClick={() => host.send({ type: 'diffConfigs', leftId: runs[base]!.id, rightId: runs[1 - base]!.id })}
              />
            )}
            <Menu
              label={t('Export table')}
              icon="download"
              items={[
                { label: 'CSV', onSelect: () => save('csv', 'csv', toCsv(table)) },
                { label: 'Markdown', onSelect: () => save('markdown', 'md', toMarkdown(table)) },
                { label: 'LaTeX', onSelect: () => save('latex', 'tex', toLatex(table)) },
              ]}
            />
          </div>
        </div>
      </header>
      <Caveats runs={runs} />
      <section class="block" aria-label={t('Results')}>
        <div class="block-head">
          <h2>{t('Results')}</h2>
          <span class="hint">
            {choose.value === 'last'
              ? t('Last evaluation; median of the last tenth of what is logged every step')
              : t('Best value of each metric on its own, at whatever step')}
            {metrics.some((metric) => !isComparable(metric, runs)) &&
              `; ${t('the loss and its terms are not ranked, since these keys differ: {0}', objectiveDifferences(runs).join(', '))}`}
          </span>
          <Choice
            label={t('Value of a run')}
            options={[
              { value: 'last', label: t('Last') },
              { value: 'best', label: t('Best') },
            ]}
            value={choose.value}
            onChange={(value) => (choose.value = value)}
          />
          {severalSeeds && (
            <Choice
              label={t('Rows')}
              options={[
                { value: 'runs', label: t('Runs') },
                { value: 'arms', label: t('Means over seeds') },
              ]}
              value={grouping.value}
              onChange={(value) => (grouping.value = value)}
            />
          )}
          <Select
            label={t('Beside')}
            options={[
              { value: '', label: t('no reference') },
              ...paperTables.map((name) => ({ value: name, label: t('the paper\u2019s {0}', name) })),
            ]}
            value={reference.value}
            onChange={(name) => (reference.value = name)}
          />
          <ColumnChoice
            columns={columns.map(({ metric, label, title }) => ({ id: metric, label, title }))}
            shown={metrics}
            onChange={(shown) => (model.columns.value = shown)}
          />
        </div>
        <ResultTableView
          table={table}
          runs={severalSeeds && grouping.value === 'arms' ? null : runs}
          base={base}
          onOpen={(runId) => host.send({ type: 'openRun', runId })}
        />
      </section>
      <section class="block" aria-label={t('Configuration')}>
        <div class="block-head">
          <h2>{t('What differs in the configuration')}</h2>
          {runs.length > 1 && (
            <Select
              label={t('Base')}
              options={runs.map(({ id, name }) => ({ value: id, label: name }))}
              value={runs[base]!.id}
              onChange={setBase}
            />
          )}
        </div>
        <ConfigDifferences runs={runs} base={base} host={host} />
      </section>
      {runs.length > 2 && (
        <details class="section">
          <summary>
            <h2>{t('Parallel coordinates')}</h2>
          </summary>
          <ParallelCoordinates board={board} choose={choose.value} host={host} />
        </details>
      )}
      <ChartToolbar board={board} />
      <RunLegend board={board} />
      <ChartSections board={board} host={host} only={overlaid} />
      <details class="section">
        <summary>
          <h2>{t('The paper\u2019s results')}</h2>
        </summary>
        <PaperReference />
      </details>
    </main>
  );
}

function settledRun(run: RunSummary, store: CurveStore): RunSummary {
  const last = Object.keys(run.last).map((metric) => {
    const curve = store.curve(run.id, metric);
    return [metric, (curve && settledValue(curve.values)) ?? run.last[metric]!] as const;
  });
  return { ...run, last: Object.fromEntries(last) };
}

function ChooseRuns({ model, kind }: { model: CurvesModel; kind: 'primary' | 'secondary' }) {
  return (
    <Button
      icon="plus"
      kind={kind}
      label={t('Choose runs')}
      onClick={() => model.host.send({ type: 'chooseRuns', panel: 'comparison' })}
    />
  );
}

function resultTable(
  runs: readonly RunSummary[],
  metrics: readonly string[],
  choose: ValueChoice,
  grouping: 'runs' | 'arms',
  reference: string,
): ResultTable {
  const beside = (table: ResultTable): ResultTable =>
    reference === '' ? table : withReferences(table, metrics, reference);
  if (grouping === 'runs') return beside(runsTable(runs, { metrics, choose }));
  const keys = differingKeys(
    arms(runs).map((arm) => arm[0]!),
    0,
  ).filter(({ key }) => key !== 'seed');
  return beside(
    armsTable(runs, {
      metrics,
      choose,
      nameArm: ([run]) =>
        keys.map(({ key }) => `${shortKey(key)} ${showValue(run?.config[key] ?? null)}`).join(', ') ||
        (run?.name ?? ''),
    }),
  );
}
