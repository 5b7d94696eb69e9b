/** Options that do not go together: one sentence each, at the key that is to blame. */
import { expect, test } from 'vitest';
import { formatDiagnostics, hasErrors } from '../../../configs/diagnostic.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { loadFromRepository } from './presetFiles.ts';

function errorsOf(lines: string): string {
  const text = `data: { kind: synthetic }\n${lines}`;
  const { diagnostics } = readConfig(text, { path: 'my.yaml', load: loadFromRepository, paperLint: false });
  expect(hasErrors(diagnostics)).toBe(true);
  return formatDiagnostics(diagnostics, text, 'my.yaml');
}

/** What is said of a valid configuration. */
function warningsOf(lines: string): string {
  const text = `data: { kind: synthetic }\n${lines}`;
  const { diagnostics } = readConfig(text, { path: 'my.yaml', load: loadFromRepository, paperLint: false });
  expect(hasErrors(diagnostics)).toBe(false);
  return formatDiagnostics(diagnostics, text, 'my.yaml');
}

test('prototypes beside SimDINO', () => {
  expect(errorsOf('method: simdino\ndino: { prototypes: 4096 }\n')).toMatchInlineSnapshot(`
    "my.yaml:3:7 error: \`dino\` holds the options of \`dino\` and \`dinov2\`, but the method is \`simdino\`. Remove the section, or set method: dino.
    3 | dino: { prototypes: 4096 }
      |       ^^^^^^^^^^^^^^^^^^^^"
  `);
});

test('masks beside DINO', () => {
  expect(errorsOf('method: dino\nmasking: { share: 0.3 }\n')).toMatchInlineSnapshot(`
    "my.yaml:3:10 error: \`masking\` holds the options of \`simdinov2\` and \`dinov2\`, but the method is \`dino\`. Remove the section, or set method: simdinov2.
    3 | masking: { share: 0.3 }
      |          ^^^^^^^^^^^^^^"
  `);
});

test('KoLeo beside SimDINOv2', () => {
  expect(errorsOf('method: simdinov2\ndinov2: { koleoWeight: 0.2 }\n')).toMatchInlineSnapshot(`
    "my.yaml:3:9 error: \`dinov2\` holds the options of \`dinov2\`, but the method is \`simdinov2\`. Remove the section, or set method: dinov2.
    3 | dinov2: { koleoWeight: 0.2 }
      |         ^^^^^^^^^^^^^^^^^^^^"
  `);
});

test('a batch that KoLeo can\u2019t be parted into, or that holds no neighbour', () => {
  const said = (groups: number, batchSize: number) =>
    errorsOf(`method: dinov2\ndinov2: { koleoGroups: ${groups} }\ntrain: { batchSize: ${batchSize} }\n`);
  expect(said(8, 20)).toContain('dinov2.koleoGroups 8 does not divide train.batchSize 20 into parts of two images');
  expect(said(8, 20)).toContain('Set it to 5.');
  expect(said(16, 16)).toContain('Set it to 8.');
  expect(said(1, 1)).toContain('Raise train.batchSize to 2 or more.');
});

test('another regulariser beside DINOv2', () => {
  expect(errorsOf('method: dinov2\nloss: { regulariser: infoNce }\n')).toMatchInlineSnapshot(`
    "my.yaml:3:22 error: loss.regulariser \`infoNce\` takes the place of SimDINO's coding rate; \`dinov2\` has none. Remove it, or set method: simdino.
    3 | loss: { regulariser: infoNce }
      |                      ^^^^^^^"
  `);
});

test.each([
  ['above 1', '[0.1, 1.5]'],
  ['below 0', '[-0.1, 0.5]'],
  ['the wrong way round', '[0.5, 0.1]'],
])('a mask ratio %s', (_, ratio) => {
  expect(errorsOf(`method: simdinov2\nmasking: { ratio: ${ratio} }\n`)).toMatchSnapshot();
});

test('a patch that does not divide the crops: one sentence for each crop', () => {
  expect(errorsOf('method: simdino\nmodel: { patchSizePx: 14 }\n')).toMatchInlineSnapshot(`
    "my.yaml:3:23 error: crops.local.sizePx 96 is not a multiple of model.patchSizePx 14. Set it to 98.
    3 | model: { patchSizePx: 14 }
      |                       ^^"
  `);
});

test('mixed precision where an engine does not have it', () => {
  expect(errorsOf('runtime: { precision: bfloat16 }\n')).toMatchInlineSnapshot(`
    "my.yaml:2:23 error: runtime.precision \`bfloat16\` is mixed precision, in which no engine trains. Set runtime.precision: float16, which has loss scaling and takes a GPU, or float32.
    2 | runtime: { precision: bfloat16 }
      |                       ^^^^^^^^"
  `);
  expect(errorsOf('runtime: { precision: float16, engine: onnx }\n')).toMatchInlineSnapshot(`
    "my.yaml:2:23 error: runtime.precision \`float16\` is mixed precision, in which the engine \`onnx\` does not train. Set runtime.engine: dawn, which takes a GPU with matrix units, or runtime.precision: float32.
    2 | runtime: { precision: float16, engine: onnx }
      |                       ^^^^^^^"
  `);
});

test('a mask that hides nothing', () => {
  expect(errorsOf('extends: tiny\nmethod: simdinov2\nmasking: { ratio: [0, 0.05] }\n')).toMatchInlineSnapshot(`
    "my.yaml:4:19 error: masking.ratio hides at most 0.05 of the 16 patches of a global view, which is not one. Raise its second number, or make patches smaller.
    4 | masking: { ratio: [0, 0.05] }
      |                   ^^^^^^^^^"
  `);
});

test('keys that another key leaves without effect', () => {
  expect(warningsOf('loss: { regulariser: infoNce, gamma: 0.5 }\n')).toMatchInlineSnapshot(`
    "my.yaml:2:31 warning: \`loss.gamma\` has no effect: loss.regulariser is \`infoNce\`, and the coding rate is only measured. Remove it, or change the other key.
    2 | loss: { regulariser: infoNce, gamma: 0.5 }
      |                               ^^^^^"
  `);
  expect(warningsOf('loss: { own: mine, regulariser: infoNce }\n')).toMatchInlineSnapshot(`
    "my.yaml:2:20 warning: \`loss.regulariser\` has no effect: loss.own names an objective of your own. Remove it, or change the other key.
    2 | loss: { own: mine, regulariser: infoNce }
      |                    ^^^^^^^^^^^"
  `);
});
