/**
 * Our language features beside yaml-language-server, which redhat.vscode-yaml runs: with the schema that our manifest gives
 * it, the same file gets every remark once, and every word once.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { startYamlServer, type YamlServer } from '../../../bench/yamlPeer.ts';
import { analyse, type Analysis } from '../../../configs/language/analyse.ts';
import { ourDuties } from '../../../configs/language/duties.ts';
import { hover } from '../../../configs/language/hover.ts';
import { loadFromRepository, yamlFiles } from '../configs/presetFiles.ts';

const path = 'my.simdino.yaml';
const beside = ourDuties({ validate: true, completion: true, hover: true, hasSchema: true });
let server: YamlServer;
beforeAll(() => {
  server = startYamlServer();
});

function analysed(text: string): Analysis {
  const analysis = analyse(text, { path, load: loadFromRepository });
  if (!analysis) throw new Error('not a SimDINO file');
  return analysis;
}

interface Remark {
  start: number;
  end: number;
  message: string;
}

async function remarks(text: string): Promise<Record<'theirs' | 'ours' | 'oursAlone', Remark[]>> {
  const starts = text.split('\n').reduce<number[]>((all, line) => [...all, all.at(-1)! + line.length + 1], [0]);
  const offset = ({ line, character }: { line: number; character: number }): number => starts[line]! + character;
  const found = await server.validate(path, text);
  const { diagnostics } = analysed(text);
  return {
    theirs: found.map(({ range, message }) => ({ start: offset(range.start), end: offset(range.end), message })),
    ours: diagnostics.filter(({ code }) => beside.diagnostics(code)),
    oursAlone: diagnostics,
  };
}

const touch = (a: Remark, b: Remark): boolean => a.start <= b.end && b.start <= a.end;

describe.each([
  ['an unknown key', 'extends: tiny\nloss:\n  epss: 0.3\n', ['theirs']],
  ['a value of no choice', 'extends: tiny\nloss:\n  pairs: crosView\n', ['theirs']],
  ['a number out of range', 'extends: tiny\noptim:\n  beta1: 1.5\n', ['theirs']],
  ['a value of the wrong kind', 'extends: tiny\ntrain:\n  batchSize: many\n', ['theirs']],
  ['a syntax error', 'extends: tiny\nloss: { eps: 0.3\ntrain:\n  epochs: 2\n', ['theirs']],
  ['a relation', 'extends: tiny\ncrops:\n  local:\n    sizePx: 10\n', ['ours']],
  ['a remark that cites the paper', 'extends: tiny\nloss:\n  eps: 0.05\n', ['ours']],
  ['a preset that does not exist', 'extends: tinny\n', ['ours']],
  ['several at once', 'extends: tiny\nloss:\n  epss: 0.3\n  eps: 0.05\ntrain:\n  batchSize: 17\n', ['theirs', 'ours']],
])('%s', (_what, text, speakers) => {
  test(`is said once, by ${speakers.join(' and ')}`, async () => {
    const { theirs, ours, oursAlone } = await remarks(text);
    expect(theirs.length > 0, `the server says ${JSON.stringify(theirs)}`).toBe(speakers.includes('theirs'));
    expect(ours.length > 0, `we say ${JSON.stringify(ours)}`).toBe(speakers.includes('ours'));
    for (const remark of ours) expect(theirs.filter((other) => touch(other, remark))).toEqual([]);
    // Nothing that we would have said alone is lost.
    for (const remark of oursAlone)
      expect(
        [...theirs, ...ours].some((other) => touch(other, remark)),
        remark.message,
      ).toBe(true);
  });
});

test.each(yamlFiles())('$path is valid to the server too', async ({ text }) => {
  expect(await server.validate(path, text)).toEqual([]);
});

test('a hover has the schema\u2019s words from the server, and from us what follows from the values', async () => {
  const text = 'extends: simdino_vits16\nteacher:\n  momentum: 0.9\n';
  const offset = text.indexOf('momentum') + 1;
  const theirs = JSON.stringify((await server.hover(path, text, offset))?.contents);
  expect(theirs).toContain('moving average at the first step');
  const ours = hover(analysed(text), offset, { part: beside.hover })?.markdown;
  expect(ours).toContain('half-life');
  expect(ours).not.toContain('moving average');
});

test('keys and values are completed by the server, with the schema\u2019s words', async () => {
  const text = 'extends: tiny\nloss:\n  p\n';
  const { items } = await server.complete(path, text, text.length - 1);
  expect(items.map(({ label }) => label)).toContain('pairs');
  expect(beside.completion).toBe(false);
});

test('the server shows an outline of its own', () => {
  expect(server.symbols(path, 'extends: tiny\nloss:\n  eps: 0.3\n').map(({ name }) => name)).toEqual([
    'extends',
    'loss',
  ]);
  expect(beside.outline).toBe(false);
});
