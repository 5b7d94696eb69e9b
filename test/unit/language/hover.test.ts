import { describe, expect, test } from 'vitest';
import { analyse, type Analysis } from '../../../configs/language/analyse.ts';
import { hints } from '../../../configs/language/hints.ts';
import { hover } from '../../../configs/language/hover.ts';
import { loadFrom } from '../configs/presetFiles.ts';

function analysed(text: string, path = 'my.simdino.yaml'): Analysis {
  const analysis = analyse(text, { path, load: loadFrom({}) });
  if (!analysis) throw new Error('not a SimDINO file');
  return analysis;
}

/** The text with each hint in guillemets where it is shown. */
function hinted(text: string, trainImages?: number): string {
  const found = hints(analysed(text), { trainImages });
  // What is longer is cut by the editor.
  for (const hint of found) expect(hint.text.length, hint.text).toBeLessThanOrEqual(43);
  return found.reduceRight(
    (shown, hint) => `${shown.slice(0, hint.offset)} «${hint.text}»${shown.slice(hint.offset)}`,
    text,
  );
}

function hoverAt(marked: string): string | undefined {
  return hover(analysed(marked.replace('|', '')), marked.indexOf('|'))?.markdown;
}

describe('hints', () => {
  test('of the published recipe', () => {
    const text = `extends: simdino_vits16
crops:
  global: { sizePx: 224 }
  local: { sizePx: 96 }
model:
  architecture: vit_small
projector:
  outputDim: 256
loss:
  preset: reference
  eps: 0.2236 # tuned
  gamma: auto
  codingRate: { groups: 8 }
teacher:
  momentum: 0.996
optim:
  lr: 0.0005
  warmupEpochs: 10
train:
  epochs: 100
  batchSize: 512
`;
    expect(`\n${hinted(text, 1_281_167)}`).toMatchInlineSnapshot(`
      "
      extends: simdino_vits16
      crops: «764 tokens per image»
        global: { sizePx: 224 «197 tokens» }
        local: { sizePx: 96 «37 tokens» }
      model:
        architecture: vit_small «21.7 M parameters»
      projector: «5.51 M parameters»
        outputDim: 256
      loss: «R 3.23 (collapse) to 76.7, γR ≤ 0.45»
        preset: reference «γ 0.005859, crossView pairs, 8 groups»
        eps: 0.2236 «ε² = 0.05, in force ε = 0.6324» # tuned
        gamma: auto «= 0.005859»
        codingRate: { groups: 8 «64 images each» }
      teacher:
        momentum: 0.996 «half-life 173 steps»
      optim:
        lr: 0.0005 «peak 0.001»
        warmupEpochs: 10 «= 25,020 steps»
      train:
        epochs: 100 «= 250,200 steps, 128 M images»
        batchSize: 512 «2,502 steps per epoch»
      "
    `);
    // Without the number of images there is nothing to say about steps.
    expect(hinted(text)).not.toContain('steps per epoch');
  });

  test('gamma of Theorem C.1, and of a text whose other parts are faulty', () => {
    expect(
      hinted('data: { kind: synthetic }\nloss: { preset: paper, gamma: balanced, epss: 1, pairs: al }\n'),
    ).toContain('gamma: balanced «= 0.01141»');
  });

  test('none at a faulty value, none at a value that is written elsewhere', () => {
    expect(hinted('data: { kind: synthetic }\nloss: { eps: -1 }\n')).not.toContain('\u03b5');
    expect(
      hinted('data: { kind: synthetic }\nteacher: { momentum: &m 0.9 }\noptim: { lr: 0.001, beta1: *m }\n'),
    ).toContain('momentum: &m 0.9 «half-life 6.6 steps»');
  });

  test('numbers of keys that are left to what is extended, which other keys change', () => {
    const text = 'extends: simdino_vits16\ntrain: { batchSize: 1024 }\n';
    const [inherited] = hints(analysed(text), { trainImages: 1_281_167 });
    expect(inherited).toMatchObject({ path: 'extends', offset: text.indexOf('\n') });
    expect(inherited?.text).toMatchInlineSnapshot(`"γ 0.004883, peak lr 0.002, 125,100 steps"`);
    expect(inherited?.tooltip).toMatchInlineSnapshot(
      `"Of keys that are not written here: loss.gamma: γ 0.004883; loss.eps: ε² = 0.05, in force ε = 0.6325; loss: R 3.23 (collapse) to 115, γR ≤ 0.56; loss.codingRate.groups: 128 images each; crops.global.sizePx: 197 tokens; crops.local.sizePx: 37 tokens; crops: 764 tokens per image; model.architecture: 21.7 M parameters; projector: 5.51 M parameters; optim.lr: peak lr 0.002; teacher.momentum: half-life 173 steps; train.epochs: 125,100 steps; optim.warmupEpochs: = 12,510 steps."`,
    );
    // What is written has its own hint.
    expect(hinted(`${text}optim: { lr: 0.001 }\n`, 1_281_167)).not.toContain('peak lr');
  });

  test('a sweep', () => {
    expect(
      hinted('base: tiny\naxes: # grid\n  loss.eps: [0.2, 0.3]\n  loss.gammaFactor: [1, 2, 3]\nseeds: [0, 1]\n'),
    ).toContain('axes: «6 cells x 2 seeds = 12 runs»');
  });
});

