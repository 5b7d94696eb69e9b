import { describe, expect, it } from 'vitest';
import { mergeAttempts } from '../../../experiments/store/mergeAttempts.ts';

const spans = (...attempts: Parameters<typeof mergeAttempts>[0]) =>
  mergeAttempts(attempts).map(({ index, throughStep }) => [index, throughStep]);
const from = (attempt: number, step: number) => ({ attempt, step });

describe('mergeAttempts', () => {
  it('takes a single attempt whole', () => {
    expect(spans({ index: 1, resumedFrom: null })).toEqual([[1, Infinity]]);
  });

  it('cuts an attempt at the step that the next one resumed from', () => {
    expect(spans({ index: 1, resumedFrom: null }, { index: 2, resumedFrom: from(1, 50) })).toEqual([
      [1, 50],
      [2, Infinity],
    ]);
  });

  it('leaves out an attempt that died before its first checkpoint', () => {
    const attempts = [
      { index: 1, resumedFrom: null },
      { index: 2, resumedFrom: from(1, 100) },
      { index: 3, resumedFrom: from(1, 100) },
    ];
    expect(spans(...attempts)).toEqual([
      [1, 100],
      [3, Infinity],
    ]);
  });

  it('returns to an older branch when a later attempt resumed from a later checkpoint of it', () => {
    const attempts = [
      { index: 1, resumedFrom: null },
      { index: 2, resumedFrom: from(1, 100) },
      { index: 3, resumedFrom: from(1, 200) },
    ];
    expect(spans(...attempts)).toEqual([
      [1, 200],
      [3, Infinity],
    ]);
  });

  it('never lets an earlier attempt reach past any later cut', () => {
    const attempts = [
      { index: 1, resumedFrom: null },
      { index: 2, resumedFrom: from(1, 80) },
      { index: 3, resumedFrom: from(2, 40) },
    ];
    expect(spans(...attempts)).toEqual([
      [1, 40],
      [2, 40],
      [3, Infinity],
    ]);
  });

  it('drops what came before an attempt that started afresh', () => {
    expect(spans({ index: 1, resumedFrom: null }, { index: 2, resumedFrom: null })).toEqual([[2, Infinity]]);
  });

  it('takes an attempt without a record to continue the one before', () => {
    expect(spans({ index: 1, resumedFrom: null }, { index: 2, resumedFrom: undefined })).toEqual([
      [1, Infinity],
      [2, Infinity],
    ]);
  });

  it('is not led in circles by an attempt that claims to resume from itself or from a later one', () => {
    expect(spans({ index: 1, resumedFrom: from(2, 5) }, { index: 2, resumedFrom: from(2, 9) })).toEqual([
      [1, 9],
      [2, Infinity],
    ]);
    expect(spans()).toEqual([]);
  });
});
