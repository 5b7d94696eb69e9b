import { t } from '../l10n.ts';

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
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{t('Reading the run folder')}</span>
      <div class="skeleton title" />
      <div class="charts" aria-hidden="true">
        {[0, 1, 2, 3].map((i) => (
          <div class="skeleton block" key={i} />
        ))}
      </div>
    </div>
  );
}
