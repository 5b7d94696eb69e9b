import { describe, expect, it } from 'vitest';
import { arms, comparisonCaveats } from '../../../experiments/honesty.ts';
import { run } from './fixtureRuns.ts';

const config = { 'train.epochs': 10, 'data.kind': 'synthetic', 'eval.knn.k': 20, 'loss.eps': 0.2, seed: 0 };
const arm = (id: string, eps: number, seed: number) => run({ id, seed, config: { ...config, 'loss.eps': eps, seed } });
const codes = (...runs: ReturnType<typeof run>[]) => comparisonCaveats(runs).map(({ code }) => code);

describe('comparisonCaveats', () => {
  it('has nothing against equal arms with the same seeds', () => {
    expect(codes(arm('a0', 0.2, 0), arm('a1', 0.2, 1), arm('b0', 0.5, 0), arm('b1', 0.5, 1))).toEqual([]);
    expect(codes(arm('a', 0.2, 0))).toEqual([]);
  });

  it('names a single run an arm, worse when the seeds differ', () => {
    expect(comparisonCaveats([arm('a', 0.2, 0), arm('b', 0.5, 0)])).toMatchObject([
      { code: 'singleSeed', weight: 'note' },
    ]);
    expect(comparisonCaveats([arm('a', 0.2, 0), arm('b', 0.5, 1)])).toMatchObject([
      { code: 'singleSeed', weight: 'serious' },
    ]);
  });

  it('names uneven seeds', () => {
    expect(codes(arm('a0', 0.2, 0), arm('a1', 0.2, 1), arm('b0', 0.5, 0))).toEqual(['unevenSeeds']);
  });

  it('names other epochs, data and evaluations with both values', () => {
    const a = arm('a', 0.2, 0);
    const b = { ...a, id: 'b', config: { ...config, 'train.epochs': 20, 'data.kind': 'cifar', 'eval.knn.k': 10 } };
    const found = comparisonCaveats([a, b]);
    expect(found.map(({ code }) => code)).toEqual(['epochs', 'data', 'evaluation', 'singleSeed']);
    expect(found[0]!.message).toBe(
      'The runs were trained for different numbers of epochs (train.epochs: 10, 20). Compare at equal epochs.',
    );
  });

  it('names uncommitted changes, other commits, unfinished and diverged runs; serious ones first', () => {
    const a = { ...arm('a', 0.2, 0), git: { commit: 'aaaaaaaaaa', branch: null, dirty: true } };
    const b = {
      ...arm('b', 0.5, 0),
      git: { commit: 'bbbbbbbbbb', branch: null, dirty: false },
      step: 40,
      last: { loss: NaN },
    };
    expect(codes(a, b)).toEqual(['diverged', 'unfinished', 'dirtyCode', 'commit', 'singleSeed']);
  });
});

describe('runs without a commit', () => {
  const withoutGit = (id: string, eps: number, seed: number) => ({ ...arm(id, eps, seed), git: null });

  it('are no fair comparison, all of them or some', () => {
    const all = [0, 1].flatMap((seed) => [withoutGit(`a${seed}`, 0.2, seed), withoutGit(`b${seed}`, 0.5, seed)]);
    expect(codes(...all)).toEqual(['commitUnknown']);
    const some = [arm('a0', 0.2, 0), arm('a1', 0.2, 1), withoutGit('b0', 0.5, 0), arm('b1', 0.5, 1)];
    expect(comparisonCaveats(some)).toEqual([
      {
        code: 'commitUnknown',
        weight: 'note',
        message: 'The commit of b0 is not known. Start runs inside a Git repository to record it.',
        keys: [],
      },
    ]);
  });
});

describe('arms', () => {
  it('groups runs that differ in seed and execution only', () => {
    const a = arm('a', 0.2, 0);
    const b = { ...arm('b', 0.2, 1) };
    b.config = { ...b.config, 'runtime.threads': 4 };
    expect(arms([a, b, arm('c', 0.5, 0)]).map((group) => group.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
  });
});
