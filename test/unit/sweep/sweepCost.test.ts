import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { derive, knownTrainImages } from '../../../configs/derive.ts';
import { readSweep, type Sweep } from '../../../configs/readSweep.ts';
import type { ResolvedConfig } from '../../../configs/schema.ts';
import { stepWork } from '../../../configs/stepCost.ts';
import { estimateSweep, type TimedRun } from '../../../experiments/estimateSweep.ts';
import { listRuns } from '../../../experiments/store/listRuns.ts';
import { sweepCost } from '../../../experiments/store/sweepCost.ts';
import { formatResolvedConfig } from '../../../runtime/run/openRun.ts';
import { loadFromRepository } from '../configs/presetFiles.ts';
import { aRecord, temporaryFolder, writeRun } from '../store/runFolders.ts';

let work: string;
beforeEach(async () => {
  work = await temporaryFolder();
});
afterEach(() => rm(work, { recursive: true, force: true }));

function sweepOf(text: string): Sweep {
  const { sweep, diagnostics } = readSweep(text, { path: 'configs/sweeps/s.yaml', load: loadFromRepository });
  if (!sweep) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return sweep;
}

const timed = (config: ResolvedConfig, changes: Partial<TimedRun> = {}): TimedRun => ({
  id: 'pace',
  config,
  msPerStep: 500,
  overheadMs: 10_000,
  trainImages: 320,
  finished: true,
  createdAt: '2026-01-01',
  ...changes,
});

const stepsOf = (config: ResolvedConfig): number =>
  derive(config, { trainImages: knownTrainImages(config)! }).totalSteps;

describe('the estimate of a sweep', () => {
  const sweep = sweepOf('base: tiny\naxes: {loss.eps: [0.2, 0.5]}\nseeds: [0, 1]\nslots: 2\n');
  const { config } = sweep.runs[0]!;

  it('has no time without a run, and disk all the same', () => {
    const { diskBytes, ...rest } = estimateSweep(sweep, { timed: [] });
    expect(rest).toEqual({ durationMs: null, bases: [], reused: 0 });
    expect(diskBytes).toBeGreaterThan(0);
  });

  it('adds what a run takes beside its steps, two at a time', () => {
    const { durationMs, bases } = estimateSweep(sweep, { timed: [timed(config)] });
    expect(bases).toEqual(['pace']);
    expect(durationMs).toBeCloseTo((4 * (10_000 + 500 * stepsOf(config))) / 2, 3);
  });

  it('takes as long as its longest cell, however many slots are free', () => {
    const { durationMs } = estimateSweep({ ...sweep, slots: 16 }, { timed: [timed(config)] });
    expect(durationMs).toBeCloseTo(10_000 + 500 * stepsOf(config), 3);
  });

  it('follows the work of a step: a larger batch has fewer steps, each of more images', () => {
    const batches = sweepOf('base: tiny\naxes: {train.batchSize: [16, 32, 64]}\n');
    const small = batches.runs[0]!.config;
    const { durationMs } = estimateSweep(batches, { timed: [timed(small, { overheadMs: 0 })] });
    const expected = batches.runs.map(({ config: one }) => (500 * stepsOf(one) * stepWork(one)) / stepWork(small));
    expect(durationMs).toBeCloseTo(
      expected.reduce((a, b) => a + b),
      3,
    );
    const [first, , third] = expected;
    expect(third! / first!).toBeGreaterThan(0.5);
  });

  it('goes by a run of the same method and model, not by the newest', () => {
    const both = sweepOf('base: tiny\naxes: {method: [simdino, dino]}\n');
    const [simdino, dino] = both.runs.map((run) => run.config);
    const other = sweepOf('base: tiny\nset: {model.depth: 3}\naxes: {loss.eps: [0.2]}\n').runs[0]!.config;
    const known = [
      timed(simdino!, { id: 'simdino', msPerStep: 100 }),
      timed(dino!, { id: 'dino', msPerStep: 900 }),
      timed(other, { id: 'deeper', msPerStep: 9000, createdAt: '2026-03-03' }),
      timed(simdino!, { id: 'under way', msPerStep: 1, finished: false, createdAt: '2026-04-04' }),
    ];
    const { durationMs, bases } = estimateSweep(both, { timed: known });
    expect(bases).toEqual(['simdino', 'dino']);
    expect(durationMs).toBeCloseTo(20_000 + 100 * stepsOf(simdino!) + 900 * stepsOf(dino!), 3);
  });
});

describe('a run whose steps are ten thousand times smaller', () => {
  const large = sweepOf('base: simdino_vits16\naxes: {loss.eps: [0.2, 0.5]}\n');
  const small = timed(sweepOf('base: tiny\naxes: {loss.eps: [0.2]}\n').runs[0]!.config, { id: 'small' });

  it('tells no time', () => {
    expect(estimateSweep(large, { timed: [small] })).toMatchObject({ durationMs: null, bases: [] });
  });

  it('gives way to one of comparable steps, though that one has not finished and is of another method', () => {
    const { config } = sweepOf('base: quickstart\nset: {method: dino}\naxes: {loss.eps: [0.2]}\n').runs[0]!;
    const other = timed(config, { id: 'other', finished: false });
    expect(estimateSweep(large, { timed: [small, other] }).bases).toEqual(['other']);
  });
});

describe('the cost of a sweep, from the runs of a folder', () => {
  it('reads their pace, and leaves out cells that one of them has trained', async () => {
    const sweep = sweepOf('base: tiny\naxes: {loss.eps: [0.2, 0.5]}\nseeds: [0, 1]\n');
    const { config } = sweep.runs[0]!;
    const record = aRecord('pace', { createdAt: new Date(0).toISOString() });
    const outcome = { type: 'finished', time: 20_000, step: 20 };
    const lines = Array.from({ length: 21 }, (_, step) => JSON.stringify({ step, time: 9000 + step * 500 }) + '\n');
    const folder = await writeRun(work, 'pace', [{ metrics: lines.join(''), events: [outcome] }], record);
    await writeFile(join(folder, 'config.yaml'), formatResolvedConfig(config));
    const { runs } = await listRuns(work);

    const fresh = await sweepCost(sweep, runs, null);
    expect(fresh).toMatchObject({ bases: ['pace'], reused: 0 });
    expect(fresh.durationMs).toBeCloseTo(4 * (10_000 + 500 * stepsOf(config)), 3);
    const reusing = await sweepCost(sweep, runs, record.environment.studioVersion);
    expect(reusing.reused).toBe(1);
    expect(reusing.durationMs).toBeCloseTo(0.75 * fresh.durationMs!, 3);
    expect(reusing.diskBytes).toBe(0.75 * fresh.diskBytes);
    expect((await sweepCost(sweep, runs, '9.9.9')).reused).toBe(0);
  });
});
