import { describe, expect, it, test } from 'vitest';
import { runsTable } from '../../../experiments/comparisonTable.ts';
import { paperMetrics, paperRows, paperTableFor, paperTables, withReferences } from '../../../experiments/paper.ts';
import { plain } from '../../../experiments/tables.ts';
import type { JsonScalar } from '../../../protocol/records.ts';
import { run } from './fixtureRuns.ts';
import { recordOf, sweepFiles } from './sweepRecords.ts';

const rowOf = (table: string, method: string, model: string) =>
  paperRows.find((row) => row.table === table && row.method === method && row.model === model)!;

describe('what the paper reports', () => {
  it('has the main results as shares, collapses as null', () => {
    expect(rowOf('Table 1', 'SimDINO', 'ViT-B').metrics['knnTop1']).toBeCloseTo(0.749, 12);
    expect(paperRows.find((r) => r.setting.includes('Barlow'))!.metrics).toEqual({ knnTop1: null, linearTop1: null });
    const momentum = paperRows.find((r) => r.table === 'Table 6' && r.setting.startsWith('momentum 0.9,'))!;
    expect(momentum.metrics).toEqual({ knnTop1: null });
  });

  it('has every table with results; Table 4 is hyperparameters', () => {
    expect(paperTables).toEqual([1, 2, 3, 5, 6, 7, 8, 9].map((number) => `Table ${number}`));
  });

  it('has objects found without labels, and dense tasks, on their own data', () => {
    const found = rowOf('Table 2', 'SimDINO', 'ViT-L/16');
    expect(found.dataset).toBe('COCO val2017');
    expect(found.metrics['boxAP50']).toBeCloseTo(0.054, 12);
    expect(found.metrics['maskAP']).toBeCloseTo(0.019, 12);
    const dense = rowOf('Table 3', 'SimDINOv2', 'ViT-B/16');
    expect(dense.metrics['segmentationIou']).toBeCloseTo(0.369, 12);
    expect(dense.metrics['videoJF']).toBeCloseTo(0.609, 12);
    expect(paperMetrics('Table 3')).toEqual(['segmentationIou', 'segmentationAccuracy', 'videoJF', 'videoJ', 'videoF']);
  });
});

describe('rows of the paper beside one\u2019s own', () => {
  const runs = [run({ id: 'a', last: { knnTop1: 0.7 }, best: {} })];

  it('keep what the paper reports beyond one\u2019s own columns', () => {
    const table = withReferences(runsTable(runs, { metrics: ['knnTop1'], choose: 'last' }), ['knnTop1'], 'Table 1');
    expect(table.columns.map(({ label }) => label)).toEqual(['Run', 'k-NN top-1 (%)', 'Linear top-1 (%)']);
    expect(table.rows.slice(0, 3).map((row) => row.map(plain))).toEqual([
      ['a', '70.0', '\u2013'],
      ['Table 1: DINO (ViT-B, 100 epochs, ImageNet-1k)', '72.9', '76.3'],
      ['Table 1: SimDINO (ViT-B, 100 epochs, ImageNet-1k)', '74.9', '77.3'],
    ]);
  });

  it('stand in the column of the split that one has', () => {
    const metrics = ['testKnnTop1', 'validationLinearTop1'];
    const table = withReferences(runsTable(runs, { metrics, choose: 'last' }), metrics, 'Table 1');
    expect(table.columns).toHaveLength(3);
    expect(table.rows[2]!.slice(1).map(plain)).toEqual(['74.9', '77.3']);
  });
});

describe('the table that a sweep reproduces', () => {
  const known: Record<string, string | null> = {
    'desk_dino_rates.yaml': null,
    'desk_dino_vs_simdino.yaml': 'Table 1',
    'desk_table5.yaml': 'Table 5',
    'desk_table6.yaml': 'Table 6',
    'desk_table7.yaml': 'Table 7',
    'desk_table9.yaml': 'Table 9',
  };
  test.each(sweepFiles.filter((file) => file.startsWith('desk_')))('%s', (file) => {
    expect(known).toHaveProperty([file]);
    expect(paperTableFor(recordOf(file))).toBe(known[file]);
  });

  const sweep = (cells: Record<string, JsonScalar>[], metric = 'knnTop1') => ({
    metric,
    cells: cells.map((cell, i) => ({ runId: `r${i}`, seed: 0, cell })),
  });

  it('is told by what varies within a method', () => {
    expect(paperTableFor(sweep([{ 'train.batchSize': 64 }, { 'train.batchSize': 128 }]))).toBe('Table 7');
    const both = [1, 2].flatMap((epochs) => ['dino', 'simdino'].map((method) => ({ method, 'train.epochs': epochs })));
    expect(paperTableFor(sweep(both))).toBe('Table 8');
    expect(paperTableFor(sweep([{ 'loss.eps': 0.1 }, { 'loss.eps': 0.2 }]))).toBeNull();
  });

  it('is not that of DINO\u2019s perturbations where only SimDINO is perturbed', () => {
    const momenta = (method: string) => [0.9, 0.996].map((momentum) => ({ method, 'teacher.momentum': momentum }));
    expect(paperTableFor(sweep(momenta('dino')))).toBe('Table 6');
    expect(paperTableFor(sweep(momenta('simdino')))).toBeNull();
  });

  it('has the method of its runs where its cells leave that to the base', () => {
    const momenta = sweep([{ 'teacher.momentum': 0.9 }, { 'teacher.momentum': 0.996 }]);
    expect(paperTableFor(momenta)).toBe('Table 6');
    expect(paperTableFor(momenta, [{ id: 'r1', method: 'dino' }])).toBe('Table 6');
    expect(paperTableFor(momenta, [{ id: 'r1', method: 'simdino' }])).toBeNull();
    const against = sweep([{ 'loss.eps': 0.5 }, { method: 'dino' }]);
    expect(paperTableFor(against, [{ id: 'r0', method: 'simdino' }])).toBe('Table 1');
  });

  it('is told by the metric where that is one of frozen features', () => {
    expect(paperTableFor(sweep([{ method: 'dino' }, { method: 'simdino' }], 'maskAP'))).toBe('Table 2');
    expect(paperTableFor(sweep([{ method: 'dino' }, { method: 'simdino' }], 'videoJF'))).toBe('Table 3');
  });
});
