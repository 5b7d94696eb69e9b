import { execFileSync } from 'node:child_process';
import { cpus, hostname, totalmem } from 'node:os';
import type { EnvironmentRecord, GitRecord } from '../../protocol/records.ts';

/** What decides numbers and speed on this machine. */
export function describeEnvironment(studioVersion: string, libraries: Record<string, string>): EnvironmentRecord {
  const processors = cpus();
  return {
    studioVersion,
    nodeVersion: process.version,
    platform: `${process.platform}-${process.arch}`,
    hostname: hostname(),
    cpuModel: processors[0]?.model ?? 'unknown',
    cpuCount: processors.length,
    memoryBytes: totalmem(),
    libraries,
  };
}

/** Commit, branch and uncommitted changes of the repository around a folder; null where there is none. */
export function describeGit(folder: string): { record: GitRecord; dirtyDiff: string | null } | null {
  const git = (...args: string[]): string | null => {
    try {
      return execFileSync('git', args, {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 64 * 2 ** 20,
        timeout: 10_000,
      });
    } catch {
      // No git, no repository or no commit yet: a run outside version control is recorded as such.
      return null;
    }
  };
  const commit = git('rev-parse', 'HEAD')?.trim();
  if (!commit) return null;
  const branch = git('symbolic-ref', '--short', '-q', 'HEAD')?.trim() || null;
  const dirty = (git('status', '--porcelain') ?? '').trim() !== '';
  return { record: { commit, branch, dirty }, dirtyDiff: dirty ? git('diff', 'HEAD') : null };
}
