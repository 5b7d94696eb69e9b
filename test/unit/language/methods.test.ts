import { expect, test } from 'vitest';
import { presets } from '../../../configs/presets.ts';
import { analyse } from '../../../configs/language/analyse.ts';
import { hints, type Hint } from '../../../configs/language/hints.ts';
import { loadFrom } from '../configs/presetFiles.ts';

const keys = `loss:
  gamma: auto
  eps: 0.2236
teacher: { momentum: 0.99 }
optim: { lr: 0.001 }
train: { epochs: 10, batchSize: 512 }
`;

function hintsOf(text: string): Map<string, Hint> {
  const analysis = analyse(text, { path: 'my.simdino.yaml', load: loadFrom({}) });
  if (!analysis) throw new Error('not a SimDINO file');
  return new Map(hints(analysis, { trainImages: 1_281_167 }).map((hint) => [hint.path, hint]));
}

test.each(presets)('%s: every hint is a number that fits into the line', (preset) => {
  const found = hintsOf(`extends: ${preset}\n${keys}`);
  for (const path of ['loss', 'loss.eps', 'teacher.momentum', 'optim.lr', 'train.epochs']) {
    const hint = found.get(path);
    expect(hint?.text, path).toMatch(/\d/);
    expect(`${hint?.text} ${hint?.tooltip}`, path).not.toMatch(/NaN|undefined|Infinity/);
    expect(hint?.text.length, path).toBeLessThanOrEqual(43);
  }
});

test('DINO has no gamma to show, and its coding rate earns nothing', () => {
  const found = hintsOf(`extends: dino_vits16\n${keys}`);
  expect(found.has('loss.gamma')).toBe(false);
  expect(found.get('loss')?.tooltip).toContain('measured, not trained for');
});
