import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ControlRequest } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { writeWhole } from './writeWhole.ts';

/**
 * Asks something of the trainer of a run, or of the scheduler of a sweep or a queue, through the `request.json` of its
 * folder: the one file there that others write. `tool` says who asks.
 */
export async function writeRequest(
  folder: string,
  action: ControlRequest['action'],
  tool: string,
): Promise<ControlRequest> {
  const request: ControlRequest = {
    id: randomUUID(),
    action,
    by: `${tool} (process ${process.pid} on ${hostname()})`,
    at: new Date().toISOString(),
  };
  await writeWhole(join(folder, runFiles.request), JSON.stringify(request));
  return request;
}
