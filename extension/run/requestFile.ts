import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ControlRequest } from '../../protocol/records.ts';
import { writeWhole } from './annotationsFile.ts';

/** Asks something of a trainer or a scheduler through its `request.json`. */
export async function writeRequest(path: string, action: ControlRequest['action']): Promise<ControlRequest> {
  const request: ControlRequest = {
    id: randomUUID(),
    action,
    by: `SimDINO Studio (process ${process.pid} on ${hostname()})`,
    at: new Date().toISOString(),
  };
  await writeWhole(path, JSON.stringify(request));
  return request;
}
