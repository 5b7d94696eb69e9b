import type { RunSummary, Series } from '../../../protocol/panelMessages.ts';

/** A finished run; the test says what matters to it. */
export function run(overrides: Partial<RunSummary> & { id: string }): RunSummary {
  return {
    name: overrides.id,
    state: 'finished',
    method: 'simdino',
    seed: 0,
    step: 100,
    totalSteps: 100,
    epoch: 10,
    stepsPerEpoch: 10,
    createdAtMs: 1_790_000_000_000,
    updatedAtMs: 1_790_000_100_000,
    etaMs: null,
    engine: 'onnx',
    device: 'CPU, 2 threads',
    configSource: 'configs/quickstart.yaml',
    config: { 'train.epochs': 10, 'data.kind': 'synthetic', 'loss.eps': 0.2236, seed: 0 },
    last: { loss: 0.5, knnTop1: 0.7 },
    best: { loss: { value: 0.4, step: 90 }, knnTop1: { value: 0.72, step: 80 } },
    git: { commit: '0123456789abcdef', branch: 'main', dirty: false },
    sweep: null,
    parent: null,
    resumedAtSteps: [],
    checkpointSteps: [],
    codingRateCollapsed: null,
    failure: null,
    star: false,
    tags: [],
    problems: [],
    ...overrides,
  };
}

export function series(overrides: Partial<Series> & { value: Float64Array }): Series {
  const n = overrides.value.length;
  const step = Float64Array.from({ length: n }, (_, i) => i + 1);
  return {
    runId: 'a',
    metric: 'loss',
    from: 0,
    step,
    epoch: step.map((s) => s / 10),
    time: step.map((s) => 1_790_000_000_000 + 1000 * s),
    ...overrides,
  };
}
