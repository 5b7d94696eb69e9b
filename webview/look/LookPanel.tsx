import type { LookedRun, ShownPicture } from '../../protocol/panelMessages.ts';
import { formatNumber } from '../../experiments/formatMetric.ts';
import { t } from '../l10n.ts';
import { Button, Notice, Select, Slider } from '../parts/controls.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { columnNames, lookAt, pictureKinds, sharedSteps, type LookModel } from './lookModel.ts';

/** Pictures of runs side by side; one slider moves all of them through their checkpoints. */
export function LookPanel({ model }: { model: LookModel }) {
  const runs = model.runs.value;
  const fault = model.fault.value;
  return (
    <main class="look">
      {fault && (
        <Notice tone="bad" title={fault.message}>
          {fault.remedy}
        </Notice>
      )}
      {runs ? <Looks model={model} runs={runs} /> : <NotLoaded fault={fault !== null} />}
    </main>
  );
}

function Looks({ model, runs }: { model: LookModel; runs: readonly LookedRun[] }) {
  const steps = sharedSteps(runs);
  const names = columnNames(runs);
  const chosen = model.step.value;
  // A step that was chosen before and is no longer there gives way to the one before it.
  const found = chosen === null ? -1 : steps.filter((step) => step <= chosen).length - 1;
  const index = found >= 0 ? found : chosen === null ? steps.length - 1 : 0;
  const step = steps[index];
  return (
    <>
      <header class="panel-header">
        <div class="title-row">
          <h1>{t('What did it learn?')}</h1>
          <span class="hint" role="status">
            {model.busy.value && t('Looking\u2026')}
          </span>
        </div>
      </header>
      {step !== undefined && (
        <div class="toolbar" role="toolbar" aria-label={t('Pictures')}>
          <Slider
            label={t('Step')}
            value={index}
            min={0}
            max={Math.max(1, steps.length - 1)}
            step={1}
            words={formatNumber(step, 8)}
            disabled={steps.length < 2}
            onInput={(place) => (model.step.value = place >= steps.length - 1 ? null : (steps[place] ?? null))}
          />
          <Select
            label={t('Show')}
            options={[
              { value: 'all', label: t('all pictures') },
              ...pictureKinds(runs).map((kind) => ({ value: kind, label: kindWords(kind) })),
            ]}
            value={model.kind.value}
            onChange={(kind) => (model.kind.value = kind)}
          />
        </div>
      )}
      <div class="look-runs">
        {runs.map((run, i) => (
          <RunPictures key={run.id} model={model} run={run} name={names[i]!} step={step} />
        ))}
      </div>
    </>
  );
}

function RunPictures(props: { model: LookModel; run: LookedRun; name: string; step: number | undefined }) {
  const { model, run, name, step } = props;
  const kind = model.kind.value;
  const busy = model.busy.value;
  const shown = step === undefined ? undefined : lookAt(run, step);
  const isWanted = (picture: ShownPicture) => kind === 'all' || picture.kind === kind;
  const title = shown ? t('{0}, step {1}', name, formatNumber(shown.step, 8)) : name;
  const look = (
    <Button
      icon={shown ? 'reset' : 'running'}
      label={busy ? t('Looking\u2026') : shown ? t('Look again') : t('Look at every checkpoint')}
      onClick={() => model.host.send({ type: 'look', runId: run.id })}
      disabled={busy}
      kind={shown ? 'secondary' : 'primary'}
    />
  );
  return (
    <section class="look-run" aria-label={title}>
      <div class="look-title">
        <h2 title={run.id}>{title}</h2>
        {shown && look}
      </div>
      {!shown && (
        <div class="empty">
          <p>{t('No pictures yet: attention, principal components, objects and neighbours at every checkpoint.')}</p>
          {look}
        </div>
      )}
      {shown?.images.map(({ name: image, pictures }) => {
        // The image itself stays beside what was made of it.
        const wanted = pictures.filter((picture) => isWanted(picture) || picture.kind === 'image');
        if (!pictures.some(isWanted)) return null;
        return (
          <div key={image} role="group" aria-label={image} class="look-image">
            <h3 title={image}>{image}</h3>
            <div class="look-pictures">
              {wanted.map((picture) => (
                <Picture key={picture.kind} picture={picture} of={image} step={shown.step} />
              ))}
            </div>
          </div>
        );
      })}
      {shown?.sheets
        .filter((sheet) => sheet.kind !== 'sheet' && isWanted(sheet))
        .map((sheet) => (
          <div key={sheet.kind} class="look-sheet">
            <Picture picture={sheet} of={name} step={shown.step} />
          </div>
        ))}
    </section>
  );
}

function Picture({ picture, of, step }: { picture: ShownPicture; of: string; step: number }) {
  const words = kindWords(picture.kind);
  return (
    <figure>
      <img src={picture.uri} alt={t('{0} of {1} at step {2}', words, of, step)} />
      <figcaption>{words}</figcaption>
    </figure>
  );
}

const kinds: Record<string, string> = {
  pca: t('principal components'),
  masks: t('objects'),
  neighbours: t('nearest neighbours'),
};

function kindWords(kind: string): string {
  return Object.hasOwn(kinds, kind) ? kinds[kind]! : kind;
}
