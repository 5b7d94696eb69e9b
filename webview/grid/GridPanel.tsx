/** A sweep as heat maps and as a table. */
import { useEffect, useState } from 'preact/hooks';
import type { GridCell } from '../../experiments/grid.ts';
import { gridMetrics } from '../../experiments/grid.ts';
import { isComparable } from '../../experiments/compare.ts';
import { metricLabels } from '../../experiments/metricLabels.ts';
import { formatDuration, formatMetric } from '../../experiments/formatMetric.ts';
import { paperTableFor } from '../../experiments/paper.ts';
import { needsRun } from '../../experiments/sweepCells.ts';
import type { SchedulerState } from '../../protocol/records.ts';
import { PaperReference } from '../comparison/PaperReference.tsx';
import { t } from '../l10n.ts';
import { Button, Choice, Menu, Notice, Select } from '../parts/controls.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { RunProblems } from '../parts/RunProblems.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { Icon } from '../parts/Icon.tsx';
import { StateBadge } from '../parts/StateBadge.tsx';
import { theme } from '../theme.ts';
import { cellLooks } from './cellLooks.ts';
import { rampColours } from './colourRamp.ts';
import { exportGrid } from './exportGrid.ts';
import type { GridModel } from './gridModel.ts';
import { GridTable } from './GridTable.tsx';
import { HeatMap } from './HeatMap.tsx';

export function GridPanel({ model }: { model: GridModel }) {
  const { host } = model;
  const data = model.data.value;
  const grid = model.grid.value;
  const fault = model.fault.value;
  const startedOf = (cell: GridCell) => cell.members.flatMap(({ run }) => (run ? [run.id] : []));
  const open = (cell: GridCell): void => {
    const started = startedOf(cell);
    if (started.length === 1) host.send({ type: 'openRun', runId: started[0]! });
    else if (started.length > 1) host.send({ type: 'compare', runIds: started });
    // A scheduler at work comes to this cell by itself.
    else if (data && host.live && !isScheduled(data.scheduler))
      host.send({ type: 'runCells', sweepId: data.sweep.id, runIds: cell.members.map(({ runId }) => runId) });
  };
  const clickDoes = (cell: GridCell): string | undefined => {
    if (!data || !host.live || cell.state === 'absent') return undefined;
    const started = startedOf(cell);
    if (started.length === 1) return t('Click: show its curves');
    if (started.length > 1) return t('Click: compare its {0} runs', started.length);
    if (data.scheduler === 'running') return t('Its turn comes by itself');
    if (data.scheduler === 'pausing') return t('Nothing more is launched; Continue starts it in its turn');
    return cell.members.length === 1
      ? t('Click: run this cell')
      : t('Click: run this cell\u2019s {0} seeds', cell.members.length);
  };
  const paperTable = data && paperTableFor(data.sweep, data.runs);
  return (
    <main>
      {fault && (
        <Notice tone="bad" title={fault.message}>
          {fault.remedy}
        </Notice>
      )}
      {data && <RunProblems runs={data.runs} />}
      {!data || !grid ? (
        <NotLoaded fault={fault !== null} />
      ) : (
        <>
          <GridHeader model={model} />
          <SchedulerNotice model={model} />
          <GridControls model={model} />
          {grid.facets.length === 0 || grid.rows.length === 0 ? (
            <div class="empty">
              <p>{t('This sweep has no cells. Give its axes values in the sweep file.')}</p>
            </div>
          ) : (
            <>
              <AxisCaption model={model} />
              <div class={`facets${grid.facets.length > 1 ? ' several' : ''}`}>
                {grid.facets.map((facet) => (
                  <HeatMap
                    key={JSON.stringify(facet.fixed)}
                    grid={grid}
                    facet={facet}
                    metric={model.metric.value}
                    onClickDoes={clickDoes}
                    onOpen={open}
                  />
                ))}
              </div>
              <Key model={model} />
              <details class="section" open={grid.facets.flatMap((f) => f.cells.flat()).length <= 16}>
                <summary>
                  <h2>{t('Values')}</h2>
                </summary>
                <GridTable model={model} />
              </details>
              {paperTable && (
                <details class="section" open>
                  <summary>
                    <h2>{t('The paper\u2019s {0}', paperTable)}</h2>
                  </summary>
                  <PaperReference table={paperTable} />
                </details>
              )}
            </>
          )}
        </>
      )}
    </main>
  );
}

