import { describe, expect, test } from 'vitest';
import { formatDiagnostics } from '../../../configs/diagnostic.ts';
import { applyEdits } from '../../../configs/editYaml.ts';
import { expandCells } from '../../../configs/expandCells.ts';
import { quickFixes } from '../../../configs/quickFixes.ts';
import { readSweep, type ReadSweep } from '../../../configs/readSweep.ts';
import { configsFolder, loadFrom, loadFromRepository, yamlFiles } from './presetFiles.ts';

const read = (text: string): ReadSweep => readSweep(text, { path: 'sweep.yaml', load: loadFrom({}) });
const said = (text: string): string => `\n${formatDiagnostics(read(text).diagnostics, text, 'sweep.yaml')}\n`;

describe('cells', () => {
  test('every combination with every seed, the last axis and then the seeds fastest', () => {
    const cells = expandCells({
      axes: [
        { key: 'a', values: [1, 2] },
        { key: 'b', values: ['x', 'y'] },
      ],
      seeds: [0, 1],
    });
    expect(cells.map(({ cell, seed }) => `${cell['a']}${cell['b']}${seed}`)).toEqual([
      '1x0',
      '1x1',
      '1y0',
      '1y1',
      '2x0',
      '2x1',
      '2y0',
      '2y1',
    ]);
  });

  test('an explicit list', () => {
    const { sweep, diagnostics } = read(
      'base: tiny\ncells:\n  - { loss.eps: 0.3 }\n  - { loss.eps: 0.6, loss.gamma: balanced }\nseeds: [4, 5]\n',
    );
    expect(diagnostics).toEqual([]);
    expect(sweep?.runs.map(({ seed, config }) => [seed, config.seed, config.loss.eps, config.loss.gamma])).toEqual([
      [4, 4, 0.3, 'auto'],
      [5, 5, 0.3, 'auto'],
      [4, 4, 0.6, 'balanced'],
      [5, 5, 0.6, 'balanced'],
    ]);
    expect(sweep?.axes).toEqual([
      { key: 'loss.eps', values: [0.3, 0.6] },
      { key: 'loss.gamma', values: ['balanced'] },
    ]);
  });

  test('values of `set` are under the cell\u2019s', () => {
    const { sweep } = read(
      'base: tiny\nset: { train.epochs: 7, loss: { gammaFactor: 2 } }\naxes: { loss.eps: [0.3, 0.4] }\nmetric: loss\n',
    );
    expect(sweep).toMatchObject({ metric: 'loss', goal: 'minimise', slots: 1, seeds: [0], base: 'tiny' });
    expect(sweep?.runs[1]?.config).toMatchObject({ train: { epochs: 7 }, loss: { gammaFactor: 2, eps: 0.4 } });
  });
});

test.each(yamlFiles(`${configsFolder}/sweeps`))('$path is valid', ({ path, text }) => {
  const { sweep, diagnostics } = readSweep(text, { path, load: loadFromRepository });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(sweep?.runs.length).toBeGreaterThan(1);
  if (/tiny|gamma_eps/.test(path)) expect([diagnostics, sweep?.runs.length]).toEqual([[], 4]);
});

test('what cells were found to be is remembered for the same base alone', () => {
  const read = (eps: number, batchSize: number) =>
    readSweep(`base: tiny\nset: { train.batchSize: ${batchSize} }\naxes: { loss.eps: [0.3, ${eps}] }\n`, {
      path: 'sweep.yaml',
      load: loadFromRepository,
    });
  const first = read(0.4, 16);
  expect(read(0.4, 16).sweep).toEqual(first.sweep);
  // The cell that stayed is the very same; the one that changed is checked.
  expect(read(0.5, 16).sweep?.runs[0]?.config).toBe(first.sweep?.runs[0]?.config);
  expect(read(-1, 16).diagnostics).toHaveLength(1);
  expect(read(0.4, 32).sweep?.runs[0]?.config.train.batchSize).toBe(32);
});

