import { describe, expect, it } from 'vitest';
import { derive } from '../../../configs/derive.ts';
import type { ResolvedConfig } from '../../../configs/schema.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { record } from '../../../runtime/engines/trace/record.ts';
import { elementCount } from '../../../runtime/models/parameters.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import { loadFromRepository, yamlFiles } from '../configs/presetFiles.ts';

describe.each(yamlFiles())('$path', ({ path, text }) => {
  it('resolves and can be recorded as a step', { timeout: 300_000 }, () => {
    const { config } = readConfig(text, { path, load: loadFromRepository });
    const small = withSmallBatch(config!);
    const derived = derive(small, { trainImages: 100_000 });
    const { program } = buildTrainStep(small, derived);
    const { graph, outputs } = record(program);
    expect(outputs).toContain('loss');
    expect(graph.outputs.get('output/loss')!.shape).toEqual([]);

    const parametersOf = (part: string) =>
      Object.entries(program.state)
        .filter(([name]) => name.startsWith(`student.${part}.`))
        .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
    expect(parametersOf('backbone')).toBe(derived.parametersBackbone);
    expect(parametersOf('head')).toBe(derived.parametersProjector);
  });
});

/** The graph of a small batch has the same operations in fewer blocks. */
function withSmallBatch(config: ResolvedConfig): ResolvedConfig {
  const { train, loss } = config;
  const batchSize = Math.min(train.batchSize, 32);
  const groups = Math.min(loss.codingRate.groups, 8);
  return {
    ...config,
    train: { ...train, batchSize },
    loss: { ...loss, codingRate: { ...loss.codingRate, groups } },
  };
}
