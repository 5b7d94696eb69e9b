import { describe, expect, test } from 'vitest';
import { countDiagnostics, formatDiagnostics, sentence } from '../../../configs/diagnostic.ts';
import { quickFixes } from '../../../configs/quickFixes.ts';
import { applyEdits } from '../../../configs/editYaml.ts';
import { readConfig, type ReadConfig } from '../../../configs/readConfig.ts';
import { loadFrom } from './presetFiles.ts';

function read(text: string, files: Record<string, string> = {}): ReadConfig {
  return readConfig(text, { path: 'my.yaml', load: loadFrom(files) });
}

/** The terminal form of everything that is said about a text. */
function said(text: string, files: Record<string, string> = {}): string {
  return `\n${formatDiagnostics(read(text, files).diagnostics, text, 'my.yaml')}\n`;
}

const valid = 'data: { kind: synthetic }\n';

/** A base of the tests' own: sentences do not change with the presets. */
const small = `data: { kind: fashion-mnist, heldOut: 10000 }
crops: { global: { sizePx: 28 }, local: { sizePx: 12, count: 4 } }
model: { architecture: custom, width: 96, depth: 4, heads: 3, patchSizePx: 4 }
optim: { lr: 0.002, warmupEpochs: 0.2 }
train: { epochs: 2, batchSize: 128 }
eval: { knn: { galleryImages: 10000 } }
`;

describe('a valid text', () => {
  test('an empty section is as good as none', () => {
    const { config, diagnostics } = read(`${valid}loss:\n  # nothing yet\ncrops:\n`);
    expect(diagnostics).toEqual([]);
    expect(config?.loss.eps).toBeCloseTo(0.2236, 4);
  });

  test('anchors, aliases and merge keys', () => {
    const { config, diagnostics } = read(
      'data: { kind: synthetic }\nloss:\n  eps: &width 0.3\n  gamma: *width\ncrops:\n  global: &view { sizePx: 64, scale: [0.2, 0.9] }\n  local: { <<: *view, sizePx: 32 }\n',
    );
    expect(diagnostics).toEqual([]);
    expect(config?.loss.gamma).toBe(0.3);
    expect(config?.crops.local).toMatchObject({ sizePx: 32, scale: [0.2, 0.9] });
  });

  test('extends a preset: maps merge, lists are replaced', () => {
    const { config, diagnostics } = read('extends: tiny\ncrops: { global: { blur: [0.5] } }\nseed: 3\n');
    expect(diagnostics).toEqual([]);
    expect(config).toMatchObject({ seed: 3, model: { width: 16 }, crops: { global: { sizePx: 16, blur: [0.5] } } });
    expect(config).not.toHaveProperty('extends');
  });

  test('extends a file that extends a preset', () => {
    const { config } = read('extends: base.yaml\nseed: 3\n', { 'base.yaml': 'extends: tiny\ntrain: { epochs: 9 }\n' });
    expect(config).toMatchObject({ seed: 3, train: { epochs: 9, batchSize: 16 } });
  });
});

