import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './repository.ts';
import { mustRun } from './runCommand.ts';

/** The package under test: the one that SIMDINO_VSIX names, else one made now. */
export async function packagedVsix(): Promise<string> {
  const given = process.env['SIMDINO_VSIX'];
  if (given !== undefined) return given;
  const folder = mkdtempSync(join(tmpdir(), 'simdino-vsix-'));
  await mustRun(process.execPath, ['scripts/package.mjs', '--out', folder], { cwd: repository, timeoutMs: 300_000 });
  const name = readdirSync(folder).find((file) => file.endsWith('.vsix'));
  if (name === undefined) throw new Error('internal: scripts/package.mjs made no package.');
  return join(folder, name);
}