describe('sentences', () => {
  test('shape of the file', () => {
    expect(said('bas: tiny\naxes: { loss.eps: 0.3 }\nseeds: [0.5]\ngoal: maximize\n')).toMatchInlineSnapshot(`
      "
      sweep.yaml:1:1 error: \`base\` is missing. Add the name of a preset or the path of a configuration.
      1 | bas: tiny
        | ^^^
      sweep.yaml:1:1 error: \`bas\` is not a key of a sweep file. Did you mean \`base\`? Keys of the top level: base, set, axes, cells, seeds, metric, goal, devices, slots.
      1 | bas: tiny
        | ^^^
      sweep.yaml:2:19 error: \`axes\` must be dotted keys, each with a list of one or more values, got 0.3.
      2 | axes: { loss.eps: 0.3 }
        |                   ^^^
      sweep.yaml:3:9 error: \`seeds\` must be a list of whole numbers, each 0 or more, got 0.5. The default is [0].
      3 | seeds: [0.5]
        |         ^^^
      sweep.yaml:4:7 error: \`goal\` must be one of maximise, minimise, got "maximize". Did you mean \`maximise\`?
      4 | goal: maximize
        |       ^^^^^^^^
      "
    `);
    expect(said('base: tniy\naxes: { loss.eps: [0.3] }\n')).toMatchInlineSnapshot(`
      "
      sweep.yaml:1:7 error: \`base: tniy\` names no preset and no file. Did you mean \`tiny\`? Presets: dino_vits16, dinov2_vitb16, quickstart, simdino_vits16, simdinov2_vitb16, tiny, and those of the paper’s tables such as paper/table6/official; a path is relative to this file.
      1 | base: tniy
        |       ^^^^
      "
    `);
    expect(said('base: tiny\n')).toMatchInlineSnapshot(`
      "
      sweep.yaml:1:1 error: The sweep varies nothing. Add axes, for example \`axes: { loss.eps: [0.1, 0.2236] }\`.
      1 | base: tiny
        | ^^^^
      "
    `);
    expect(said('base: tiny\naxes: { seed: [1, 2], loss.eps: [1, 1] }\ncells: [{ loss.eps: 1 }]\n'))
      .toMatchInlineSnapshot(`
        "
        sweep.yaml:2:9 error: \`seed\` stands in \`axes\`. List the seeds in \`seeds:\`.
        2 | axes: { seed: [1, 2], loss.eps: [1, 1] }
          |         ^^^^
        sweep.yaml:2:23 error: The axis \`loss.eps\` lists 1 twice. Remove one of them.
        2 | axes: { seed: [1, 2], loss.eps: [1, 1] }
          |                       ^^^^^^^^
        sweep.yaml:3:1 error: A sweep has \`axes\` or \`cells\`, not both. Remove one of them.
        3 | cells: [{ loss.eps: 1 }]
          | ^^^^^
        "
      `);
  });

  test('cells are checked as the configurations that they become', () => {
    expect(
      said(
        'base: tiny\nset:\n  train.epoch: 3\naxes:\n  loss.eps: [0.3, -1, 0.05]\n  loss.codingRate.groups: [1, 3]\n  loss.pears: [all]\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      sweep.yaml:3:3 error: \`train.epoch\` is not a key of a configuration. Did you mean \`epochs\`? Keys of train: epochs, batchSize.
      3 |   train.epoch: 3
        |   ^^^^^^^^^^^
      sweep.yaml:5:19 error: \`loss.eps\` must be a number above 0 and at most 100, got -1. The default is 0.223607.
      5 |   loss.eps: [0.3, -1, 0.05]
        |                   ^^
      sweep.yaml:5:23 warning: loss.eps 0.05 looks like the authors' \`eps\`, which is epsilon squared; here it is epsilon itself. For the authors' value write 0.2236. (eq. (7); authors' code)
      5 |   loss.eps: [0.3, -1, 0.05]
        |                       ^^^^
      sweep.yaml:6:31 error: loss.codingRate.groups 3 does not divide train.batchSize 16. Set it to a divisor, such as 2.
      6 |   loss.codingRate.groups: [1, 3]
        |                               ^
      sweep.yaml:7:3 error: \`loss.pears\` is not a key of a configuration. Keys of loss: preset, eps, gamma, gammaFactor, pairs, own, regulariser, alternative, codingRate.
      7 |   loss.pears: [all]
        |   ^^^^^^^^^^
      "
    `);
  });

  test('explicit cells', () => {
    expect(said('base: tiny\ncells:\n  - { loss.eps: 0.3 }\n  - { loss.eps: off }\n')).toMatchInlineSnapshot(`
      "
      sweep.yaml:4:17 error: \`loss.eps\` must be a number above 0 and at most 100, got "off". The default is 0.223607.
      4 |   - { loss.eps: off }
        |                 ^^^
      "
    `);
  });

  test('quick fixes: the axis\u2019s key, the value in its list, a common value', () => {
    const text =
      'base: tiny\nset: { train.epochz: 3 } # short\naxes:\n  loss.eps: [0.3, 0.05] # tuned\n  loss.codingRate.groups: [1, 3]\n  loss.gama: [1]\n';
    const fixes = read(text).diagnostics.flatMap((diagnostic) => quickFixes(text, diagnostic));
    expect(Object.fromEntries(fixes.map(({ title, edits }) => [title, applyEdits(text, edits)]))).toEqual({
      'Change to `train.epochs`': text.replace('epochz', 'epochs'),
      'Remove `set.train.epochz`': text.replace('{ train.epochz: 3 }', '{  }'),
      'Set `axes.loss.eps.1` to 0.2236': text.replace('0.05', '0.2236'),
      'Set `axes.loss.codingRate.groups.1` to 2': text.replace('[1, 3]', '[1, 2]'),
      'Change to `loss.gamma`': text.replace('gama', 'gamma'),
      'Remove `axes.loss.gama`': text.replace('  loss.gama: [1]\n', ''),
    });
  });

  test('too many runs', () => {
    const values = JSON.stringify(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(read(`base: tiny\naxes: { loss.eps: ${values}, loss.gamma: ${values} }\n`).diagnostics[0]?.message).toBe(
      'The sweep has 1600 runs, more than 1000.',
    );
  });
});
