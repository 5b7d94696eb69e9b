import type { Annotations } from '../protocol/records.ts';

/** What people call a run. */
export function runName(run: { id: string; annotations: Pick<Annotations, 'name'> }): string {
  return run.annotations.name?.trim() || run.id;
}
