import { useEffect, useState } from 'preact/hooks';
import { t } from '../l10n.ts';

/** Placeholders alone say enough for this long. */
const quietMs = 2000;

/** Before the first snapshot: placeholders, or nothing below the notice of what is wrong. */
export function NotLoaded({ fault }: { fault: boolean }) {
  return (
    <>
      <h1 class="visually-hidden">SimDINO</h1>
      {!fault && <LoadingCards />}
    </>
  );
}

function LoadingCards() {
  const [takesLong, setTakesLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTakesLong(true), quietMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" role="status">
      {takesLong ? (
        <p class="muted">{t('Still reading the run folder: it is large, or its disk is slow.')}</p>
      ) : (
        <span class="visually-hidden">{t('Reading the run folder')}</span>
      )}
      <div class="skeleton title" />
      <div class="charts" aria-hidden="true">
        {[0, 1, 2, 3].map((i) => (
          <div class="skeleton block" key={i} />
        ))}
      </div>
    </div>
  );
}
