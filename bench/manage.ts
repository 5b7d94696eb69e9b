/**
 * What it costs to look at many runs: listing a thousand of them, opening one of a million points, comparing twenty metrics of
 * fifty, a new line's way to the panel, and looking on while nothing happens.
 *
 *   npm run bench -- manage [--runs 1000] [--points 1000000]
 *
 * The peer is what a person would write first: reading every file whole with JSON.parse on each line. TensorBoard is in neither
 * npm nor Debian; viewers in npm that read a folder of runs without a server and a database of their own could not be found.
 */
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { currentProcess } from '../experiments/store/processIdentity.ts';
import { LivenessWatch } from '../experiments/store/liveness.ts';
import { listRuns } from '../experiments/store/listRuns.ts';
import { RunCollection } from '../experiments/store/runCollection.ts';
import { RunFeed } from '../experiments/store/runFeed.ts';
import { PanelData } from '../extension/panels/panelData.ts';
import { aRecord, writeRun } from '../test/unit/store/runFolders.ts';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '1000' }, points: { type: 'string', default: '1000000' } },
  allowPositionals: true,
});
const runCount = Number(options.runs);
const points = Number(options.points);
const work = await mkdtemp(join(tmpdir(), 'simdino-bench-'));
const finished = { events: [{ type: 'finished', time: 2, step: 100 }] };
const metricNames = Array.from({ length: 20 }, (_, i) => ['loss', 'distance', 'codingRate'][i] ?? `metric${i}`);

function lines(count: number, names: readonly string[]): string {
  const parts: string[] = [];
  for (let step = 1; step <= count; step++) {
    const values = names.map((name, k) => `"${name}":${(Math.sin(step * (k + 1)) + 2).toFixed(6)}`);
    parts.push(`{"step":${step},"epoch":${step / 100},"time":${1e12 + step * 50},${values.join(',')}}`);
  }
  return `${parts.join('\n')}\n`;
}

async function median(rounds: number, run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return Math.round(times.sort((a, b) => a - b)[times.length >> 1] as number);
}

try {
  // --- listing
  const many = join(work, 'many');
  const text = lines(400, metricNames.slice(0, 12));
  for (let i = 0; i < runCount; i++)
    await writeRun(many, `run-${i}`, [{ ...finished, metrics: text }], aRecord(`run-${i}`));
  const listMs = await median(3, () => listRuns(many));
  const peerListMs = await median(3, async () => {
    for (const id of await readdir(many)) {
      JSON.parse(await readFile(join(many, id, 'run.json'), 'utf8'));
      const whole = await readFile(join(many, id, 'attempts/001/metrics.jsonl'), 'utf8');
      for (const line of whole.split('\n')) if (line) JSON.parse(line);
    }
  });
  console.log(`list ${runCount} runs: ${listMs} ms; reading all of every file: ${peerListMs} ms`);

  // --- looking on while nothing happens: the extension looks every 5 s
  const idle = new RunCollection(many);
  let clockMs = 0;
  const look = (): Promise<unknown> => idle.look({ monotonicMs: (clockMs += 5000), nowMs: Date.now() });
  await look();
  const before = process.cpuUsage();
  const looks = 12;
  for (let i = 0; i < looks; i++) await look();
  const { user, system } = process.cpuUsage(before);
  const idleCpuShare = (user + system) / 1000 / (looks * 5000);
  console.log(`looking at ${runCount} idle runs: ${(100 * idleCpuShare).toFixed(2)} % of a core`);

  // --- a run of many points
  const long = await writeRun(join(work, 'long'), 'long', [finished], aRecord('long'));
  for (let done = 0; done < points; done += 50_000) {
    const chunk = lines(Math.min(50_000, points - done), ['loss']).replaceAll(
      /^\{"step":(\d+)/gm,
      (_, step: string) => `{"step":${Number(step) + done}`,
    );
    await appendFile(join(long, 'attempts/001/metrics.jsonl'), chunk);
  }
  const openMs = await median(3, () => new RunFeed(long, 'long', new LivenessWatch()).read(0));
  console.log(`open a run of ${points} points: ${openMs} ms`);

  // --- fifty runs of twenty metrics
  const compared = join(work, 'compared');
  const body = lines(1000, metricNames);
  const ids = Array.from({ length: 50 }, (_, i) => `c-${i}`);
  for (const id of ids) await writeRun(compared, id, [{ ...finished, metrics: body }], aRecord(id));
  const collection = new RunCollection(compared);
  await collection.look({ monotonicMs: 0, nowMs: Date.now() });
  const compareMs = await median(3, () => new PanelData(collection).snapshot(ids));
  console.log(`20 metrics of 50 runs, 1000 points each: ${compareMs} ms`);

  // --- a new line's way: the panel asks every 200 ms while a run trains
  const live = join(work, 'live');
  await mkdir(live);
  const folder = await writeRun(live, 'live', [{ process: currentProcess(), metrics: lines(10_000, metricNames) }]);
  const following = new RunCollection(live);
  await following.look({ monotonicMs: 0, nowMs: Date.now() });
  const data = new PanelData(following);
  await data.snapshot(['live']);
  const newsMs = await median(20, async () => {
    await appendFile(join(folder, 'attempts/001/metrics.jsonl'), '{"step":10001,"epoch":1,"time":1,"loss":1}\n');
    await data.news(['live']);
  });
  console.log(`a new line of a run of 10000: ${newsMs} ms to read, at most 200 ms after it was written`);

  // --- a metrics file of a gigabyte
  const big = await writeRun(join(work, 'big'), 'big', [finished], aRecord('big'));
  const block = lines(50_000, metricNames);
  for (let bytes = 0; bytes < 2 ** 30; bytes += block.length)
    await appendFile(join(big, 'attempts/001/metrics.jsonl'), block);
  const bigListMs = await median(3, () => listRuns(join(work, 'big')));
  console.log(`list a run whose metrics are 1 GiB: ${bigListMs} ms`);

  await writeFile(join(work, 'done'), '');
  console.log(
    JSON.stringify({
      name: 'manage',
      ratio: Math.round((100 * peerListMs) / Math.max(1, listMs)) / 100,
      ours: listMs,
      peer: peerListMs,
      unit: `ms to list ${runCount} runs, median of 3`,
      openMs,
      points,
      compareMs,
      newsMs,
      idleCpuShare: Math.round(idleCpuShare * 1e5) / 1e5,
      bigListMs,
      hardware: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`,
    }),
  );
} finally {
  await rm(work, { recursive: true, force: true });
}
