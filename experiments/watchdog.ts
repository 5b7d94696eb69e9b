/**
 * Is this run learning, or collapsing? Read from what the trainer logs: the coding rate between its value for collapsed
 * features and its maximum, the effective rank, the cosine of teacher and student, and whether the loss is finite.
 *
 * A coding rate that falls and comes back is a spike: early in training many runs have one. Only one that stays low for a while,
 * after the features had spread or when they should have, is a collapse.
 */
import type { RunSummary } from '../protocol/panelMessages.ts';
import type { JsonScalar } from '../protocol/records.ts';
import { collapseRemedy, slower, type Change } from './remedies.ts';

export interface Assessment {
  verdict: 'healthy' | 'warmingUp' | 'spike' | 'narrowing' | 'collapsed' | 'diverged' | 'unknown';
  /** The facts in one or two sentences. */
  reason: string;
  /** Share of the way from collapsed to the maximum, 0 to 1; null where not known. */
  spread: number | null;
  /** What to fork the run with; null where nothing is wrong, it is too early to tell, or nothing is known to help. */
  remedy: Remedy | null;
}

export interface Remedy extends Change {
  /** The newest checkpoint from before the trouble; 0 is the beginning. */
  fromStep: number;
}

/** A metric as logged so far; both columns have one length. */
export interface WatchedCurve {
  step: ArrayLike<number>;
  values: ArrayLike<number>;
}

type Watched = Pick<RunSummary, 'last' | 'step' | 'totalSteps' | 'codingRateCollapsed' | 'config' | 'checkpointSteps'>;

/** Below this share of the range between collapsed and maximal coding rate, features count as collapsed. */
const collapsedShare = 0.05;
const narrowShare = 0.25;
/** Features spread only after some steps: low values before this share of the run are no collapse. */
const warmUpShare = 0.05;
/** A fall that lasts shorter may be a spike: this share of the run, and at least so many steps. */
const patienceShare = 0.02;
const patienceSteps = 20;

/** `curveOf` gives what was logged of a metric; without it, the newest values are all that is judged. */
export function assess(
  run: Watched,
  curveOf: (metric: string) => WatchedCurve | undefined = () => undefined,
): Assessment {
  const { last, config, step, totalSteps } = run;
  const loss = last['loss'];
  if (loss !== undefined && !Number.isFinite(loss)) {
    const remedy = startingAt(checkpointBefore(run, step), slower(config));
    return { verdict: 'diverged', reason: `The loss became ${loss} at step ${step}.`, spread: null, remedy };
  }
  const rate = last['codingRate'];
  const maximum = last['codingRateMax'];
  const collapsed = run.codingRateCollapsed ?? 0;
  if (rate === undefined || maximum === undefined || !(maximum > collapsed)) {
    return { verdict: 'unknown', reason: 'The coding rate was not logged yet.', spread: null, remedy: null };
  }
  const spreadOf = (value: number): number => Math.min(1, Math.max(0, (value - collapsed) / (maximum - collapsed)));
  const spread = spreadOf(rate);
  const facts = `Coding rate at ${percent(spread)} of the way from collapsed to its maximum${otherSigns(run)}.`;
  const curve = curveOf('codingRate') ?? { step: [step], values: [rate] };
  const falls = fallsOf(curve, (value) => spreadOf(value) < narrowShare);

  if (spread >= narrowShare) {
    const deepest = falls.past.at(-1);
    const dip =
      deepest && ` It fell to ${percent(spreadOf(deepest.lowest))} at step ${deepest.from} and came back: a spike.`;
    return { verdict: 'healthy', reason: facts + (dip ?? ''), spread, remedy: null };
  }
  if (!falls.hadSpread && step < warmUpShare * totalSteps) {
    return { verdict: 'warmingUp', reason: facts, spread, remedy: null };
  }
  const patience = Math.max(patienceSteps, Math.round(patienceShare * totalSteps));
  const lowFor = step - falls.since;
  if (falls.hadSpread && lowFor < patience) {
    const wait = ` It fell at step ${falls.since}; after ${patience} steps without coming back it counts as a collapse.`;
    return { verdict: 'spike', reason: facts + wait, spread, remedy: null };
  }
  const fromStep = falls.hadSpread ? checkpointBefore(run, falls.since) : 0;
  const remedy = startingAt(fromStep, collapseRemedy(config, last));
  const since = falls.hadSpread ? ` It has been low since step ${falls.since}.` : '';
  const isCollapsed = spread < collapsedShare || isOneDirection(last);
  return { verdict: isCollapsed ? 'collapsed' : 'narrowing', reason: facts + since, spread, remedy };
}

/** Stretches where a curve is low, after it was not: those that ended, and since when it is low now. */
function fallsOf(
  { step, values }: WatchedCurve,
  isLow: (value: number) => boolean,
): { hadSpread: boolean; since: number; past: { from: number; lowest: number }[] } {
  const past: { from: number; lowest: number }[] = [];
  let current: { from: number; lowest: number } | undefined;
  let hadSpread = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    if (isLow(value)) {
      current ??= { from: step[i] as number, lowest: value };
      current.lowest = Math.min(current.lowest, value);
    } else {
      if (current && hadSpread) past.push(current);
      current = undefined;
      hadSpread = true;
    }
  }
  return { hadSpread, since: current?.from ?? 0, past };
}

function startingAt(fromStep: number, change: Change | null): Remedy | null {
  return change && { ...change, fromStep };
}

function checkpointBefore({ checkpointSteps }: Watched, step: number): number {
  return Math.max(0, ...checkpointSteps.filter((saved) => saved < step));
}

/** All features one direction, whatever the coding rate says. */
function isOneDirection(last: Record<string, number>): boolean {
  return (last['effectiveRank'] ?? Infinity) < 1.5 && (last['teacherStudentCosine'] ?? 0) > 0.99;
}

function otherSigns({ last, config }: Watched): string {
  const rank = last['effectiveRank'];
  const cosine = last['teacherStudentCosine'];
  const rankWords = rank === undefined ? '' : `, effective rank ${rank.toFixed(rank < 10 ? 1 : 0)}${dimWords(config)}`;
  return rankWords + (cosine === undefined ? '' : `, teacher-student cosine ${cosine.toFixed(2)}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function dimWords(config: Record<string, JsonScalar>): string {
  const dim = config['projector.outputDim'];
  return typeof dim === 'number' ? ` of ${dim}` : '';
}
