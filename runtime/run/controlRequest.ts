import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ControlRequest } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';

/** Asks something of the trainer of a run. Written whole under another name first, so that nobody reads half of it. */
export function writeRequest(folder: string, action: ControlRequest['action'], tool: string): ControlRequest {
  const request: ControlRequest = {
    id: randomUUID(),
    action,
    by: `${tool} (process ${process.pid} on ${hostname()})`,
    at: new Date().toISOString(),
  };
  const target = join(folder, runFiles.request);
  const temporary = `${target}.${request.id}`;
  writeFileSync(temporary, JSON.stringify(request));
  renameSync(temporary, target);
  return request;
}
