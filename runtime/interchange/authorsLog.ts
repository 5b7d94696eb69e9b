/**
 * The logs of the authors' code, one JSON object a line: `log.txt` of the v1 tree (an epoch a line, names with `train_`) and
 * `training_metrics.json` of the v2 tree (an iteration a line).
 *
 * They are put in our terms so that they compare: the authors minimise `-cosine - gamma R`, which is our `distance - gamma R` less 1;
 * `comp` is the mean cosine and `expa` is gamma R, from which R follows where gamma is known.
 */
import { readFileSync } from 'node:fs';
import { parseJsonLine } from '../../experiments/store/parseJsonLine.ts';
import { errors } from '../../protocol/errors.ts';
import type { MetricLine } from '../../protocol/records.ts';
import type { ImportedLog } from './importRun.ts';

export interface AuthorsLogOptions {
  /** Steps of an epoch; 1 counts epochs where nobody knows. */
  stepsPerEpoch: number;
  /** Weight of the coding rate, which the log holds multiplied by it; null leaves the coding rate out. */
  gamma: number | null;
  /** When the log was written last, Unix time: the lines themselves have no times. */
  modifiedMs: number;
}

/** @throws importUnreadable when no line is one of the authors' */
export function readAuthorsLog(path: string, options: AuthorsLogOptions): ImportedLog {
  const parsed = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseJsonLine)
    .filter((line) => line !== undefined);
  const isV1 = parsed.some((line) => typeof line['epoch'] === 'number');
  const isV2 = parsed.some((line) => typeof line['iteration'] === 'number');
  if (!isV1 && !isV2) throw errors.importUnreadable(path, 'no line of it is JSON with an `epoch` or an `iteration`');
  const counter = isV1 ? 'epoch' : 'iteration';
  const byStep = new Map<number, MetricLine>();
  for (const line of parsed) {
    const count = line[counter];
    if (typeof count !== 'number') continue;
    const step = isV1 ? (count + 1) * options.stepsPerEpoch : count + 1;
    byStep.set(step, lineOf(step, line, options));
  }
  // A resumed training writes some lines again: the last of a step counts.
  const lines = [...byStep.values()].sort((a, b) => a.step - b.step);
  const isSimdino = parsed.some((line) => termOf(line, 'expa') !== undefined);
  return {
    format: `authors\u2019 log (${isV1 ? 'v1' : 'v2'})`,
    method: isSimdino ? (isV1 ? 'simdino' : 'simdinov2') : 'dino',
    lines,
    totalSteps: lines.at(-1)?.step ?? 0,
    stepsPerEpoch: options.stepsPerEpoch,
  };
}

/** Their names, without `train_`, and ours. */
const sameQuantity: Record<string, string> = { lr: 'lr', wd: 'weightDecay', mom: 'momentum' };
const counters = new Set(['epoch', 'iteration']);

function lineOf(step: number, line: Record<string, unknown>, options: AuthorsLogOptions): MetricLine {
  const { stepsPerEpoch, gamma, modifiedMs } = options;
  const result: MetricLine = { step, epoch: step / stepsPerEpoch, time: modifiedMs };
  const cosine = termOf(line, 'comp');
  const spread = termOf(line, 'expa');
  const patchCosine = termOf(line, 'patch');
  if (cosine !== undefined) {
    result['teacherStudentCosine'] = cosine;
    result['distance'] = 1 - cosine;
  }
  if (spread !== undefined && gamma !== null) {
    result['codingRate'] = spread / gamma;
    result['gamma'] = gamma;
  }
  for (const [key, value] of Object.entries(line)) {
    if (typeof value !== 'number' || counters.has(key)) continue;
    const name = key.replace(/^train_/, '');
    if (name === 'loss' || name === 'total_loss') result['loss'] = value + constantOf(cosine, patchCosine);
    else result[sameQuantity[name] ?? name] = value;
  }
  return result;
}

/** Each cosine stands where we have a distance, 1 - cosine. */
function constantOf(...cosines: (number | undefined)[]): number {
  return cosines.filter((cosine) => cosine !== undefined).length;
}

/** A term of the loss under whichever of its names the line has. */
function termOf(line: Record<string, unknown>, term: 'comp' | 'expa' | 'patch'): number | undefined {
  for (const name of [`train_${term}_loss`, `train_${term}`, `${term}_loss`, term]) {
    const value = line[name];
    if (typeof value === 'number') return value;
  }
  return undefined;
}
