/**
 * Time per edit of a YAML file of 1,000 lines: from the changed text to diagnostics and hints, and to completions, against
 * yaml-language-server (what redhat.vscode-yaml runs) with our own JSON Schema on the same text. Edits alternate between
 * the two, and the median counts. The server does less: no relations, no presets, no derived numbers.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { analyse } from '../configs/language/analyse.ts';
import { completions } from '../configs/language/completion.ts';
import { hints } from '../configs/language/hints.ts';
import { textLoader } from '../configs/presets.ts';
import { startYamlServer } from './yamlPeer.ts';
import { median } from './median.ts';

const edits = 150;
const warmUps = 10;
const lines = 1000;

const read = (path: string): string => readFileSync(path, 'utf8');
const load = textLoader({
  presetsFolder: 'configs',
  besides: (_from, reference) => reference,
  readText: (path) => read(path),
});
/** Other processes only ever add time. */
const fastest = (values: number[]): number => rounded(Math.min(...values));
const rounded = (value: number): number => Number(value.toFixed(3));

/** A commented configuration: every value on a line of its own, explained above. */
function configOf(lineCount: number): string {
  const own = read('configs/simdino_vits16.yaml').split('\n');
  const why = '  # why this value is what it is, as configurations that people come back to have it';
  const isValue = (line: string): boolean => /^ +\w/.test(line);
  const perValue = Math.ceil((lineCount - own.length) / own.filter(isValue).length);
  return own.flatMap((line) => [...Array<string>(isValue(line) ? perValue : 0).fill(why), line]).join('\n');
}

/** A sweep of explicit cells, each of which is checked as the run that it becomes. */
function sweepOf(lineCount: number): string {
  const cells = Array.from(
    { length: (lineCount - 4) / 3 },
    (_, cell) => `  - loss.eps: ${(0.1 + cell / 1000).toFixed(3)}\n    loss.gammaFactor: 0.5\n    train.epochs: 3\n`,
  );
  return `base: tiny\nmetric: knnTop1\nseeds: [0]\ncells:\n${cells.join('')}`;
}

const cases = [
  { name: 'configuration', path: 'long.simdino.yaml', text: configOf(lines), key: 'eps: 0.2236', word: '\n  eps' },
  { name: 'sweep', path: 'sweep.simdino.yaml', text: sweepOf(lines), key: 'loss.eps: 0.150', word: 'loss.gammaF' },
];

const server = startYamlServer();
const results: Record<string, Record<'analyse' | 'complete' | 'fastestAnalyse', [number, number]> & { lines: number }> =
  {};
for (const { name, path, text, key, word } of cases) {
  const times: Record<'ours' | 'peer' | 'ourCompletion' | 'peerCompletion', number[]> = {
    ours: [],
    peer: [],
    ourCompletion: [],
    peerCompletion: [],
  };
  const timed = async (into: number[], work: () => unknown): Promise<void> => {
    const startedMs = performance.now();
    await work();
    into.push(performance.now() - startedMs);
  };
  for (let edit = -warmUps; edit < edits; edit++) {
    // Every edit changes a number, so that nothing is remembered from the last one.
    const changed = text.replace(key, key.replace(/\d$/, String((edit + warmUps) % 10)));
    const offset = changed.indexOf(word) + word.length;
    await timed(times.ours, () => {
      const analysis = analyse(changed, { path, load });
      if (!analysis || analysis.diagnostics.some(({ severity }) => severity === 'error'))
        throw new Error(`${name}: the text should be valid: ${JSON.stringify(analysis?.diagnostics[0])}`);
      return hints(analysis);
    });
    await timed(times.peer, () => server.validate(path, changed));
    await timed(times.ourCompletion, () => completions(changed, offset, path));
    await timed(times.peerCompletion, () => server.complete(path, changed, offset));
    if (edit < 0) for (const list of Object.values(times)) list.length = 0;
  }
  const offered = completions(text, text.indexOf(word) + word.length, path);
  if (offered.length === 0) throw new Error(`${name}: no completion at ${JSON.stringify(word)}`);
  results[name] = {
    lines: text.split('\n').length,
    analyse: [median(times.ours), median(times.peer)],
    complete: [median(times.ourCompletion), median(times.peerCompletion)],
    fastestAnalyse: [fastest(times.ours), fastest(times.peer)],
  };
  const {
    analyse: [ours, peer],
    complete: [ourCompletion, peerCompletion],
  } = results[name];
  console.log(
    `${name} of ${results[name].lines} lines: diagnostics and hints ${ours.toFixed(1)} ms (fastest ${fastest(times.ours)}), ` +
      `server's diagnostics ${peer.toFixed(1)} ms (fastest ${fastest(times.peer)}); ` +
      `completion ${ourCompletion.toFixed(1)} ms against ${peerCompletion.toFixed(1)} ms`,
  );
}

const { configuration } = results;
console.log(
  JSON.stringify({
    name: 'yaml',
    ratio: rounded(configuration!.analyse[1] / configuration!.analyse[0]),
    ours: rounded(configuration!.analyse[0]),
    peer: rounded(configuration!.analyse[1]),
    unit: 'ms per edit',
    fastest: configuration!.fastestAnalyse,
    load: loadavg()[0],
    hardware: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
    peerVersion: server.version,
    cases: results,
  }),
);