const schedulerLooks: Record<SchedulerState, { label: string; icon: IconName; tone: string; title: string }> = {
  running: {
    label: t('Running'),
    icon: 'running',
    tone: 'active alive',
    title: t('Cells that wait are launched as others end.'),
  },
  pausing: {
    label: t('Pausing'),
    icon: 'paused',
    tone: 'active',
    title: t('Nothing more is launched; the running cells go on to their end.'),
  },
  paused: { label: t('Paused'), icon: 'paused', tone: 'quiet', title: t('Nothing is launched until it is continued.') },
  cancelled: { label: t('Cancelled'), icon: 'stop', tone: 'quiet', title: t('Its running cells were stopped.') },
  lost: {
    label: t('Scheduler lost'),
    icon: 'warning',
    tone: 'bad',
    title: t('Its process is gone without having said why.'),
  },
  silent: {
    label: t('Scheduler silent'),
    icon: 'warning',
    tone: 'warning',
    title: t('Nothing is heard of it, and it can\u2019t be told from here whether it has ended.'),
  },
  idle: {
    label: t('Idle'),
    icon: 'half',
    tone: 'quiet',
    title: t('No scheduler is known to work on the cells that have not finished.'),
  },
};

function isScheduled(scheduler: SchedulerState): boolean {
  return scheduler === 'running' || scheduler === 'pausing';
}

function isUnheard(scheduler: SchedulerState): scheduler is 'lost' | 'silent' {
  return scheduler === 'lost' || scheduler === 'silent';
}

/** What became of a scheduler that left cells behind without a word, and what to do about it. */
function SchedulerNotice({ model }: { model: GridModel }) {
  const { sweep, runs, scheduler, heardAtMs } = model.data.value!;
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const clock = setInterval(() => setNowMs(Date.now()), 30_000);
    return () => clearInterval(clock);
  }, []);
  const stateOf = new Map(runs.map(({ id, state }) => [id, state]));
  if (!isUnheard(scheduler) || sweep.cells.every(({ runId }) => stateOf.get(runId) === 'finished')) return null;
  // A time to come is another clock's.
  const isKnown = heardAtMs !== null && heardAtMs <= nowMs;
  const heard = isKnown ? t(', last heard of {0} ago', formatAge(nowMs - heardAtMs)) : '';
  return scheduler === 'lost' ? (
    <Notice tone="bad" title={t('Scheduler lost{0}: resume the grid', heard)}>
      {t('No cell is launched any more. Cells that run go on by themselves; those that have finished are kept.')}
    </Notice>
  ) : (
    <Notice tone="warning" title={t('Scheduler silent{0}', heard)}>
      {t(
        'It may still work where this window can\u2019t see it. Resuming watches for its heartbeat first, and is refused where it works.',
      )}
    </Notice>
  );
}

/** A time of which the last unit says nothing: `5 min`, `3 h`. */
function formatAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return t('less than 1 min');
  if (minutes < 60) return t('{0} min', minutes);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? t('{0} h', hours) : t('{0} days', Math.floor(hours / 24));
}

function GridHeader({ model }: { model: GridModel }) {
  const { host } = model;
  const { sweep, name, etaMs, runs } = model.data.value!;
  const stateOf = new Map(runs.map(({ id, state }) => [id, state]));
  const open = sweep.cells.filter(({ runId }) => needsRun(stateOf.get(runId))).length;
  const finished = sweep.cells.filter(({ runId }) => stateOf.get(runId) === 'finished').length;
  const isDone = sweep.cells.length > 0 && finished === sweep.cells.length;
  // A scheduler takes a moment to see that nothing is left; there is nothing to pause then.
  const scheduler = isDone ? 'idle' : model.data.value!.scheduler;
  const look = schedulerLooks[scheduler];
  const act = (action: 'runMissing' | 'pause' | 'continue' | 'cancel') => () =>
    host.send({ type: 'gridAction', sweepId: sweep.id, action });
  const share = sweep.cells.length > 0 ? finished / sweep.cells.length : 0;
  const words = t('{0} of {1} runs finished', finished, sweep.cells.length);
  return (
    <header class="panel-header">
      <div class="title-row">
        <h1 title={sweep.id}>{name}</h1>
        {isDone && <StateBadge state="finished" />}
        {!isDone && (
          <span class={`badge tone-${look.tone}`} title={look.title}>
            <Icon name={look.icon} size={12} />
            {look.label}
          </span>
        )}
        <div class="actions">
          {host.live && scheduler === 'running' && (
            <Button
              icon="paused"
              label={t('Pause')}
              title={t('Launch nothing more; the running cells go on to their end')}
              onClick={act('pause')}
            />
          )}
          {host.live && (scheduler === 'pausing' || scheduler === 'paused') && (
            <Button icon="running" kind="primary" label={t('Continue')} onClick={act('continue')} />
          )}
          {host.live && isScheduled(scheduler) && (
            <Button
              icon="stop"
              kind="danger"
              label={t('Cancel')}
              title={t('Stop the running cells at a checkpoint and launch nothing more')}
              onClick={act('cancel')}
            />
          )}
          {host.live && !isScheduled(scheduler) && scheduler !== 'paused' && open > 0 && (
            <Button
              icon="running"
              kind="primary"
              label={isUnheard(scheduler) ? t('Resume the grid') : t('Run missing and failed cells')}
              title={open === 1 ? t('1 run') : t('{0} runs', open)}
              onClick={act('runMissing')}
            />
          )}
          <Menu
            label={t('Export')}
            icon="download"
            items={(['png', 'svg', 'csv', 'markdown', 'latex'] as const).map((format) => ({
              label: { png: 'PNG', svg: 'SVG', csv: 'CSV', markdown: 'Markdown', latex: 'LaTeX' }[format],
              onSelect: () => void exportGrid(model, format),
            }))}
          />
        </div>
      </div>
      <ul class="facts">
        <li>
          {model.grid.value!.layout === 'list'
            ? t('{0} listed cells', model.grid.value!.rows.length)
            : sweep.axes.length === 1
              ? t('1 axis')
              : t('{0} axes', sweep.axes.length)}
        </li>
        <li>{sweep.seeds.length === 1 ? t('1 seed') : t('{0} seeds', sweep.seeds.length)}</li>
        <li>{sweep.base.split(/[\\/]/).at(-1)}</li>
        <li>{t('{0} at a time', sweep.slots)}</li>
      </ul>
      <div class="progress-row">
        <div
          class={`progress${scheduler === 'running' ? ' active' : ''}`}
          role="progressbar"
          aria-label={t('Progress')}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)}
          aria-valuetext={words}
        >
          <div style={{ width: `${100 * share}%` }} />
        </div>
        <span class="progress-words">
          <b>{Math.floor(100 * share)} %</b> {words}
          {etaMs !== null && !isDone && ` \u00b7 ${t('{0} left', formatDuration(etaMs))}`}
        </span>
      </div>
    </header>
  );
}

