import type { ShownState } from '../protocol/panelMessages.ts';

/** A cell that is not finished and that nothing is working on: what "run missing cells" starts. */
export function needsRun(state: ShownState | undefined): boolean {
  return state === undefined || ['failed', 'crashed', 'stopped', 'unreadable'].includes(state);
}
