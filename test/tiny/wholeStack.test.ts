/** The whole stack in seconds, through the built command line: train, evaluate, report, stop, crash, resume. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../runtime/checkpoint/checkpoint.ts';
import { EvaluationFeed } from '../../experiments/store/evaluationSeries.ts';
import { linesOf, lossesOf, simdino, untilStep } from './simdino.ts';

let runs: string;
beforeAll(() => {
  runs = mkdtempSync(join(tmpdir(), 'tiny-'));
});
afterAll(() => rmSync(runs, { recursive: true, force: true }));

/** Long enough to be interrupted in the middle. */
const long = ['--set', 'train.epochs=40', '--set', 'checkpoint.everyEpochs=2', '--set', 'eval.knn.everyEpochs=100'];
const train = (id: string, ...more: string[]) => simdino('train', 'tiny', '--runs-dir', runs, '--run-id', id, ...more);
const folder = (id: string) => join(runs, id);

describe('a run', () => {
  test('trains, evaluates and reports', async () => {
    const { code, stdout } = await train('whole', '--json').finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'whole', ended: 'finished', step: 16 });
    expect([...lossesOf(folder('whole'), '001').keys()]).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect(linesOf(folder('whole'), '001', 'events.jsonl').at(-1)).toMatchObject({ type: 'finished', step: 16 });

    const evaluated = await simdino('eval', 'whole', '--runs-dir', runs, '--split', 'validation', '--json').finished;
    expect(evaluated.code).toBe(0);
    const logged = linesOf(folder('whole'), '001', 'metrics.jsonl').findLast((line) => 'knnTop1' in line);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ knnTop1: logged?.['knnTop1'], step: 16 });
    expect(readdirSync(join(folder('whole'), 'evals'))).toHaveLength(1);

    // How long each step waited for its crops is logged with it.
    const steps = linesOf(folder('whole'), '001', 'metrics.jsonl').filter((line) => 'stepMs' in line);
    expect(steps).toHaveLength(16);
    for (const { dataWaitShare } of steps) {
      expect(dataWaitShare).toBeGreaterThanOrEqual(0);
      expect(dataWaitShare).toBeLessThan(1);
    }

    // Evaluated on other images, which it was not trained on: figures of their own.
    const others = join(runs, 'others.yaml');
    writeFileSync(others, 'extends: tiny\ndata: { synthetic: { images: 60, classes: 3 } }\n');
    const args = ['--split', 'validation', '--data', others, '--json'];
    const elsewhere = await simdino('eval', 'whole', '--runs-dir', runs, ...args).finished;
    expect(elsewhere.stderr).toBe('');
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ data: 'synthetic', step: 16 });
    expect((JSON.parse(elsewhere.stdout) as { galleryImages: number }).galleryImages).toBeLessThanOrEqual(60);
    expect(readdirSync(join(folder('whole'), 'evals'))).toHaveLength(2);
    const { last } = await new EvaluationFeed(folder('whole'), 'whole').read(4);
    expect(Object.keys(last).sort()).toEqual([
      'validationKnnTop1',
      'validationKnnTop1 on synthetic',
      'validationKnnTop5',
      'validationKnnTop5 on synthetic',
    ]);

    // What tells a collapse is logged on the way.
    const diagnosed = linesOf(folder('whole'), '001', 'metrics.jsonl').findLast((line) => 'effectiveRank' in line);
    expect(diagnosed).toMatchObject({
      codingRate: expect.any(Number) as number,
      codingRateMax: expect.any(Number) as number,
      effectiveRank: expect.any(Number) as number,
      effectiveRankTeacher: expect.any(Number) as number,
      teacherStudentCosine: expect.any(Number) as number,
      distanceView1: expect.any(Number) as number,
    });

    const report = join(runs, 'report.html');
    expect((await simdino('report', 'whole', '--runs-dir', runs, '--output', report).finished).code).toBe(0);
    expect(readFileSync(report, 'utf8')).toMatch(/^<!doctype html>[^]*id="report-data"/);
  });

  test('gives the same losses to the bit with another number of data workers', async () => {
    await train('alone', '--set', 'runtime.dataWorkers=0').finished;
    await train('three', '--set', 'runtime.dataWorkers=3').finished;
    expect(lossesOf(folder('alone'), '001')).toEqual(lossesOf(folder('three'), '001'));
    expect(lossesOf(folder('alone'), '001').size).toBe(16);
  });

  test('is refused under a name that is taken', async () => {
    const { code, stderr } = await train('whole').finished;
    expect(code).toBe(2);
    expect(stderr).toMatch(/is in use: a run of that name is there/);
  });
});