function GridControls({ model }: { model: GridModel }) {
  const { sweep } = model.data.value!;
  const axisOptions = sweep.axes.map(({ key }) => ({ value: key, label: key }));
  const metrics = gridMetrics(model.data.value!);
  const labelOf = metricLabels(metrics);
  // Choosing the other axis' key swaps the two.
  const setRow = (key: string): void => {
    if (key === model.columnKey.value) model.columnKey.value = model.rowKey.value;
    model.rowKey.value = key;
  };
  const setColumn = (key: string): void => {
    if (key === model.rowKey.value) model.rowKey.value = model.columnKey.value;
    model.columnKey.value = key;
  };
  return (
    <div class="toolbar" role="toolbar" aria-label={t('Grid')}>
      {sweep.axes.length > 1 && model.grid.value!.layout === 'axes' && (
        <>
          <Select label={t('Rows')} options={axisOptions} value={model.rowKey.value ?? ''} onChange={setRow} />
          <Select label={t('Columns')} options={axisOptions} value={model.columnKey.value ?? ''} onChange={setColumn} />
        </>
      )}
      <Select
        label={t('Metric')}
        options={metrics.map((metric) => ({ value: metric, label: labelOf(metric).label }))}
        value={model.metric.value}
        onChange={(metric) => (model.metric.value = metric)}
      />
      <Choice
        label={t('Value of a run')}
        options={[
          { value: 'last', label: t('Last') },
          { value: 'best', label: t('Best') },
        ]}
        value={model.choose.value}
        onChange={(choose) => (model.choose.value = choose)}
      />
    </div>
  );
}

function AxisCaption({ model }: { model: GridModel }) {
  const { rowKey, columnKey } = model.grid.value!;
  return (
    <p class="axis-caption">
      {rowKey && (
        <span>
          <span aria-hidden="true">{'\u2193'}</span> <code>{rowKey}</code>
        </span>
      )}
      {columnKey && (
        <span>
          <span aria-hidden="true">{'\u2192'}</span> <code>{columnKey}</code>
        </span>
      )}
    </p>
  );
}

/** What the colours and glyphs mean. */
function Key({ model }: { model: GridModel }) {
  const { range, counts, better } = model.grid.value!;
  const metric = model.metric.value;
  const colours = theme.value;
  const stops = Array.from({ length: 9 }, (_, i) => rampColours(i / 8, colours).fill);
  const [left, right] = better === 'lower' ? [range?.high, range?.low] : [range?.low, range?.high];
  const ranking = !isComparable(metric, model.data.value!.runs)
    ? t('not ranked, since the cells minimise different objectives')
    : better === null
      ? t('neither end is better')
      : t('better to the right');
  return (
    <div class="grid-key">
      {range && (
        <span class="ramp">
          {formatMetric(metric, left!)}
          <span
            class="ramp-bar"
            style={{ background: `linear-gradient(to right, ${stops.join(', ')})` }}
            aria-hidden="true"
          />
          {formatMetric(metric, right!)}
          <span class="muted">
            {metricLabels([metric])(metric).label}, {ranking}; {t('mean \u00b1 95 % confidence interval')}
          </span>
        </span>
      )}
      <ul>
        {Object.entries(cellLooks)
          .filter(([state]) => counts[state as keyof typeof counts] > 0)
          .map(([state, { label, icon, tone }]) => (
            <li key={state} class={`tone-${tone}`}>
              {icon && <Icon name={icon} size={12} />} {counts[state as keyof typeof counts]} {label}
            </li>
          ))}
      </ul>
    </div>
  );
}
