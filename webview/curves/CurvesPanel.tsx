/** Live curves of one or several runs. */
import { ChartSections } from '../charts/ChartSections.tsx';
import { ChartToolbar } from '../charts/ChartToolbar.tsx';
import { RunLegend } from '../charts/RunLegend.tsx';
import { t } from '../l10n.ts';
import { Button, Notice } from '../parts/controls.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { RunProblems } from '../parts/RunProblems.tsx';
import { KeyFigures } from './KeyFigures.tsx';
import type { CurvesModel } from './curvesModel.ts';
import { RunHeader } from './RunHeader.tsx';
import { Watchdog } from './Watchdog.tsx';

export function CurvesPanel({ model }: { model: CurvesModel }) {
  const { host, store, board } = model;
  const runs = store.runs.value;
  const single = runs.length === 1 ? runs[0]! : null;
  return (
    <main>
      <PanelNotices model={model} />
      {!model.loaded.value ? (
        <NotLoaded fault={model.fault.value !== null} />
      ) : runs.length === 0 ? (
        <div class="empty">
          <h1>{t('No run to show')}</h1>
          <p>{t('Its folder is gone, or nothing was chosen.')}</p>
          {host.live && (
            <Button
              kind="primary"
              label={t('Choose runs')}
              onClick={() => host.send({ type: 'chooseRuns', panel: 'curves' })}
            />
          )}
        </div>
      ) : (
        <>
          {single ? (
            <RunHeader run={single} host={host} />
          ) : (
            <header class="panel-header">
              <div class="title-row">
                <h1>{t('Curves of {0} runs', runs.length)}</h1>
                {host.live && (
                  <div class="actions">
                    <Button
                      icon="compare"
                      label={t('Compare')}
                      onClick={() => host.send({ type: 'compare', runIds: runs.map(({ id }) => id) })}
                    />
                    <Button
                      icon="plus"
                      label={t('Add runs')}
                      onClick={() => host.send({ type: 'chooseRuns', panel: 'curves' })}
                    />
                  </div>
                )}
              </div>
            </header>
          )}
          {single && <KeyFigures run={single} store={store} />}
          {single && <Watchdog run={single} store={store} host={host} />}
          <ChartToolbar board={board} />
          {!single && <RunLegend board={board} />}
          <ChartSections board={board} host={host} />
        </>
      )}
    </main>
  );
}

export function PanelNotices({ model }: { model: CurvesModel }) {
  const fault = model.fault.value;
  const missing = model.missing.value;
  return (
    <>
      {fault && (
        <Notice tone="bad" title={fault.message}>
          {fault.remedy}
        </Notice>
      )}
      {missing.length > 0 && (
        <Notice tone="warning" title={t('Gone: {0}', missing.slice(0, 5).join(', '))}>
          {t('The run folder was deleted or moved.')}
        </Notice>
      )}
      <RunProblems runs={model.store.runs.value} />
    </>
  );
}