describe('hover', () => {
  test('on a key: meaning, range, default, equation, paper, authors, and what follows here', () => {
    expect(hoverAt('extends: tiny\nloss:\n  e|ps: 0.3\n')).toMatchInlineSnapshot(`
      "**\`loss.eps\`** - a number above 0 and at most 100

      The paper’s epsilon: the quantisation error of the coding rate. The authors’ code names epsilon squared \`eps\`: its 0.05 is 0.2236 here.

      \`\`\`text
      R_eps(Gamma) = 1/2 logdet(I + d/eps^2 Gamma)  (7)
      \`\`\`

      Default \`0.223607\`.  
      **Paper:** not given (eq. (7))  
      **Authors' code:** 0.2236 (its \`eps\` 0.05 is epsilon squared)

      **Here:** ε² = 0.09. ε = 0.3; the authors' code calls ε² = 0.09 \`eps\`."
    `);
  });

  test('on a key whose default is not the paper\u2019s, and on one that a preset decides', () => {
    expect(hoverAt('optim: { clip|GradNorm: 1 }\n')).toContain(
      '**Differs:** our default `3` is the authors\u2019 code\u2019s, not the paper\u2019s `0.3` for SimDINO.',
    );
    expect(hoverAt('loss: { pa|irs: all }\n')).toContain(
      '**By `loss.preset`:** reference `"crossView"`, paper `"all"`.',
    );
    expect(hoverAt('teacher: { moment|um: 0.9 }\n')).not.toContain('Differs');
    expect(hoverAt('crops: { global: { bl|ur: [0.5] } }\n')).not.toContain('Differs');
  });

  test('the paper\u2019s value is that of the file\u2019s method', () => {
    const paper = (text: string): string | undefined => /\*\*Paper:.*|\*\*Differs:.*/s.exec(hoverAt(text) ?? '')?.[0];
    expect(paper('extends: dino_vits16\nteacher: { moment|um: 0.99 }\n')).toContain(
      '**Paper:** 0.996 for DINO (Table 4; Table 6 varies it); SimDINOv2: 0.9; DINOv2: 0.992',
    );
    expect(paper('method: simdinov2\noptim: { clip|GradNorm: 1 }\n')).toContain('**Paper:** 3 for SimDINOv2');
    expect(paper('method: simdinov2\noptim: { clip|GradNorm: 1 }\n')).not.toContain('Differs');
    expect(paper('method: simdinov2\nteacher: { moment|um: 0.9 }\n')).toContain(
      '**Differs:** our default `0.996` is not the paper\u2019s `0.9` for SimDINOv2.',
    );
    // Half-typed, the method is still what is written.
    expect(paper('method: dinov2\ntrain: { batch|Size: 16, epo\n')).toContain('**Paper:** 1024 (128 x 8) for DINOv2');
    // The schema's own words, and a sweep over methods, know none.
    expect(paper('base: tiny\naxes: { method: [simdino, dino], teacher.moment|um: [0.9] }\n')).toContain(
      '**Paper:** SimDINO, DINO: 0.996; SimDINOv2: 0.9; DINOv2: 0.992 (Table 4',
    );
  });

  test('on a key that own runs have tried', () => {
    const text = 'extends: tiny\nloss:\n  eps: 0.3\n';
    const past = (key: string) => `runs of ${key}`;
    expect(hover(analysed(text), text.indexOf('eps'), { past })?.markdown).toContain('runs of loss.eps');
    expect(hover(analysed(text), text.indexOf('loss'), { past })?.markdown).not.toContain('runs of');
  });

  test('beside a server that shows the schema, only what it does not know', () => {
    const text = 'extends: simdino_vits16\nteacher: { momentum: 0.9, update: ema }\n';
    const derived = (word: string) => hover(analysed(text), text.indexOf(word), { part: 'derived' })?.markdown;
    expect(derived('momentum')).toMatch(
      /^\*\*Paper:\*\* 0\.996 for SimDINO\.\n\n`simdino_vits16` has `0\.996`\.\n\n\*\*Here:\*\* half-life/,
    );
    expect(derived('update')).toBeUndefined();
  });

  test('on a key that the preset sets too', () => {
    expect(hoverAt('extends: simdino_vits16\nteacher: { moment|um: 0.9 }\n')).toContain(
      '`simdino_vits16` has `0.996`.',
    );
  });

  test('on a value, in a flow map, on a section', () => {
    expect(hoverAt('loss: { gamma: ba|lanced }\n')).toContain('Theorem C.1');
    expect(hoverAt('cro|ps: {}\n')).toContain('Multi-crop');
    expect(hoverAt('crops: { local: { scale: [0.05, 0.|4] } }\n')).toContain('local crop covers');
  });

  test('on an axis of a sweep', () => {
    expect(hoverAt('base: tiny\naxes: { loss.e|ps: [0.3] }\n')).toContain('quantisation error');
    expect(hoverAt('base: tiny\naxes: { loss.eps: [0.3] }\nsee|ds: [1]\n')).toContain('Every cell runs once');
  });

  test('nothing elsewhere', () => {
    expect(hoverAt('loss: # wh|y\n  eps: 1\n')).toBeUndefined();
    expect(hoverAt('nonsense: 1|\n')).toBeUndefined();
  });
});
