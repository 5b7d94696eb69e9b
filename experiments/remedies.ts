/**
 * What to fork a collapsed run with. Each remedy is a key that the run's objective reads: the weight of the term that spreads features,
 * or, for DINO and DINOv2, which have no such weight of their own to begin with, what Tables 6 and 9 found them to need.
 */
import type { JsonScalar } from '../protocol/records.ts';

export interface Change {
  changes: Record<string, JsonScalar>;
  words: string;
}

type FlatConfig = Readonly<Record<string, JsonScalar>>;

/** Teacher momenta below this are those that Table 6 reports to diverge with DINO. */
const lowMomentum = 0.99;
const publishedMomentum = 0.996;

/** Null where the objective is one's own, or the configuration does not say what it is. */
export function collapseRemedy(config: FlatConfig, last: Readonly<Record<string, number>>): Change | null {
  if (config['loss.own'] != null) return null;
  switch (config['method']) {
    case 'simdino':
    case 'simdinov2':
      return isCodingRate(config) ? heavierCodingRate(config) : heavierAlternative(config);
    case 'dino':
      return steadierTeacher(config) ?? fixedPrototypes(config) ?? otherTemperature(config, last) ?? slower(config);
    case 'dinov2':
      return steadierTeacher(config) ?? heavierKoleo(config);
    default:
      return null;
  }
}

/** Null where there is no learning rate to lower. */
export function slower(config: FlatConfig): Change | null {
  const lr = config['optim.lr'];
  return typeof lr === 'number' ? change('optim.lr', scaled(lr, 0.5), 'lower the learning rate') : null;
}

/** Runs from before there were others do not name theirs. */
function isCodingRate(config: FlatConfig): boolean {
  return (config['loss.regulariser'] ?? 'codingRate') === 'codingRate';
}

/** `loss.gammaFactor` multiplies gamma only where gamma is not a number itself. */
function heavierCodingRate(config: FlatConfig): Change {
  const words = 'weigh the coding rate more';
  const gamma = config['loss.gamma'];
  if (typeof gamma === 'number') return change('loss.gamma', gamma > 0 ? scaled(gamma, 2) : 'auto', words);
  const factor = config['loss.gammaFactor'];
  return change('loss.gammaFactor', typeof factor === 'number' ? scaled(factor, 2) : 2, words);
}

function heavierAlternative(config: FlatConfig): Change {
  const weight = config['loss.alternative.weight'];
  const name = String(config['loss.regulariser']);
  return change('loss.alternative.weight', typeof weight === 'number' ? scaled(weight, 2) : 2, `weigh ${name} more`);
}

function steadierTeacher(config: FlatConfig): Change | null {
  if (config['teacher.update'] === 'student') {
    return change('teacher.update', 'ema', 'let the teacher follow slowly');
  }
  const momentum = config['teacher.momentum'];
  if (typeof momentum !== 'number' || momentum >= lowMomentum) return null;
  const { changes, words } = change('teacher.momentum', publishedMomentum, 'let the teacher follow more slowly');
  const end = config['teacher.momentumEnd'];
  const isBelow = typeof end === 'number' && end < publishedMomentum;
  return { changes: isBelow ? { ...changes, 'teacher.momentumEnd': 1 } : changes, words };
}

function fixedPrototypes(config: FlatConfig): Change | null {
  return config['dino.prototypeNorm'] === 'trained'
    ? change('dino.prototypeNorm', 'fixed', 'fix the norms of the prototypes')
    : null;
}

/** A teacher that finds all prototypes equally likely is to be sharpened; one that knows a single one, to be smoothed. */
function otherTemperature(config: FlatConfig, last: Readonly<Record<string, number>>): Change | null {
  const temperature = config['dino.teacherTemperature'];
  const prototypes = config['dino.prototypes'];
  const entropy = last['teacherEntropy'];
  if (typeof temperature !== 'number' || typeof prototypes !== 'number' || entropy === undefined) return null;
  const share = entropy / Math.log(prototypes);
  if (share > 0.95) return change('dino.teacherTemperature', scaled(temperature, 0.5), 'sharpen the teacher');
  if (share < 0.05) return change('dino.teacherTemperature', scaled(temperature, 2), 'smooth the teacher');
  return null;
}

function heavierKoleo(config: FlatConfig): Change {
  const weight = config['dinov2.koleoWeight'];
  const heavier = typeof weight === 'number' && weight > 0 ? scaled(weight, 2) : 0.1;
  return change('dinov2.koleoWeight', heavier, 'weigh KoLeo more');
}

function change(key: string, value: JsonScalar, words: string): Change {
  return { changes: { [key]: value }, words: `${words}: ${key} ${value}` };
}

function scaled(value: number, factor: number): number {
  return Number((value * factor).toPrecision(6));
}
