import { describe, expect, it, test } from 'vitest';
import { splitPath } from '../../../configs/finding.ts';
import { withValue } from '../../../configs/plainValues.ts';
import { validateConfig } from '../../../configs/validateConfig.ts';
import { flattenConfig } from '../../../experiments/flattenConfig.ts';
import { collapseRemedy, slower } from '../../../experiments/remedies.ts';

const synthetic = { data: { kind: 'synthetic' }, crops: { global: { count: 2 } } };

/** A collapsed run of each objective, with the key that is to be offered. */
const collapsed: [string, Record<string, unknown>, Record<string, number>, string, unknown][] = [
  ['SimDINO', { method: 'simdino' }, {}, 'loss.gammaFactor', 2],
  ['SimDINO, gammaFactor 0.5', { method: 'simdino', loss: { gammaFactor: 0.5 } }, {}, 'loss.gammaFactor', 1],
  ['SimDINO, balanced', { method: 'simdino', loss: { gamma: 'balanced' } }, {}, 'loss.gammaFactor', 2],
  ['SimDINO with a number for gamma', { method: 'simdino', loss: { gamma: 0.01 } }, {}, 'loss.gamma', 0.02],
  ['SimDINO without coding rate', { method: 'simdino', loss: { gamma: 0 } }, {}, 'loss.gamma', 'auto'],
  ['SimDINO with InfoNCE', { method: 'simdino', loss: { regulariser: 'infoNce' } }, {}, 'loss.alternative.weight', 2],
  [
    'SimDINOv2 with Barlow Twins',
    { method: 'simdinov2', loss: { regulariser: 'barlowTwins', alternative: { weight: 0.1 } } },
    {},
    'loss.alternative.weight',
    0.2,
  ],
  ['SimDINOv2, whose momentum is 0.9', { method: 'simdinov2', teacher: { momentum: 0.9 } }, {}, 'loss.gammaFactor', 2],
  ['DINO at momentum 0.9', { method: 'dino', teacher: { momentum: 0.9 } }, {}, 'teacher.momentum', 0.996],
  ['DINO without self-distillation', { method: 'dino', teacher: { update: 'student' } }, {}, 'teacher.update', 'ema'],
  [
    'DINO with trained norms',
    { method: 'dino', dino: { prototypeNorm: 'trained' } },
    {},
    'dino.prototypeNorm',
    'fixed',
  ],
  [
    'DINO with a teacher that knows nothing',
    { method: 'dino', dino: { prototypes: 1024 } },
    { teacherEntropy: Math.log(1024) - 0.01 },
    'dino.teacherTemperature',
    0.035,
  ],
  [
    'DINO with a teacher that knows one prototype',
    { method: 'dino', dino: { prototypes: 1024 } },
    { teacherEntropy: 0.01 },
    'dino.teacherTemperature',
    0.14,
  ],
  ['DINO as published', { method: 'dino' }, {}, 'optim.lr', 0.00025],
  ['DINOv2', { method: 'dinov2' }, {}, 'dinov2.koleoWeight', 0.2],
  ['DINOv2 without KoLeo', { method: 'dinov2', dinov2: { koleoWeight: 0 } }, {}, 'dinov2.koleoWeight', 0.1],
  ['DINOv2 at momentum 0.9', { method: 'dinov2', teacher: { momentum: 0.9 } }, {}, 'teacher.momentum', 0.996],
];

describe('the remedy of a collapse', () => {
  test.each(collapsed)('%s', (_, written, last, key, value) => {
    const { config } = validateConfig({ ...synthetic, ...written });
    const flat = flattenConfig(config);
    const remedy = collapseRemedy(flat, last);
    expect(remedy!.changes).toMatchObject({ [key]: value });
    expect(remedy!.words).toContain(`${key} ${String(value)}`);
    expect(flat[key]).not.toBe(value);

    // The configuration that it makes reads every changed key.
    const changed = Object.entries(remedy!.changes).reduce<unknown>(
      (values, [path, set]) => withValue(values, splitPath(path), set),
      config,
    );
    const { config: forked, findings } = validateConfig(changed);
    expect(findings.filter(({ severity, code }) => severity === 'error' || code === 'ignored')).toEqual([]);
    expect(flattenConfig(forked)[key]).toBe(value);
  });

  it('is none where the objective is one\u2019s own, or unknown', () => {
    expect(collapseRemedy({ method: 'simdino', 'loss.own': 'mine' }, {})).toBeNull();
    expect(collapseRemedy({}, {})).toBeNull();
  });

  it('raises the end of a momentum that would fall', () => {
    const config = { method: 'dino', 'teacher.momentum': 0.9, 'teacher.momentumEnd': 0.95 };
    expect(collapseRemedy(config, {})!.changes).toEqual({ 'teacher.momentum': 0.996, 'teacher.momentumEnd': 1 });
  });
});

it('halves the learning rate of a run that diverged, where there is one', () => {
  expect(slower({ 'optim.lr': 0.001 })).toEqual({
    changes: { 'optim.lr': 0.0005 },
    words: 'lower the learning rate: optim.lr 0.0005',
  });
  expect(slower({})).toBeNull();
});
