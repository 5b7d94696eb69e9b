import type { RunSummary } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import { Notice } from './controls.tsx';

const namedRuns = 5;

/** What could not be read of the runs on show: what is missing from curves and tables is said above them. */
export function RunProblems({ runs }: { runs: Iterable<Pick<RunSummary, 'id' | 'name' | 'problems'>> }) {
  const troubled = [...runs].filter(({ problems }) => problems.length > 0);
  const [first] = troubled;
  if (!first) return null;
  const title =
    troubled.length === 1
      ? t('Not all of {0} could be read', first.name)
      : t('Of {0} runs not all could be read', troubled.length);
  return (
    <Notice tone="warning" title={title}>
      <ul class="problems">
        {troubled.slice(0, namedRuns).map(({ id, name, problems }) => (
          <li key={id}>
            {troubled.length > 1 && `${name}: `}
            {problems.join('; ')}
          </li>
        ))}
        {troubled.length > namedRuns && <li>{t('and {0} more', troubled.length - namedRuns)}</li>}
      </ul>
    </Notice>
  );
}
