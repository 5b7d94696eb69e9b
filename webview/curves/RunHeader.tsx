import { formatDuration, formatNumber } from '../../experiments/formatMetric.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { Button, Notice } from '../parts/controls.tsx';
import { Icon } from '../parts/Icon.tsx';
import { StateBadge } from '../parts/StateBadge.tsx';

/** Whether a trainer is, or may be, at work on it. */
export function isActive({ state }: Pick<RunSummary, 'state'>): boolean {
  return state === 'running' || state === 'starting' || state === 'stopping';
}

/** Who this run is, how far it has come, and what can be done with it. */
export function RunHeader({ run, host }: { run: RunSummary; host: PanelHost }) {
  const { id: runId } = run;
  const resumable = ['stopped', 'crashed', 'failed'].includes(run.state) && run.checkpointSteps.length > 0;
  return (
    <header class="panel-header">
      <div class="title-row">
        <h1 title={run.id}>
          {run.star && (
            <span class="star" role="img" aria-label={t('starred')}>
              <Icon name="star" />
            </span>
          )}
          {run.name}
        </h1>
        <StateBadge state={run.state} />
        {host.live && (
          <div class="actions">
            {isActive(run) && (
              <Button
                icon="stop"
                kind="danger"
                label={run.state === 'stopping' ? t('Stopping') : t('Stop')}
                disabled={run.state === 'stopping'}
                title={t('Ask the trainer to write a checkpoint and end')}
                onClick={() => host.send({ type: 'stopRun', runId })}
              />
            )}
            {resumable && (
              <Button
                icon="running"
                kind="primary"
                label={t('Resume')}
                title={t('Continue from the checkpoint at step {0}', formatNumber(run.checkpointSteps.at(-1)!, 8))}
                onClick={() => host.send({ type: 'resumeRun', runId })}
              />
            )}
            <Button icon="file" label={t('Config')} onClick={() => host.send({ type: 'openConfig', runId })} />
            <Button icon="log" label={t('Log')} onClick={() => host.send({ type: 'openLog', runId })} />
            <Button
              icon="plus"
              label={t('Add runs')}
              onClick={() => host.send({ type: 'chooseRuns', panel: 'curves' })}
            />
          </div>
        )}
      </div>
      <Facts run={run} />
      <Progress run={run} />
      {run.failure && (
        <Notice tone="bad" title={run.state === 'crashed' ? t('The run crashed') : t('The run failed')}>
          {run.failure}
        </Notice>
      )}
    </header>
  );
}

function Facts({ run }: { run: RunSummary }) {
  const git = run.git && `${run.git.commit.slice(0, 7)}${run.git.dirty ? ` + ${t('uncommitted changes')}` : ''}`;
  const facts = [
    run.method,
    run.configSource.split(/[\\/]/).at(-1),
    `${t('seed')} ${run.seed}`,
    [run.engine, run.device].filter(Boolean).join(', '),
    git,
    run.parent && t('from {0} at step {1}', run.parent.id, run.parent.step),
  ].filter((fact): fact is string => typeof fact === 'string' && fact !== '');
  return (
    <ul class="facts">
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
      {run.tags.map((tag) => (
        <li key={`#${tag}`} class="tag">
          {tag}
        </li>
      ))}
    </ul>
  );
}

function Progress({ run }: { run: RunSummary }) {
  const share = run.totalSteps > 0 ? Math.min(1, run.step / run.totalSteps) : 0;
  const epochs = run.stepsPerEpoch > 0 ? run.totalSteps / run.stepsPerEpoch : null;
  const speed = run.last['imagesPerSecond'];
  const words = [
    t('step {0} of {1}', formatNumber(run.step, 8), formatNumber(run.totalSteps, 8)),
    epochs === null ? null : t('epoch {0} of {1}', formatNumber(run.epoch, 3), formatNumber(epochs, 4)),
    isActive(run) && speed !== undefined ? t('{0} images/s', formatNumber(speed, 3)) : null,
    isActive(run) && run.etaMs !== null ? t('{0} left', formatDuration(run.etaMs)) : null,
  ].filter((word) => word !== null);
  return (
    <div class="progress-row">
      <div
        class={`progress${isActive(run) ? ' active' : ''}`}
        role="progressbar"
        aria-label={t('Progress')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={words.join(', ')}
      >
        <div style={{ width: `${share * 100}%` }} />
      </div>
      <span class="progress-words">
        <b>{Math.floor(share * 100)} %</b> {words.join(' \u00b7 ')}
      </span>
    </div>
  );
}
