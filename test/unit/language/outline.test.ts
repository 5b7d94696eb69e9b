import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyse } from '../../../configs/language/analyse.ts';
import { outline, type OutlineItem } from '../../../configs/language/outline.ts';
import { loadFrom, yamlFiles } from '../configs/presetFiles.ts';

function outlined(text: string): OutlineItem[] {
  const analysis = analyse(text, { path: 'my.simdino.yaml', load: loadFrom({}) });
  if (!analysis) throw new Error('not a SimDINO file');
  return outline(analysis);
}

/** The outline as indented lines. */
function shown(items: readonly OutlineItem[], indent = ''): string {
  return items
    .map(({ name, detail, kind, children }) => {
      const value = kind === 'section' ? '' : ` = ${detail}`;
      return `${indent}${name}${value}\n${shown(children, `${indent}  `)}`;
    })
    .join('');
}

test('sections and keys with their values', () => {
  expect(
    `\n${shown(
      outlined(
        'extends: tiny # small\nloss:\n  gamma: auto\n  codingRate: { groups: 8 } # GPUs\ncrops:\n  local: { scale: [0.1, 0.3] }\neval:\n',
      ),
    )}`,
  ).toMatchInlineSnapshot(`
    "
    extends = tiny
    loss
      gamma = auto
      codingRate
        groups = 8
    crops
      local
        scale = [0.1, 0.3]
    eval
    "
  `);
});

test('places end where the values end', () => {
  const text = 'loss:\n  eps: 0.3   # tuned\n\n# the end\nseed: 3\n';
  const [loss] = outlined(text);
  expect(text.slice(loss!.start, loss!.end)).toBe('loss:\n  eps: 0.3');
  expect(text.slice(loss!.start, loss!.nameEnd)).toBe('loss');
});

test('half-typed texts keep what is whole; places nest', () => {
  expect(shown(outlined('loss:\n  eps: 0.3\n  gam\ntrain:\n  ep'))).toContain('eps = 0.3');
  const nested = (items: readonly OutlineItem[], start: number, end: number): boolean =>
    items.every(
      (item) =>
        start <= item.start &&
        item.start < item.nameEnd &&
        item.nameEnd <= item.end &&
        item.end <= end &&
        nested(item.children, item.start, item.end),
    );
  fc.assert(
    fc.property(fc.constantFrom(...yamlFiles()), fc.nat(), fc.string({ maxLength: 5 }), (file, at, insert) => {
      const place = at % (file.text.length + 1);
      const text = file.text.slice(0, place) + insert + file.text.slice(place + 3);
      expect(nested(outlined(text), 0, text.length)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