describe.each([
  ['simdinov2', []],
  ['dino', ['--set', 'dino.prototypes=64']],
  ['dinov2', ['--set', 'dino.prototypes=64', '--set', 'dinov2.patchPrototypes=64']],
] as const)('%s', (method, settings) => {
  test('trains, is stopped half-way, and resumes to the same losses and accuracy', { timeout: 240_000 }, async () => {
    const options = ['--set', `method=${method}`, ...settings, ...long, '--set', 'eval.knn.everyEpochs=20'];
    expect((await train(`${method}-whole`, ...options).finished).code).toBe(0);
    const first = train(`${method}-half`, ...options);
    await untilStep(folder(`${method}-half`), '001', 20);
    first.process.kill('SIGINT');
    expect((await first.finished).code).toBe(4);
    expect((await simdino('resume', `${method}-half`, '--runs-dir', runs).finished).code).toBe(0);
    const expected = lossesOf(folder(`${method}-whole`), '001');
    const resumed = lossesOf(folder(`${method}-half`), '002');
    expect(resumed.size).toBeGreaterThan(0);
    for (const [step, loss] of resumed) expect(loss, `step ${step}`).toBe(expected.get(step));
    expect(Math.max(...resumed.keys())).toBe(160);
    const accuracyOf = (id: string, attempt: string) =>
      linesOf(folder(id), attempt, 'metrics.jsonl').findLast((line) => 'knnTop1' in line)?.['knnTop1'];
    expect(accuracyOf(`${method}-half`, '002')).toBe(accuracyOf(`${method}-whole`, '001'));
  });
});

