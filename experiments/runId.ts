/**
 * A name for a new run or sweep: `quickstart-20260131-142501`, with `-2` and so on when that is taken.
 *
 * @param source what it is made from: a file's name or path, whose folders and ending are left out
 */
export function nameRun(source: string, now: Date, isTaken: (id: string) => boolean): string {
  const stem = source.replace(/^.*[\\/]/, '').replace(/(\.(simdino|sweep))?\.ya?ml$/i, '');
  const name =
    stem
      .replaceAll(/[^\p{L}\p{N}._-]/gu, '-')
      .replaceAll(/\.{2,}/g, '.')
      .replace(/^[^\p{L}\p{N}]+/u, '') || 'run';
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const base = `${name.slice(0, 80)}-${stamp}`;
  for (let count = 1; ; count++) {
    const id = count === 1 ? base : `${base}-${count}`;
    if (!isTaken(id)) return id;
  }
}

/** `quickstart-20260131-142501-2` -> `quickstart`: what a run made from another is named after. */
export function stemOf(id: string): string {
  return id.replace(/-\d{8}-\d{6}(-\d+)?$/, '');
}
