import { useState } from 'preact/hooks';
import type { LookedRun, ShownPicture, ToLookPanel } from '../../protocol/lookMessages.ts';
import { t } from '../l10n.ts';
import { Button } from '../parts/controls.tsx';
import { lookAt, pictureKinds, sharedSteps } from './lookModel.ts';

/** Pictures of runs side by side; one slider moves all of them through their checkpoints. */
export function LookPanel({ content, look }: { content: ToLookPanel | null; look: (runId: string) => void }) {
  const [place, setPlace] = useState<number | null>(null);
  const [kind, setKind] = useState('all');
  if (!content) return <main aria-busy="true" class="look" />;
  const { runs, busy } = content;
  const steps = sharedSteps(runs);
  const index = Math.min(place ?? steps.length - 1, steps.length - 1);
  const step = steps[index];
  const kinds = pictureKinds(runs);
  return (
    <main class="look">
      <header>
        <h1>{t('What did it learn?')}</h1>
        {step !== undefined && (
          <div class="look-controls">
            <label>
              {t('Step')}{' '}
              <input
                type="range"
                min={0}
                max={steps.length - 1}
                step={1}
                value={index}
                aria-valuetext={t('step {0}', step)}
                disabled={steps.length < 2}
                onInput={(event) => setPlace(Number(event.currentTarget.value))}
              />{' '}
              <output>{step}</output>
            </label>
            <label>
              {t('Show')}{' '}
              <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
                <option value="all">{t('all pictures')}</option>
                {kinds.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
      </header>
      <div class="look-runs">
        {runs.map((run) => (
          <RunPictures key={run.id} run={run} step={step} kind={kind} busy={busy} look={() => look(run.id)} />
        ))}
      </div>
    </main>
  );
}

function RunPictures(props: {
  run: LookedRun;
  step: number | undefined;
  kind: string;
  busy: boolean;
  look: () => void;
}) {
  const { run, step, kind, busy, look } = props;
  const shown = step === undefined ? undefined : lookAt(run, step);
  const isWanted = (picture: ShownPicture) => kind === 'all' || picture.kind === kind;
  return (
    <section aria-label={run.name}>
      <h2>{run.name}</h2>
      <p class="look-step">
        {shown ? t('step {0}', shown.step) : t('No pictures yet.')}{' '}
        <Button
          label={busy ? t('Looking\u2026') : shown ? t('Look again') : t('Look at every checkpoint')}
          onClick={look}
          disabled={busy}
          kind={shown ? 'quiet' : 'primary'}
        />
      </p>
      {shown?.images.map(({ name, pictures }) => {
        // The image itself stays beside what was made of it.
        const wanted = pictures.filter((picture) => isWanted(picture) || picture.kind === 'image');
        if (!pictures.some(isWanted)) return null;
        return (
          <div key={name} role="group" aria-label={name}>
            <h3>{name}</h3>
            <div class="look-pictures">
              {wanted.map((picture) => (
                <Picture key={picture.kind} picture={picture} of={name} step={shown.step} />
              ))}
            </div>
          </div>
        );
      })}
      {shown?.sheets
        .filter((sheet) => sheet.kind !== 'sheet' && isWanted(sheet))
        .map((sheet) => (
          <div key={sheet.kind} class="look-sheet">
            <Picture picture={sheet} of={run.name} step={shown.step} />
          </div>
        ))}
    </section>
  );
}

function Picture({ picture, of, step }: { picture: ShownPicture; of: string; step: number }) {
  return (
    <figure>
      <img src={picture.uri} alt={t('{0} of {1} at step {2}', picture.kind, of, step)} />
      <figcaption>{picture.kind}</figcaption>
    </figure>
  );
}
