/** TensorBoard event files: one is written by one process and only grows. */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errors } from '../../protocol/errors.ts';
import { guard } from '../run/appendLines.ts';
import { frameRecord, readRecords } from './recordFile.ts';
import { decodeEvent, encodeEvent, type EncodedImage, type ReadEvent } from './tensorboardEvent.ts';

export interface EventFile {
  readonly path: string;
  scalars(step: number, timeMs: number, values: Readonly<Record<string, number>>): void;
  image(step: number, timeMs: number, tag: string, image: EncodedImage): void;
  close(): void;
}

/** Whether a file's name is that of an event file. */
export function isEventFile(name: string): boolean {
  return /(^|[\\/])[^\\/]*\.tfevents\.[^\\/]*$/.test(name);
}

/**
 * Opens a new event file in a folder.
 *
 * @param options.startedMs Unix time; part of the name, by which TensorBoard orders files
 * @param options.mark keeps apart what one process writes at one moment
 * @param options.resumedAt the step after which an earlier file's events count no more
 * @throws runFolderUnwritable, diskFull
 */
export function createEventFile(
  folder: string,
  { startedMs, mark, resumedAt }: { startedMs: number; mark: string; resumedAt?: number },
): EventFile {
  const seconds = String(Math.floor(startedMs / 1000)).padStart(10, '0');
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${mark}`);
  guard(folder, () => mkdirSync(folder, { recursive: true }));
  const file = guard(path, () => openSync(path, 'wx'));
  const write = (event: Uint8Array) => {
    const bytes = frameRecord(event);
    guard(path, () => {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    });
  };
  write(encodeEvent(startedMs, { kind: 'version' }));
  if (resumedAt !== undefined) write(encodeEvent(startedMs, { kind: 'sessionStart', step: resumedAt + 1 }));
  return {
    path,
    scalars: (step, timeMs, values) => write(encodeEvent(timeMs, { kind: 'scalars', step, values })),
    image: (step, timeMs, tag, image) => write(encodeEvent(timeMs, { kind: 'image', step, tag, image })),
    close: () => closeSync(file),
  };
}

/** The events of a file. @throws importUnreadable where it is damaged */
export function readEventFile(path: string): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (const record of readRecords(path, readFileSync(path))) {
    try {
      events.push(decodeEvent(record));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw errors.importUnreadable(path, `an event in it is no message: ${error.message}`);
    }
  }
  return events;
}
