import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `quickstart-20260131-142501`, with `-2` and so on when two starts fall on the same second. */
export function newRunId(runsFolder: string, stem: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = stem.replaceAll(/[^\p{L}\p{N}._-]/gu, '-').replace(/^[^\p{L}\p{N}]+/u, '') || 'run';
  const base = `${name.slice(0, 80)}-${stamp}`;
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? base : `${base}-${attempt}`;
    if (!existsSync(join(runsFolder, id))) return id;
  }
}