describe('an interrupted run', () => {
  beforeAll(async () => {
    expect((await train('uninterrupted', ...long).finished).code).toBe(0);
  });

  test('that is stopped by Ctrl-C writes a checkpoint, and resumes to the same losses', async () => {
    const first = train('ctrl-c', ...long);
    await untilStep(folder('ctrl-c'), '001', 20);
    first.process.kill('SIGINT');
    expect((await first.finished).code).toBe(4);
    expect(linesOf(folder('ctrl-c'), '001', 'events.jsonl').at(-1)).toMatchObject({ type: 'stopped' });
    await expectSameAsUninterrupted('ctrl-c');
  });

  test('that is stopped through its folder does the same', async () => {
    const first = train('asked', ...long);
    await untilStep(folder('asked'), '001', 20);
    const stopped = await simdino('stop', 'asked', '--runs-dir', runs).finished;
    expect(stopped.stderr).toMatch(/asked: stopped/);
    expect((await first.finished).code).toBe(4);
    await expectSameAsUninterrupted('asked');
  });

  test('that is killed is crashed at once, whole up to its last line, and resumes from its checkpoint', async () => {
    const first = train('killed', ...long);
    await untilStep(folder('killed'), '001', 30);
    first.process.kill('SIGKILL');
    await first.finished;
    // The kill may have torn the last line; make sure that one is.
    appendFileSync(join(folder('killed'), 'attempts', '001', 'metrics.jsonl'), '{"step":31,"los');
    const listed = await simdino('runs', '--runs-dir', runs, '--json').finished;
    const { runs: listedRuns } = JSON.parse(listed.stdout) as { runs: { id: string; state: string }[] };
    expect(listedRuns.find(({ id }) => id === 'killed')?.state).toBe('crashed');
    await expectSameAsUninterrupted('killed');
    expect(linesOf(folder('killed'), '001', 'metrics.jsonl').length).toBeGreaterThanOrEqual(30);
  });

  test('falls back to an earlier checkpoint when the last is damaged', async () => {
    const first = train('damaged', ...long);
    await untilStep(folder('damaged'), '001', 30);
    first.process.kill('SIGKILL');
    await first.finished;
    const checkpoints = join(folder('damaged'), 'checkpoints');
    const last = readdirSync(checkpoints)
      .filter((name) => /^step-\d+$/.test(name))
      .sort()
      .at(-1)!;
    appendFileSync(join(checkpoints, last, 'model.safetensors'), 'x');
    const { stderr } = await expectSameAsUninterrupted('damaged');
    expect(stderr).toMatch(/Trying an earlier checkpoint/);
  });

  test('another SIGTERM does not keep the checkpoint from being written', async () => {
    const first = train('terminated', ...long);
    await untilStep(folder('terminated'), '001', 5);
    // A cluster sends it to the step, and once more through srun.
    for (let times = 0; times < 3; times++) {
      first.process.kill('SIGTERM');
      await sleep(5);
    }
    expect((await first.finished).code).toBe(4);
    const ended = linesOf(folder('terminated'), '001', 'events.jsonl').slice(-2);
    expect(ended).toMatchObject([{ type: 'checkpoint', reason: 'stop' }, { type: 'stopped' }]);
  });

  test('is not resumed twice at a time, nor after its end', async () => {
    const first = train('twice', ...long);
    await untilStep(folder('twice'), '001', 2);
    const second = await simdino('resume', 'twice', '--runs-dir', runs).finished;
    expect(second.stderr).toMatch(/is in use: process \d+ on/);
    first.process.kill('SIGINT');
    await first.finished;
    const finished = await simdino('resume', 'uninterrupted', '--runs-dir', runs).finished;
    expect(finished.stderr).toMatch(/can't be resumed: it has finished/);
  });

  async function expectSameAsUninterrupted(id: string) {
    const resumed = await simdino('resume', id, '--runs-dir', runs).finished;
    expect(resumed).toMatchObject({ code: 0 });
    const expected = lossesOf(folder('uninterrupted'), '001');
    const attempt = JSON.parse(readFileSync(join(folder(id), 'attempts', '002', 'attempt.json'), 'utf8')) as {
      resumedFrom: { attempt: number; step: number };
    };
    const before = lossesOf(folder(id), '001');
    const after = lossesOf(folder(id), '002');
    expect(attempt.resumedFrom.step).toBeGreaterThan(0);
    expect(after.size).toBe(expected.size - attempt.resumedFrom.step);
    for (const [step, loss] of [...before, ...after]) expect([step, loss]).toEqual([step, expected.get(step)]);
    return resumed;
  }
});

describe('bad input', () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await simdino(...args, '--runs-dir', runs).finished;
    expect(code).toBe(2);
    return stderr;
  };
  const write = (name: string, text: string) => {
    const path = join(runs, name);
    writeFileSync(path, text);
    return path;
  };

  test('in a configuration is shown with a caret', async () => {
    const path = write('typo.yaml', 'extends: tiny\nloss:\n  epz: 0.3\n');
    expect(await refused('train', path)).toMatch(/epz[^]*\^/);
  });

  test('a missing file, data set, images and a batch that is too large', async () => {
    expect(await refused('train', 'nowhere.yaml')).toMatch(/No configuration file at .*nowhere\.yaml/);
    const missing = write('missing.yaml', 'extends: tiny\ndata: { kind: imagefolder, path: nothing }\n');
    expect(await refused('train', missing)).toMatch(/No data set at .*nothing/);
    mkdirSync(join(runs, 'empty'), { recursive: true });
    const empty = write('empty.yaml', 'extends: tiny\ndata: { kind: imagefolder, path: empty }\n');
    expect(await refused('train', empty)).toMatch(/No images found at .*empty/);
    const large = write('large.yaml', 'extends: tiny\ntrain: { batchSize: 4096 }\n');
    expect(await refused('train', large)).toMatch(/train\.batchSize 4096 is above the 64 training images/);
  });

  test('a run that is not there and a command that is none', async () => {
    expect(await refused('resume', 'nobody')).toMatch(/No run 'nobody'/);
    expect(await refused('resume', '../escape')).toMatch(/No run '\.\.\/escape'/);
    expect(await refused('frobnicate')).toMatch(/There is no command 'frobnicate'\. See `simdino --help`/);
    for (const command of ['detect', 'segment', 'track'])
      expect(await refused(command, 'nobody')).toMatch(
        new RegExp(`simdino ${command}. needs --data with a folder of .* See .simdino ${command} --help`),
      );
    expect(await refused('annotate', 'nobody')).toMatch(/needs something to change: --name, --star/);
    expect(await refused('trian')).toMatch(/There is no command 'trian'\. Did you mean 'train'\?/);
    expect(await refused('sweep', 'tiny')).toMatch(/No sweep file at .*tiny\. .* configs\/sweeps\//);
    expect(await refused('train', 'tiny', '--sett', 'a=1')).toMatch(
      /Unknown option '--sett'\. See `simdino train --help`/,
    );
    expect(await refused('train', 'tiny', '--set', 'loss.epss=1')).toMatch(
      /tiny\.yaml --set loss\.epss=1 is not a valid/,
    );
  });

  test('corrupt images are skipped, counted and listed; too many end the run', async () => {
    const { default: sharp } = await import('sharp');
    for (const split of ['train', 'val'])
      for (const label of ['a', 'b'])
        for (let index = 0; index < 12; index++) {
          const path = join(runs, 'photos', split, label, `${index}.png`);
          mkdirSync(join(path, '..'), { recursive: true });
          const pixels = Buffer.alloc(40 * 40 * 3, (index * 37 + (label === 'a' ? 90 : 10)) % 256);
          await sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } })
            .png()
            .toFile(path);
        }
    writeFileSync(join(runs, 'photos', 'train', 'a', 'broken.png'), 'not an image');
    const config = (share: number) =>
      write(
        `photos-${share}.yaml`,
        `extends: tiny\ndata: { kind: imagefolder, path: photos, maxFaultyShare: ${share} }\ntrain: { epochs: 2, batchSize: 8 }\n`,
      );
    const tolerant = await simdino('train', config(0.1), '--runs-dir', runs, '--run-id', 'tolerant').finished;
    expect(tolerant.code).toBe(0);
    const events = linesOf(folder('tolerant'), '001', 'events.jsonl');
    const faulty = events.filter(({ type }) => type === 'faultyImage');
    expect(faulty.map(({ image }) => image)).toEqual([expect.stringMatching(/broken\.png$/)]);
    expect(readFileSync(join(folder('tolerant'), 'attempts', '001', 'log.txt'), 'utf8')).toMatch(
      /skipped .*broken\.png/,
    );
    const strict = await simdino('train', config(0), '--runs-dir', runs, '--run-id', 'strict').finished;
    expect(strict.stderr).toMatch(/1 of 25 images at .*photos.* can't be decoded, more than the limit of 0/);
    expect(linesOf(folder('strict'), '001', 'events.jsonl').at(-1)).toMatchObject({
      type: 'failed',
      code: 'dataTooFaulty',
    });
  });

  test('a loss that is no number ends the run with its last steps in the log and the last checkpoint kept', async () => {
    expect((await train('sound', '--set', 'train.epochs=2').finished).code).toBe(0);
    // Goes on from its checkpoint with an objective whose numbers are too large.
    const changes = ['train.epochs=40', 'optim.lr=10', 'optim.clipGradNorm=0', 'optim.epsilon=1e-30', 'loss.eps=1e-12'];
    const { code, stderr } = await simdino(
      ...['fork', 'sound', '--at', 'last', '--runs-dir', runs, '--run-id', 'diverged'],
      ...changes.flatMap((change) => ['--set', change]),
    ).finished;
    expect(stderr).toMatch(/The (loss|norm of the gradient) became (NaN|-?Infinity) at step \d+/);
    expect(code).toBe(3);
    expect(linesOf(folder('diverged'), '001', 'events.jsonl').at(-1)).toMatchObject({
      type: 'failed',
      code: 'lossNotFinite',
    });
    expect(readFileSync(join(folder('diverged'), 'attempts', '001', 'log.txt'), 'utf8')).toMatch(/the last \d+ steps:/);
    const kept = readdirSync(join(folder('diverged'), 'checkpoints'));
    expect(kept).toEqual(['step-000008']);
    const { state } = await loadCheckpoint(join(folder('diverged'), 'checkpoints', 'step-000008'));
    for (const [name, { data }] of state) expect(data.every(Number.isFinite), name).toBe(true);
  });
});
