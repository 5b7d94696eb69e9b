import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

/** A copy of `test/workspaces/NAME` that a test may write into. */
export function copyWorkspace(name: string, work: string): string {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  cpSync(join(repository, 'test', 'workspaces', name), folder, { recursive: true });
  return folder;
}
