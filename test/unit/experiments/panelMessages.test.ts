import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFromPanel, checkPanelState, checkToPanel } from '../../../protocol/checkPanelMessage.ts';
import { run, series } from './fixtureRuns.ts';

const snapshot = () => ({
  type: 'curves/snapshot',
  runs: [run({ id: 'a' })],
  series: [series({ value: Float64Array.from([1, NaN]) })],
  missing: [],
});

describe('messages to a panel', () => {
  it('pass when whole', () => {
    expect(checkToPanel(snapshot()).ok).toBe(true);
    expect(checkToPanel({ type: 'panel/error', code: 'x', message: 'm', remedy: 'r' }).ok).toBe(true);
  });

  it('survive the structured clone that carries them', () => {
    expect(checkToPanel(structuredClone(snapshot())).ok).toBe(true);
  });

  it.each<[string, (message: ReturnType<typeof snapshot>) => unknown, string]>([
    [
      'an unknown state',
      (m) => ({ ...m, runs: [{ ...m.runs[0], state: 'flying' }] }),
      'message.runs[0].state: expected one of',
    ],
    ['a missing field', (m) => ({ ...m, missing: undefined }), 'message.missing: expected a list, got undefined'],
    [
      'a list in place of a column',
      (m) => ({ ...m, series: [{ ...m.series[0], value: [1, 2] }] }),
      'value: expected a Float64Array, got a list of 2',
    ],
    [
      'columns of two lengths',
      (m) => ({ ...m, series: [{ ...m.series[0], value: new Float64Array(3) }] }),
      'columns differ in length (2, 2, 2, 3)',
    ],
    [
      'an id that leaves the folder',
      (m) => ({ ...m, runs: [{ ...m.runs[0], id: '../x' }] }),
      'message.runs[0].id: expected a run id',
    ],
    [
      'an object in a configuration',
      (m) => ({ ...m, runs: [{ ...m.runs[0], config: { a: {} } }] }),
      'config.a: expected a number, text',
    ],
  ])('%s is refused by name', (_, spoil, reason) => {
    const checked = checkToPanel(spoil(snapshot()));
    expect(checked).toMatchObject({ ok: false });
    expect((checked as { reason: string }).reason).toContain(reason);
  });
});

describe('messages from a panel', () => {
  it.each([
    { type: 'ready', panel: 'grid' },
    { type: 'stopRun', runId: 'run-1' },
    { type: 'openRun', runId: 'r\u00fcn-\u4e00' },
    { type: 'editHyperparameter', runId: 'a', key: 'loss.eps' },
    { type: 'runCells', sweepId: 's', runIds: ['s-1', 's-2'] },
    { type: 'forkRun', runId: 'a', step: 0, changes: { 'loss.eps': 0.5 }, reason: 'collapse' },
    { type: 'export', format: 'csv', fileName: 'loss.csv', content: { kind: 'text', text: 'a' } },
    { type: 'export', format: 'png', fileName: 'loss.png', content: { kind: 'bytes', bytes: new Uint8Array(3) } },
  ])('$type passes', (message) => {
    expect(checkFromPanel(message)).toEqual({ ok: true, message });
  });

  it.each([
    { type: 'openRun', runId: '../../etc/passwd' },
    { type: 'openRun', runId: '..' },
    { type: 'openRun', runId: 'a/b' },
    { type: 'openRun', runId: '<img onerror=x>' },
    { type: 'openRun' },
    { type: 'export', format: 'csv', fileName: '../x.csv', content: { kind: 'text', text: 'a' } },
    { type: 'export', format: 'csv', fileName: '..', content: { kind: 'text', text: 'a' } },
    { type: 'export', format: 'exe', fileName: 'x', content: { kind: 'text', text: 'a' } },
    { type: 'export', format: 'csv', fileName: 'x', content: { kind: 'bytes', text: 'a' } },
    { type: 'toString' },
    { type: '__proto__' },
    { type: 'gridAction', sweepId: 's', action: 'delete' },
    { type: 'runCells', sweepId: 's', runIds: ['../s-1'] },
  ])('%j is refused', (message) => {
    expect(checkFromPanel(message).ok).toBe(false);
  });

  it('anything at all is answered, never thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withTypedArray: true }), (value) => {
        expect(checkFromPanel(value).ok).toBe(false);
        expect(checkToPanel(value).ok).toBe(false);
        expect(checkPanelState(value)).toBeUndefined();
      }),
    );
  });
});
