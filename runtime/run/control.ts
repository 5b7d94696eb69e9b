import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asControlRequest } from '../../experiments/store/checkRecords.ts';
import type { ControlRequest } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';

/**
 * Watches `request.json` by polling, which works on every file system and from any host.
 *
 * A request that was there before the watch began belongs to an earlier attempt and is passed over. A half-written
 * file is read again at the next poll.
 */
export function watchRequests(
  runFolder: string,
  onRequest: (request: ControlRequest) => void,
  { intervalMs = 250 } = {},
): { stop(): void } {
  const path = join(runFolder, runFiles.request);
  let seen = readRequest(path)?.id;
  let modifiedMs = -1;
  const timer = setInterval(() => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || stat.mtimeMs === modifiedMs) return;
    const request = readRequest(path);
    if (!request) return;
    modifiedMs = stat.mtimeMs;
    if (request.id === seen) return;
    seen = request.id;
    onRequest(request);
  }, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function readRequest(path: string): ControlRequest | undefined {
  try {
    return asControlRequest(JSON.parse(readFileSync(path, 'utf8'))) ?? undefined;
  } catch {
    // Absent, or caught in the middle of being written: the next poll sees it whole.
    return undefined;
  }
}