describe('sentences', () => {
  test('every problem is collected, each with its place', () => {
    expect(
      said(
        'method: simdinoo\ndata:\n  kind: fashion-mnst\n  lr: 0.1\nloss:\n  epss: 0.3\n  gamma: baalnced\ncrops:\n  global: { scale: [0.5, 2] }\ntrain: { batchSize: , epochs: 3 }\noptim: 3\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      my.yaml:1:9 error: \`method\` must be one of simdino, simdinov2, dino, dinov2, got "simdinoo". Did you mean \`simdino\`?
      1 | method: simdinoo
        |         ^^^^^^^^
      my.yaml:3:9 error: \`data.kind\` must be one of cifar10, fashion-mnist, imagefolder, labellist, webdataset, parquet, idx, cifar, synthetic, got "fashion-mnst". Did you mean \`fashion-mnist\`?
      3 |   kind: fashion-mnst
        |         ^^^^^^^^^^^^
      my.yaml:4:3 error: \`data.lr\` is not a key of a configuration. Did you mean \`optim.lr\`? Keys of data: kind, path, labels, imageColumn, labelColumn, access, shuffleImages, heldOut, maxTrainImages, maxFaultyShare, mean, std, synthetic.
      4 |   lr: 0.1
        |   ^^
      my.yaml:6:3 error: \`loss.epss\` is not a key of a configuration. Did you mean \`eps\`? Keys of loss: preset, eps, gamma, gammaFactor, pairs, own, regulariser, alternative, codingRate.
      6 |   epss: 0.3
        |   ^^^^
      my.yaml:7:10 error: \`loss.gamma\` must be \`auto\`, \`balanced\` or a number 0 or more, got "baalnced". Did you mean \`balanced\`?
      7 |   gamma: baalnced
        |          ^^^^^^^^
      my.yaml:9:26 error: \`crops.global.scale\` must be a list of 2 numbers, each above 0 and at most 1, got 2. The default is [0.4,1].
      9 |   global: { scale: [0.5, 2] }
        |                          ^
      my.yaml:10:10 error: \`train.batchSize\` has no value. Give a whole number from 1 to 1000000, or remove the line.
      10 | train: { batchSize: , epochs: 3 }
         |          ^^^^^^^^^
      my.yaml:11:8 error: \`optim\` must be a section with keys of its own, got 3.
      11 | optim: 3
         |        ^
      "
    `);
  });

  test('relations between keys', () => {
    expect(
      said(
        'extends: small.yaml\ncrops:\n  local: { scale: [0.5, 0.2], sizePx: 13 }\ntrain: { batchSize: 100 }\nmodel: { heads: 5 }\nloss:\n  codingRate: { groups: 8 }\noptim: { warmupEpochs: 10, minLr: 1 }\neval: { split: test, knn: { k: 30000 } }\n',
        { 'small.yaml': small },
      ),
    ).toMatchInlineSnapshot(`
      "
      my.yaml:3:19 error: crops.local.scale starts at 0.5, above its end 0.2. Swap the two numbers.
      3 |   local: { scale: [0.5, 0.2], sizePx: 13 }
        |                   ^^^^^^^^^^
      my.yaml:3:39 error: crops.local.sizePx 13 is not a multiple of model.patchSizePx 4. Set it to 12.
      3 |   local: { scale: [0.5, 0.2], sizePx: 13 }
        |                                       ^^
      my.yaml:5:17 error: model.width 96 is not a multiple of model.heads 5. Set model.heads to a divisor of 96, such as 4.
      5 | model: { heads: 5 }
        |                 ^
      my.yaml:7:25 error: loss.codingRate.groups 8 does not divide train.batchSize 100. Set it to a divisor, such as 10.
      7 |   codingRate: { groups: 8 }
        |                         ^
      my.yaml:8:24 warning: The warm-up of 10 epochs does not end before the training of 2. Set optim.warmupEpochs to about a tenth of train.epochs.
      8 | optim: { warmupEpochs: 10, minLr: 1 }
        |                        ^^
      my.yaml:8:35 error: optim.minLr 1 is above the peak learning rate 0.000781 (optim.lr 0.002 x batch 100 / 256). Lower optim.minLr.
      8 | optim: { warmupEpochs: 10, minLr: 1 }
        |                                   ^
      my.yaml:9:16 warning: The run queries the test split during training although images are held out for that. Set eval.split: validation, and evaluate the test split once at the end.
      9 | eval: { split: test, knn: { k: 30000 } }
        |                ^^^^
      my.yaml:9:32 error: eval.knn.k 30000 is above the gallery's 10000 images. Set it to 10000 or less.
      9 | eval: { split: test, knn: { k: 30000 } }
        |                                ^^^^^
      "
    `);
  });

  test('batches too small for the rank of the coding rate', () => {
    const coding = (batch: number, groups: number) =>
      `${valid}train: { batchSize: ${batch}, epochs: 20 }\nloss: { gamma: 1, codingRate: { groups: ${groups} } }\n`;
    expect(said(coding(128, 8))).toMatchInlineSnapshot(`
      "
      my.yaml:2:21 warning: Each of 8 groups of 16 images spans at most 16 of the 256 dimensions that the coding rate is to fill; the published recipe spans a quarter. Raise train.batchSize to 512 or more, lower loss.codingRate.groups, or lower projector.outputDim.
      2 | train: { batchSize: 128, epochs: 20 }
        |                     ^^^
      "
    `);
    expect(said(coding(32, 1))).toMatchInlineSnapshot(`
      "
      my.yaml:2:21 warning: A batch of 32 images spans at most 32 of the 256 dimensions that the coding rate is to fill; the published recipe spans a quarter. Raise train.batchSize to 64 or more, or lower projector.outputDim.
      2 | train: { batchSize: 32, epochs: 20 }
        |                     ^^
      "
    `);
    expect(read(coding(64, 1)).diagnostics).toEqual([]);
    // What is only measured needs no rank.
    expect(read(`method: dino\n${valid}train: { batchSize: 32, epochs: 20 }\n`).diagnostics).toEqual([]);
  });

  test('options that the method ignores', () => {
    expect(
      said(`method: dino\n${valid}loss:\n  gamma: 0.1\n  regulariser: infoNce\n  eps: 0.3\nmasking: { share: 0.2 }\n`),
    ).toMatchInlineSnapshot(`
      "
      my.yaml:4:3 warning: \`loss.gamma\` has no effect: the objective of \`method: dino\` has no coding rate; it is only measured. Remove it, or change the other key.
      4 |   gamma: 0.1
        |   ^^^^^
      my.yaml:5:16 error: loss.regulariser \`infoNce\` takes the place of SimDINO's coding rate; \`dino\` has none. Remove it, or set method: simdino.
      5 |   regulariser: infoNce
        |                ^^^^^^^
      my.yaml:7:10 error: \`masking\` holds the options of \`simdinov2\` and \`dinov2\`, but the method is \`dino\`. Remove the section, or set method: simdinov2.
      7 | masking: { share: 0.2 }
        |          ^^^^^^^^^^^^^^
      "
    `);
  });

  test('remarks that cite the paper', () => {
    expect(said('extends: simdino_vits16\nloss: { eps: 0.05, gammaFactor: 0.5 }\noptim: { lr: 0.002 }\n'))
      .toMatchInlineSnapshot(`
      "
      my.yaml:2:14 warning: loss.eps 0.05 looks like the authors' \`eps\`, which is epsilon squared; here it is epsilon itself. For the authors' value write 0.2236. (eq. (7); authors' code)
      2 | loss: { eps: 0.05, gammaFactor: 0.5 }
        |              ^^^^
      my.yaml:3:14 warning: optim.lr 0.002 is per 256 images: with a batch of 512 the peak is 0.004. Table 4's 0.002 is the peak for a batch of 1024. For the published recipe write 0.0005. (Table 4; authors' log peaks at 0.001 for a batch of 512)
      3 | optim: { lr: 0.002 }
        |              ^^^^^
      "
    `);
  });

  test('what Table 6 reports to diverge', () => {
    expect(
      said(
        'extends: dino_vits16\nteacher: { momentum: 0.9 }\ndino: { prototypeNorm: trained, teacherTemperatureWarmupEpochs: 0 }\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      my.yaml:2:22 warning: Table 6 reports that DINO diverges with a teacher momentum of 0.9. The official value is 0.996. (Table 6)
      2 | teacher: { momentum: 0.9 }
        |                      ^^^
      my.yaml:3:24 warning: Table 6 reports that DINO diverges with prototypes of trained norm. The official value is \`fixed\`. (Table 6)
      3 | dino: { prototypeNorm: trained, teacherTemperatureWarmupEpochs: 0 }
        |                        ^^^^^^^
      my.yaml:3:65 warning: Table 6 reports that DINO diverges with a teacher temperature of 0.07 from the start. The official recipe warms it up from 0.04 over 30 epochs. (Table 6)
      3 | dino: { prototypeNorm: trained, teacherTemperatureWarmupEpochs: 0 }
        |                                                                 ^
      "
    `);
    const simdino = 'extends: simdino_vits16\nteacher: { momentum: 0.9 }\n';
    expect(read(simdino).diagnostics).toEqual([]);
  });

  test('what Tables 5 and 9 report to collapse', () => {
    expect(said('extends: dino_vits16\nteacher: { update: student }\n')).toMatchInlineSnapshot(`
      "
      my.yaml:2:20 warning: Table 9 reports that DINO collapses without self-distillation. Only SimDINO trains so, with 58.6 % k-NN in place of 69.7. (Table 9)
      2 | teacher: { update: student }
        |                    ^^^^^^^
      "
    `);
    expect(said('extends: simdinov2_vitb16\nloss: { regulariser: barlowTwins }\n')).toMatchInlineSnapshot(`
      "
      my.yaml:2:22 warning: Table 5 reports that SimDINOv2 collapses with Barlow Twins' loss in the place of the coding rate. In that table the coding rate, \`infoNce\` and \`uniformity\` learn. (Table 5)
      2 | loss: { regulariser: barlowTwins }
        |                      ^^^^^^^^^^^
      "
    `);
    const without = 'extends: simdino_vits16\nteacher: { update: student }\n';
    expect(read(without).diagnostics.filter(({ code }) => code === 'paper')).toEqual([]);
  });

  test('the other keys of a relation are told with their places', () => {
    const text = `${valid}train:\n  batchSize: 100\nloss:\n  codingRate: { groups: 8 }\n`;
    const [relation] = read(text).diagnostics;
    const { path, start, end } = relation!;
    expect([path, text.slice(start, end)]).toEqual(['loss.codingRate.groups', '8']);
    expect(relation?.others?.map((other) => [other.path, other.line, text.slice(other.start, other.end)])).toEqual([
      ['train.batchSize', 3, '100'],
    ]);
  });

  test('remarks that cite the paper can be turned off', () => {
    const text = 'extends: tiny\nloss: { eps: 0.05 }\n';
    expect(read(text).diagnostics.map(({ code }) => code)).toEqual(['paper']);
    expect(readConfig(text, { path: 'my.yaml', load: loadFrom({}), paperLint: false }).diagnostics).toEqual([]);
  });

  test('syntax', () => {
    expect(said('data: { kind: synthetic\nloss:\n  eps: 0.3\n   gamma: 1\n')).toMatchInlineSnapshot(`
      "
      my.yaml:2:1 error: A \`{\` above is not closed. Add the missing \`}\`.
      2 | loss:
        | ^
      my.yaml:3:8 error: The line below \`0.3\` is indented as if it belonged to that value. Indent it like the key above.
      3 |   eps: 0.3
        |        ^
      "
    `);
  });

  test('syntax, said to whoever writes a configuration', () => {
    const texts = [
      'loss:\n  ep\n  gamma: 1\n',
      'loss:\n  eps: 0.3\n  gam',
      'loss: { eps: 0.3 gamma: 1 }\n',
      'loss: { eps:0.3 }\n',
      'loss: { eps: 0.3,, gamma: 1 }\n',
      'crops: { local: { scale: [0.1, 0.4 } }\n',
      'loss: { eps: 0.3\n',
      'data: { path: "C:\\data" }\n',
      'data:\n  path: "images\n',
      'data:\n  path: @home\n',
      'data:\n  path: "images" # mine\n kind: cifar10\n',
      'loss:\n  eps: 0.3\n    gamma: 1\n',
      'loss: eps: 0.3\n',
      'loss:\n\teps: 0.3\n',
      'loss:\n  eps: "0.3" 4\n',
      'loss:\n  eps: "0.3"#tuned\n',
      'crops:\n  local:\n    scale:\n    - 0.1\n   - 0.4\n',
      'loss:\n  eps: !float16 0.3\n',
      'seed: 1\n---\nseed: 2\n',
    ];
    const sentences = texts.map((text) => {
      const found = read(text).diagnostics.filter(({ code }) => code === 'syntax');
      return [JSON.stringify(text), ...found.map((each) => `  ${each.line}:${each.column} ${sentence(each)}`)].join(
        '\n',
      );
    });
    expect(`\n${sentences.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      "loss:\\n  ep\\n  gamma: 1\\n"
        2:3 \`ep\` has no colon behind it. Write \`key: value\`.
      "loss:\\n  eps: 0.3\\n  gam"
        3:3 \`gam\` has no colon behind it. Write \`key: value\`.
      "loss: { eps: 0.3 gamma: 1 }\\n"
        1:14 Between entries within brackets a comma is missing. Part them by commas, also where each has a line of its own.
      "loss: { eps:0.3 }\\n"
      "loss: { eps: 0.3,, gamma: 1 }\\n"
        1:18 A comma with nothing before it. Remove it.
      "crops: { local: { scale: [0.1, 0.4 } }\\n"
        1:36 A \`[\` above is not closed. Add the missing \`]\`.
        2:1 A \`{\` above is not closed. Add the missing \`}\`.
      "loss: { eps: 0.3\\n"
        2:1 A \`{\` above is not closed. Add the missing \`}\`.
      "data: { path: \\"C:\\\\data\\" }\\n"
        1:18 \`\\d\` means nothing within double quotes. Write \`\\\\d\`, or use single quotes, in which a backslash is a backslash.
      "data:\\n  path: \\"images\\n"
        3:1 A text is not closed by \`"\`. Add the missing \`"\`.
      "data:\\n  path: @home\\n"
        2:9 A value can't start with \`@\` unless it is in quotes. Put the value in quotes.
      "data:\\n  path: \\"images\\" # mine\\n kind: cifar10\\n"
        3:1 This line is not indented like the keys above it. Give all keys of a section the same number of spaces.
      "loss:\\n  eps: 0.3\\n    gamma: 1\\n"
        2:8 The line below \`0.3\` is indented as if it belonged to that value. Indent it like the key above.
      "loss: eps: 0.3\\n"
        1:7 A second key on the line of another. Give it a line of its own, indented; or put the value in quotes.
      "loss:\\n\\teps: 0.3\\n"
        2:1 A tab indents this line. YAML takes spaces only.
      "loss:\\n  eps: \\"0.3\\" 4\\n"
        2:14 \`4\` stands behind a value that has ended. Give it a line of its own, or put the whole value in quotes.
      "loss:\\n  eps: \\"0.3\\"#tuned\\n"
        2:13 \`#\` stands right behind a value. Put a space before it if it starts a comment, or the whole value in quotes.
      "crops:\\n  local:\\n    scale:\\n    - 0.1\\n   - 0.4\\n"
        5:1 This entry is not indented like those above it. Give all entries of a list the same number of spaces.
        5:4 This entry is not indented like those above it. Give all entries of a list the same number of spaces.
      "loss:\\n  eps: !float16 0.3\\n"
        2:8 \`!float16\` is a tag that nothing here knows. Remove it.
      "seed: 1\\n---\\nseed: 2\\n"
        2:1 A second document starts here. A file holds one configuration: remove the line \`---\`.
      "
    `);
  });

  test('an alias without an anchor', () => {
    expect(said('data: { kind: synthetic }\nloss: { eps: *missing }\n')).toMatchInlineSnapshot(`
      "
      my.yaml:2:14 error: \`*missing\` names an anchor that is not set before it. Set it with \`&missing\` above, or write the value.
      2 | loss: { eps: *missing }
        |              ^^^^^^^^
      "
    `);
  });

  test('a key written twice', () => {
    expect(said('data: { kind: synthetic }\nseed: 1\nseed: 2\n')).toMatchInlineSnapshot(`
      "
      my.yaml:3:1 error: \`seed\` is written twice in one section. Remove one of them.
      3 | seed: 2
        | ^
      "
    `);
  });

  test('not a map', () => {
    expect(said('- a\n- b\n')).toMatchInlineSnapshot(`
      "
      my.yaml:1:1 error: A configuration must be a map of keys to values, got ["a","b"]. Start with \`method: simdino\`.
      1 | - a
        | ^
      "
    `);
  });

  test('a sweep file in place of a configuration', () => {
    expect(said('base: tiny\naxes: { loss.eps: [1, 2] }\n')).toMatchInlineSnapshot(`
      "
      my.yaml:2:1 error: This is a sweep file, not a configuration. Start it with \`simdino sweep\` or “Start ablation grid”.
      2 | axes: { loss.eps: [1, 2] }
        | ^^^^
      "
    `);
  });

  test('an empty file', () => {
    expect(said('')).toMatchInlineSnapshot(`
      "
      my.yaml:1:1 error: \`data\` is missing. Add the section, for example \`data: { kind: cifar10 }\`.
      1 | 
        | ^
      "
    `);
  });

  test('sizes of the backbone', () => {
    expect(said(`${valid}model: { architecture: custom, width: 64 }\n`)).toMatchInlineSnapshot(`
      "
      my.yaml:2:24 error: A \`custom\` architecture needs model.width, model.depth and model.heads; missing: depth, heads. Add model.depth, or take a named architecture: vit_tiny, vit_small, vit_base, vit_large, vit_giant2.
      2 | model: { architecture: custom, width: 64 }
        |                        ^^^^^^
      "
    `);
    expect(said(`${valid}model: { width: 64 }\n`)).toMatchInlineSnapshot(`
      "
      my.yaml:2:17 error: \`model.width\` is 64, but vit_small has 384. Remove the key, or set model.architecture: custom.
      2 | model: { width: 64 }
        |                 ^^
      "
    `);
  });

  test('what has no effect', () => {
    expect(said('data: { kind: imagefolder, path: x, synthetic: { images: 9 } }\nloss: { gamma: 1, gammaFactor: 2 }\n'))
      .toMatchInlineSnapshot(`
      "
      my.yaml:1:37 warning: \`data.synthetic\` has no effect: data.kind is \`imagefolder\`. Remove it, or change the other key.
      1 | data: { kind: imagefolder, path: x, synthetic: { images: 9 } }
        |                                     ^^^^^^^^^
      my.yaml:2:19 warning: \`loss.gammaFactor\` has no effect: loss.gamma is a number, not \`auto\` or \`balanced\`. Remove it, or change the other key.
      2 | loss: { gamma: 1, gammaFactor: 2 }
        |                   ^^^^^^^^^^^
      "
    `);
  });
});

test('a minimal rate above the peak of a square-root rule says that rule', () => {
  expect(
    said(`${valid}optim: { lr: 0.001, minLr: 0.01, lrScaling: sqrt1024 }\ntrain: { batchSize: 256, epochs: 20 }\n`),
  ).toContain('(optim.lr 0.001 x sqrt(batch 256 / 1024))');
});

test.each([
  ['crops: { local: { count: 0, blur: 0.1 } }', 'crops.local.blur', 'crops.local.count is 0'],
  ['crops: { jitter: { probability: 0, hue: 0.3 } }', 'crops.jitter.hue', 'crops.jitter.probability is 0'],
  ['loss: { regulariser: infoNce, alternative: { lambda: 1 } }', 'loss.alternative.lambda', 'is `infoNce`'],
  ['method: simdinov2\nmasking: { share: 0, ratio: [0.2, 0.3] }', 'masking.ratio', 'masking.share is 0'],
  [
    'method: dino\ndino: { teacherTemperatureWarmupEpochs: 0, teacherTemperatureStart: 0.05, teacherTemperature: 0.06 }',
    'dino.teacherTemperatureStart',
    'dino.teacherTemperatureWarmupEpochs is 0',
  ],
])('%s: what has no effect', (text, path, reason) => {
  const { diagnostics } = read(`${valid}${text}\ntrain: { epochs: 20 }\n`);
  const ignored = diagnostics.filter(({ code }) => code === 'ignored');
  expect(ignored.map((diagnostic) => diagnostic.path)).toEqual([path]);
  expect(ignored[0]?.message).toContain(reason);
});

describe('extends', () => {
  test('a preset that does not exist', () => {
    expect(said('extends: quickstrat\n')).toMatchInlineSnapshot(`
      "
      my.yaml:1:10 error: \`extends: quickstrat\` names no preset and no file. Did you mean \`quickstart\`? Presets: dino_vits16, dinov2_vitb16, quickstart, simdino_vits16, simdinov2_vitb16, tiny, and those of the paper’s tables such as paper/table6/official; a path is relative to this file.
      1 | extends: quickstrat
        |          ^^^^^^^^^^
      "
    `);
  });

  test('a circle', () => {
    expect(said('extends: a.yaml\n', { 'a.yaml': 'extends: b.yaml\n', 'b.yaml': 'extends: a.yaml\n' }))
      .toMatchInlineSnapshot(`
        "
        my.yaml:1:10 error: Configurations extend each other in a circle: my.yaml -> a.yaml -> b.yaml -> a.yaml. Remove one \`extends:\`.
        1 | extends: a.yaml
          |          ^^^^^^
        "
      `);
    expect(said('extends: my.yaml\n', { 'my.yaml': 'extends: my.yaml\n' })).toMatchInlineSnapshot(`
      "
      my.yaml:1:10 error: Configurations extend each other in a circle: my.yaml -> my.yaml. Remove one \`extends:\`.
      1 | extends: my.yaml
        |          ^^^^^^^
      "
    `);
  });

  test('a faulty file is reported once, at the key that names it', () => {
    const text = 'extends: base.yaml\nseed: 1\n';
    expect(said(text, { 'base.yaml': `${valid}loss: { epss: 1, gamma: x }\n` })).toMatchInlineSnapshot(`
      "
      my.yaml:1:10 error: base.yaml, line 2: \`loss.epss\` is not a key of a configuration. Did you mean \`eps\`? Keys of loss: preset, eps, gamma, gammaFactor, pairs, own, regulariser, alternative, codingRate. (and 1 more) Correct that file.
      1 | extends: base.yaml
        |          ^^^^^^^^^
      "
    `);
  });

  test('a base may leave open what its extender adds', () => {
    expect(read('extends: base.yaml\ndata: { kind: synthetic }\n', { 'base.yaml': 'seed: 4\n' }).config?.seed).toBe(4);
  });

  test('a relation that an inherited value breaks is marked where this file takes part', () => {
    const [diagnostic] = read('extends: small.yaml\nmodel: { patchSizePx: 5 }\n', { 'small.yaml': small }).diagnostics;
    expect(diagnostic).toMatchObject({ path: 'model.patchSizePx', line: 2 });
  });
});

describe('quick fixes', () => {
  const fixed = (text: string, files: Record<string, string> = {}): Record<string, string> => {
    const fixes = read(text, files).diagnostics.flatMap((diagnostic) => quickFixes(text, diagnostic));
    return Object.fromEntries(fixes.map((fix) => [fix.title, applyEdits(text, fix.edits)]));
  };

  test('a mistyped key', () => {
    expect(fixed(`${valid}loss:\n  # wide\n  epss: 0.3 # tuned\n`)).toEqual({
      'Change to `eps`': `${valid}loss:\n  # wide\n  eps: 0.3 # tuned\n`,
      'Remove `loss.epss`': `${valid}loss:\n  # wide\n`,
    });
  });

  test('a key in the wrong section', () => {
    expect(fixed(`${valid}train:\n  epochs: 20\n  warmupEpochs: 3 # short\n`)).toMatchObject({
      'Move to `optim.warmupEpochs`': `${valid}train:\n  epochs: 20\noptim:\n  warmupEpochs: 3 # short\n`,
    });
  });

  test('a key that two sections have', () => {
    const text = `${valid}scale: [0.2, 0.5]\n`;
    expect(Object.keys(fixed(text))).toEqual([
      'Move to `crops.global.scale`',
      'Move to `crops.local.scale`',
      'Remove `scale`',
    ]);
    expect(read(text).diagnostics[0]?.remedy).toMatch(/^Did you mean `crops.global.scale` or `crops.local.scale`\?/);
  });

  test('a number out of range, a fraction of a count, a quoted number', () => {
    expect(
      fixed(`${valid}train:\n  batchSize: 2.6 # small\noptim: { beta1: 1, weightDecay: -0.1 }\nseed: "7"\n`),
    ).toEqual({
      'Set `train.batchSize` to 3': expect.stringContaining('batchSize: 3 # small\n') as string,
      'Set `train.batchSize` to 512': expect.stringContaining('batchSize: 512 # small\n') as string,
      // Below 1 there is no nearest number.
      'Set `optim.beta1` to 0.9': expect.stringContaining('beta1: 0.9,') as string,
      'Set `optim.weightDecay` to 0': expect.stringContaining('weightDecay: 0 }') as string,
      'Set `optim.weightDecay` to 0.04': expect.stringContaining('weightDecay: 0.04 }') as string,
      'Set `seed` to 7': expect.stringContaining('seed: 7\n') as string,
      'Set `seed` to 0': expect.stringContaining('seed: 0\n') as string,
    });
  });

  test('a colon without a space', () => {
    expect(fixed(`${valid}loss: { eps:0.3 }\n`)).toMatchObject({
      'Change to `eps: 0.3`': `${valid}loss: { eps: 0.3 }\n`,
    });
    expect(read(`${valid}seed:3\n`).diagnostics[0]?.message).toBe('`seed:3` has no space behind its colon.');
  });

  test('a mistyped value', () => {
    expect(fixed(`${valid}loss: { pairs: crosview, gamma: balancd }\n`)).toEqual({
      'Set `loss.pairs` to crossView': `${valid}loss: { pairs: crossView, gamma: balancd }\n`,
      'Set `loss.gamma` to balanced': `${valid}loss: { pairs: crosview, gamma: balanced }\n`,
    });
  });

  test('a preset', () => {
    expect(fixed('extends: quickstrat # mine\n')).toMatchObject({
      'Set `extends` to quickstart': 'extends: quickstart # mine\n',
    });
  });

  test('epsilon given as its square', () => {
    expect(fixed(`${valid}loss:\n  eps: 0.05 # as published\n`)).toEqual({
      'Set `loss.eps` to 0.2236': `${valid}loss:\n  eps: 0.2236 # as published\n`,
    });
  });

  test('relations between keys', () => {
    expect(
      fixed(
        `${valid}crops:\n  global: { scale: [0.3, 0.8] }\n  local:\n    scale: [0.05, 0.9] # wide\ntrain: { batchSize: 600 }\neval: { knn: { k: 40, galleryImages: 30 } }\n`,
      ),
    ).toMatchObject({
      'Set `crops.local.scale` to [0.05, 0.3]': expect.stringContaining('scale: [0.05, 0.3] # wide\n') as string,
      'Set `train.batchSize` to 512': expect.stringContaining('batchSize: 512 }') as string,
      'Set `eval.knn.k` to 30': expect.stringContaining('k: 30,') as string,
    });
  });

  test('a local view larger than a global one', () => {
    expect(fixed(`${valid}crops: { global: { sizePx: 96 }, local: { sizePx: 224 } }\n`)).toMatchObject({
      'Set `crops.local.sizePx` to 48': `${valid}crops: { global: { sizePx: 96 }, local: { sizePx: 48 } }\n`,
    });
  });

  test('a size that the patch does not divide', () => {
    expect(fixed(`${valid}crops:\n  global:\n    sizePx: 225\n`)).toEqual({
      'Set `crops.global.sizePx` to 224': `${valid}crops:\n  global:\n    sizePx: 224\n`,
    });
  });
});

test('while a text is being written, hints see everything that is whole', () => {
  const { config, tentative } = read('extends: quickstart\nloss:\n  eps: 0.4\n  gamm\ntrain:\n  batchSize: 64\n  epo');
  expect(config).toBeUndefined();
  expect(tentative?.train.batchSize ?? 64).toBe(64);
});

test('counting', () => {
  expect(countDiagnostics(read('extends: tiny\nloss: { eps: 0.05, epss: 1 }\n').diagnostics)).toBe(
    '1 error, 1 warning',
  );
  expect(countDiagnostics([])).toBe('no problems');
});
