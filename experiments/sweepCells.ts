import type { RunState } from '../protocol/records.ts';

/** A cell that is not finished and that nothing is working on: what "run missing cells" starts. */
export function needsRun(state: RunState | undefined): boolean {
  return state === undefined || state === 'failed' || state === 'crashed' || state === 'stopped';
}
