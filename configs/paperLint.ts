/** Values that are allowed but that the paper, its authors' code or their users' reports speak against. */
import { codingRateBounds, codingRateShape, effectiveLr, gammaOf } from './derive.ts';
import type { Suggestion } from './diagnostic.ts';
import { splitPath, type Finding } from './finding.ts';
import type { ResolvedConfig } from './schema.ts';

export function paperFindings(config: ResolvedConfig): Finding[] {
  return [
    ...epsilonSquared(config),
    ...learningRateOfAnotherBatch(config),
    ...weakCodingRate(config),
    ...divergentDino(config),
    ...collapses(config),
  ];
}

/** The authors' code calls epsilon squared `eps`, so its values get copied into a key that means epsilon. */
function* epsilonSquared({ loss }: ResolvedConfig): Iterable<Finding> {
  if (loss.eps !== 0.05 && loss.eps !== 0.5) return;
  const epsilon = Number(Math.sqrt(loss.eps).toPrecision(4));
  yield remark(
    'warning',
    ['loss.eps'],
    `loss.eps ${loss.eps} looks like the authors' \`eps\`, which is epsilon squared; here it is epsilon itself.`,
    `For the authors' value write ${epsilon}.`,
    "eq. (7); authors' code",
    [{ kind: 'set', path: 'loss.eps', value: epsilon }],
  );
}

/** Table 4 quotes the rate for a batch of 1024; `optim.lr` is per 256 images. */
function* learningRateOfAnotherBatch({ optim, train }: ResolvedConfig): Iterable<Finding> {
  if (optim.lrScaling !== 'linear256' || optim.lr !== 0.002 || train.batchSize < 512) return;
  yield remark(
    'warning',
    ['optim.lr'],
    `optim.lr 0.002 is per 256 images: with a batch of ${train.batchSize} the peak is ${effectiveLr(optim.lr, train.batchSize)}. Table 4's 0.002 is the peak for a batch of 1024.`,
    'For the published recipe write 0.0005.',
    "Table 4; authors' log peaks at 0.001 for a batch of 512",
    [{ kind: 'set', path: 'optim.lr', value: 0.0005 }],
  );
}

/**
 * What the objective loses when all features become one direction is gamma (R_max - R_collapsed), and what the
 * distance can win is at most about 0.3. Reported collapses had 0.27 (16 groups of 64) and 0.18 (32 groups of 78).
 */
function* weakCodingRate(config: ResolvedConfig): Iterable<Finding> {
  if (config.dino || config.loss.own !== undefined || config.loss.regulariser !== 'codingRate') return;
  const { codingRateMax, codingRateCollapsed } = codingRateBounds(codingRateShape(config));
  const gain = gammaOf(config) * (codingRateMax - codingRateCollapsed);
  if (gain >= 0.28) return;
  yield remark(
    'warning',
    ['loss.gamma', 'loss.gammaFactor', 'loss.codingRate.groups', 'loss.eps', 'train.batchSize', 'loss'],
    `The coding rate can earn at most ${gain.toPrecision(2)} against collapse; runs with 0.27 and 0.18 are reported to have collapsed.`,
    'Lower loss.codingRate.groups or loss.eps, or raise loss.gammaFactor.',
    "users' reports 20 and 29 of the authors' repository",
    [],
  );
}

/** The three changes to the official recipe after which Table 6 reports no result but NaN. */
function* divergentDino({ method, dino, teacher }: ResolvedConfig): Iterable<Finding> {
  if (method !== 'dino' || !dino) return;
  const diverged = (
    path: string,
    what: string,
    remedy: string,
    value: unknown,
    others: readonly string[] = [],
  ): Finding =>
    remark('warning', [path, ...others], `Table 6 reports that DINO diverges with ${what}.`, remedy, 'Table 6', [
      { kind: 'set', path, value },
    ]);
  if (teacher.update === 'ema' && teacher.momentum <= 0.9) {
    yield diverged('teacher.momentum', 'a teacher momentum of 0.9', 'The official value is 0.996.', 0.996);
  }
  if (dino.prototypeNorm === 'trained') {
    yield diverged('dino.prototypeNorm', 'prototypes of trained norm', 'The official value is `fixed`.', 'fixed');
  }
  const constant = dino.teacherTemperatureWarmupEpochs === 0 || dino.teacherTemperatureStart >= dino.teacherTemperature;
  if (dino.teacherTemperature >= 0.07 && constant) {
    yield diverged(
      'dino.teacherTemperatureWarmupEpochs',
      'a teacher temperature of 0.07 from the start',
      'The official recipe warms it up from 0.04 over 30 epochs.',
      30,
      ['dino.teacherTemperatureStart', 'dino.teacherTemperature'],
    );
  }
}

/** What the tables report as collapsed: DINO whose teacher is the student, and Barlow Twins' loss in the place of the coding rate. */
function* collapses({ method, dino, loss, teacher }: ResolvedConfig): Iterable<Finding> {
  if (method === 'dino' && dino && teacher.update === 'student') {
    yield remark(
      'warning',
      ['teacher.update'],
      'Table 9 reports that DINO collapses without self-distillation.',
      'Only SimDINO trains so, with 58.6 % k-NN in place of 69.7.',
      'Table 9',
      [
        { kind: 'set', path: 'teacher.update', value: 'ema' },
        { kind: 'set', path: 'method', value: 'simdino' },
      ],
    );
  }
  if (!dino && loss.own === undefined && loss.regulariser === 'barlowTwins') {
    yield remark(
      'warning',
      ['loss.regulariser'],
      "Table 5 reports that SimDINOv2 collapses with Barlow Twins' loss in the place of the coding rate.",
      'In that table the coding rate, `infoNce` and `uniformity` learn.',
      'Table 5',
      [{ kind: 'set', path: 'loss.regulariser', value: 'codingRate' }],
    );
  }
}

function remark(
  severity: Finding['severity'],
  paths: string[],
  message: string,
  remedy: string,
  source: string,
  suggestions: Suggestion[],
): Finding {
  return { severity, code: 'paper', paths: paths.map(splitPath), part: 'value', message, remedy, source, suggestions };
}
