import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PanelData } from '../../../extension/panels/panelData.ts';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { checkToPanel } from '../../../protocol/checkPanelMessage.ts';
import { fromWire, toWire } from '../../../protocol/panelTransport.ts';
import { metricLines, temporaryFolder, writeRun } from '../store/runFolders.ts';

let runs: string;
let collection: RunCollection;
beforeEach(async () => {
  runs = await temporaryFolder();
  collection = new RunCollection(runs);
});
afterEach(() => rm(runs, { recursive: true, force: true }));
const look = () => collection.look({ monotonicMs: Date.now(), nowMs: Date.now() });

describe('PanelData', () => {
  it('gives a snapshot and then only what is new', async () => {
    const folder = await writeRun(runs, 'live', [{ process: currentProcess(), metrics: metricLines(1, 3) }]);
    await writeRun(runs, 'done', [{ events: [{ type: 'finished', time: 1, step: 3 }], metrics: metricLines(1, 3) }]);
    await look();
    const data = new PanelData(collection);
    const ids = ['live', 'gone', 'done', '../../etc'];
    const snapshot = await data.snapshot(ids);
    expect(snapshot.runs.map(({ id }) => id)).toEqual(['live', 'done']);
    expect(snapshot.series.map(({ runId, from, value }) => [runId, from, value.length])).toEqual([
      ['live', 0, 3],
      ['done', 0, 3],
    ]);
    expect(snapshot.missing).toEqual(['gone', '../../etc']);

    await data.news(['live', 'done']);
    expect(await data.news(['live', 'done'])).toBeUndefined();
    await appendFile(join(folder, 'attempts/001/metrics.jsonl'), metricLines(4, 4));
    expect(await data.news(['live', 'done'])).toMatchObject({
      runs: [{ id: 'live', step: 4 }],
      series: [{ runId: 'live', from: 3 }],
      removed: [],
    });
    expect((await data.snapshot(['live'])).series).toMatchObject([{ from: 0, step: Float64Array.of(1, 2, 3, 4) }]);
  });

  it('says once that a run is gone', async () => {
    const folder = await writeRun(runs, 'r', [{ process: currentProcess(), metrics: metricLines(1, 3) }]);
    await look();
    const data = new PanelData(collection);
    await data.snapshot(['r']);
    await rm(folder, { recursive: true });
    await look();
    expect(await data.news(['r'])).toMatchObject({ removed: ['r'] });
    expect(await data.news(['r'])).toBeUndefined();
  });
});

describe('the way to a panel', () => {
  it('keeps NaN and infinities, which JSON would lose', async () => {
    await writeRun(runs, 'r', [{ metrics: '{"step":1,"loss":"NaN","distance":-Infinity,"lr":1}\n' }]);
    await look();
    const snapshot = await new PanelData(collection).snapshot(['r']);
    const message = { type: 'curves/snapshot' as const, ...snapshot };
    const columns = message.series;
    // The editor sends columns apart from the JSON.
    const arrived = JSON.parse(JSON.stringify({ ...(toWire(message) as object), series: [] })) as object;
    const checked = checkToPanel(fromWire({ ...arrived, series: columns }));
    expect(checked).toMatchObject({
      ok: true,
      message: { runs: [{ last: { loss: NaN, distance: -Infinity, lr: 1 } }] },
    });
  });

  it('leaves anything else to the validation', () => {
    for (const value of [null, 5, 'x', [], { runs: 5 }, { grid: null }, { runs: [null, { last: 5 }] }]) {
      expect(fromWire(value)).toEqual(value);
      expect(checkToPanel(fromWire(value)).ok).toBe(false);
    }
  });
});
