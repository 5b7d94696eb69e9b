import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errors } from '../../protocol/errors.ts';
import { metricCatalogue } from '../../protocol/metrics.ts';
import type { MetricLine } from '../../protocol/records.ts';
import { isEventFile, readEventFile } from './eventFile.ts';
import type { ImportedLog } from './importRun.ts';

/**
 * The scalars of an event file, or of all event files of a folder in the order of their names. A tag whose last part is one of our
 * metrics' names (`train/loss`) becomes that metric; any other keeps its name. What a restarted writer wrote again counts once, as last
 * written.
 *
 * @throws importUnreadable when there is no event file, no scalar in it, or it is damaged
 */
export function readTensorboard(path: string): ImportedLog {
  const byStep = new Map<number, MetricLine>();
  for (const file of eventFilesOf(path)) {
    for (const { step, timeMs, scalars, sessionStart } of readEventFile(file)) {
      if (sessionStart) for (const known of byStep.keys()) if (known >= step) byStep.delete(known);
      if (scalars.length === 0) continue;
      const line = byStep.get(step) ?? { step, epoch: step, time: timeMs };
      line.time = Math.max(line.time, timeMs);
      for (const { tag, value } of scalars) {
        const name = metricOf(tag);
        if (name !== 'step' && name !== 'time') line[name] = value;
      }
      byStep.set(step, line);
    }
  }
  if (byStep.size === 0) throw errors.importUnreadable(path, 'there are no scalars in it');
  const lines = [...byStep.values()].sort((a, b) => a.step - b.step);
  return {
    format: 'TensorBoard',
    method: lines.some((line) => 'codingRate' in line) ? 'simdino' : 'unknown',
    lines,
    totalSteps: lines.at(-1)?.step ?? 0,
    stepsPerEpoch: stepsPerEpochOf(lines),
  };
}

function eventFilesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw errors.importUnreadable(path, 'there is no such file');
  if (!stat.isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(isEventFile).sort();
  if (files.length === 0) throw errors.importUnreadable(path, 'there is no event file in the folder');
  return files.map((name) => join(path, name));
}

function metricOf(tag: string): string {
  const last = tag.slice(tag.lastIndexOf('/') + 1);
  return last in metricCatalogue || last === 'epoch' ? last : tag;
}

/** From the first line that says an epoch of its own; 1 where none does. */
function stepsPerEpochOf(lines: readonly MetricLine[]): number {
  const line = lines.find(({ step, epoch }) => epoch > 0 && epoch !== step);
  return line ? Math.max(1, Math.round(line.step / line.epoch)) : 1;
}
