import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { MetricLineReader } from '../../../experiments/store/metricLineReader.ts';
import { RunFeed } from '../../../experiments/store/runFeed.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { aRecord, temporaryFolder, writeRun } from './runFolders.ts';

/** What a reader that has seen the names `step` and `loss` makes of a line: undefined where it leaves the line. */
function taken(line: string): { step: number; loss: number } | undefined {
  let row: { step: number; loss: number } | undefined;
  const reader = new MetricLineReader(({ step, values }) => (row = { step, loss: values[1] as number }));
  reader.learn(['step', 'loss']);
  const bytes = Buffer.from(`before\n${line}\nafter`);
  const end = reader.take(bytes, 'before\n'.length);
  expect(end).toBe(row ? bytes.indexOf('\nafter') : -1);
  return row;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('a line of known names', () => {
  const written = fc
    .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(3), fc.integer({ min: 1, max: 20 }))
    .map(([value, form, digits]) =>
      [
        () => JSON.stringify(value),
        () => value.toFixed(digits),
        () => value.toExponential(digits),
        () => value.toPrecision(digits),
      ][form]!(),
    );

  it('has the doubles that JSON.parse gives, to the last bit, however they are written', () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(taken(`{"step":7,"loss":${text}}`)).toEqual({ step: 7, loss: JSON.parse(text) as number });
      }),
      { numRuns: 2000 },
    );
    const hard = [
      '-0',
      '0',
      '9007199254740991',
      '9007199254740993',
      '0.24100744724273682',
      '1e22',
      '1e23',
      '8.5e-324',
      '1e999',
    ];
    for (const text of [...hard, `0.${'0'.repeat(22)}1`, `1${'0'.repeat(400)}`])
      expect(taken(`{"step":7,"loss":${text}}`)!.loss, text).toBe(JSON.parse(text));
  });

  it('is taken where its value is a number of JSON, and otherwise left', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('0123456789.eE+- ')), maxLength: 8 });
    fc.assert(
      fc.property(text, (value) => {
        const number = value === value.trim() ? parsed(value) : undefined;
        expect(taken(`{"step":7,"loss":${value}}`)).toEqual(
          number === undefined ? undefined : { step: 7, loss: number },
        );
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    '{"step":7,"loss":NaN}',
    '{"step":7,"loss":"NaN"}',
    '{"step":7,"loss":null}',
    '{"step":7,"loss":1,"loss":2}',
    '{"loss":1,"step":7}',
    '{"step":7}',
    '{"step":1e999,"loss":1}',
    '{"step":7, "loss":1}',
    '{"step":7,"loss":1}\r',
    '{"step":7,"loss":1} {"step":8,"loss":1}',
    '{"step":7,"loss":1',
    '',
  ])('%j is left', (line) => expect(taken(line)).toBeUndefined());
});

test('a run whose lines change their form is shown as if each were parsed by itself', async () => {
  const work = await temporaryFolder();
  const line = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.integer(), fc.double()).map(([a, b]) => `"loss":${a},"lr":${JSON.stringify(b)}`),
    },
    fc.constantFrom(
      '"loss":NaN,"lr":1',
      '"lr":2',
      '"lr":1,"loss":2',
      '"knn\\u0054op1":3',
      '"loss":"text","lr":4',
      '"loss":-Infinity',
    ),
  );
  try {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 40 }), async (lines) => {
        const ofStep = (values: string, step: number): string => `{"step":${step},${values}}\n`;
        const id = `run-${count++}`;
        const folder = await writeRun(work, id, [{ metrics: lines.map(ofStep).join('') }], aRecord(id));
        const { series } = await new RunFeed(folder, id, new LivenessWatch()).read(0);
        const shown = Object.fromEntries(series.map(({ metric, step, value }) => [metric, [[...step], [...value]]]));
        const expected: Record<string, [number[], number[]]> = {};
        lines.forEach((values, step) => {
          const words = `{${values}}`.replace(/NaN|-Infinity/, '"$&"');
          for (const [metric, value] of Object.entries(JSON.parse(words) as Record<string, number | string>)) {
            if (value === 'text' || value === null) continue;
            const points = (expected[metric] ??= [[], []]);
            points[0].push(step);
            points[1].push(Number(value));
          }
        });
        expect(shown).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});

test('metrics of the same lines share their x columns, and only those', async () => {
  const work = await temporaryFolder();
  const metrics =
    '{"step":1,"loss":1,"lr":1}\n{"step":2,"knnTop1":1}\n{"step":3,"loss":2,"lr":2}\n{"step":4,"loss":2,"gamma":2}\n';
  try {
    const folder = await writeRun(work, 'run', [{ metrics }], aRecord('run'));
    const { series } = await new RunFeed(folder, 'run', new LivenessWatch()).read(0);
    const stepsOf = (name: string) => [...series.find(({ metric }) => metric === name)!.step];
    expect(['loss', 'lr', 'knnTop1', 'gamma'].map(stepsOf)).toEqual([[1, 3, 4], [1, 3], [2], [4]]);
    const same = '{"step":1,"loss":1,"lr":1}\n{"step":2,"knnTop1":1}\n{"step":3,"loss":2,"lr":2}\n';
    const other = await writeRun(work, 'other', [{ metrics: same }], aRecord('other'));
    const [loss, lr] = (await new RunFeed(other, 'other', new LivenessWatch()).read(0)).series;
    expect(lr!.step).toBe(loss!.step);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});
