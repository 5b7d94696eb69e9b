import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { csvOf, parquetOf } from '../../../runtime/interchange/exportTable.ts';
import { metricRows } from '../../../runtime/interchange/metricRows.ts';
import { temporaryFolder } from '../data/temporaryFolder.ts';
import { exampleRun } from './exampleRun.ts';

test('a table of two runs, missing values and NaN apart', async () => {
  const folder = temporaryFolder();
  const runs = [await exampleRun(folder, 'a'), await exampleRun(folder, 'b')];
  const rows = await metricRows(runs);
  expect(csvOf(rows)).toMatchInlineSnapshot(`
    "run,step,epoch,time,loss,lr,knnTop1
    a,1,0.1,1700000000500,0.5,0.001,
    a,2,0.2,1700000001000,0.25,0.002,
    a,3,0.3,1700000001500,NaN,0.003,
    a,3,0.3,1700000001500,,,0.75
    a,4,0.4,1700000002000,-0.125,0.004,
    b,1,0.1,1700000000500,0.5,0.001,
    b,2,0.2,1700000001000,0.25,0.002,
    b,3,0.3,1700000001500,NaN,0.003,
    b,3,0.3,1700000001500,,,0.75
    b,4,0.4,1700000002000,-0.125,0.004,
    "
  `);
  const bytes = parquetOf(rows);
  const read = await parquetReadObjects({ file: bytes.slice().buffer });
  expect(read).toHaveLength(10);
  expect(read[2]).toEqual({
    run: 'a',
    step: 3n,
    epoch: 0.3,
    time: 1_700_000_001_500,
    loss: NaN,
    lr: 0.003,
    knnTop1: null,
  });
  expect(read[3]).toMatchObject({ loss: null, knnTop1: 0.75 });
});

test('a name with a comma or a quote stays one cell', async () => {
  const folder = temporaryFolder();
  const rows = await metricRows([await exampleRun(join(folder))]);
  rows.metrics[0] = 'a "loss", ours';
  expect(csvOf(rows).split('\n')[0]).toBe('run,step,epoch,time,"a ""loss"", ours",lr,knnTop1');
});
