/** Every shipped configuration becomes a training step. */
import { describe, expect, it } from 'vitest';
import { derive } from '../../../configs/derive.ts';
import type { ResolvedConfig } from '../../../configs/schema.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { record } from '../../../runtime/engines/trace/record.ts';
import { networkConfig, networkParameters } from '../../../runtime/models/network.ts';
import { elementCount } from '../../../runtime/models/parameters.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import { loadFromRepository, paperFiles, yamlFiles } from '../configs/presetFiles.ts';

const files = [...yamlFiles(), ...paperFiles()].map(({ path, text }) => {
  const { config } = readConfig(text, { path, load: loadFromRepository });
  return { name: path.slice(path.indexOf('configs/')), config: config! };
});

it.each(files)('$name has the parameters that the editor shows', ({ config }) => {
  const specs = networkParameters(networkConfig(config));
  const total = (isPart: (name: string) => boolean) =>
    specs.filter(({ name }) => isPart(name)).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const derived = derive(config, { trainImages: 100_000 });
  expect(total((name) => name.startsWith('backbone.'))).toBe(derived.parametersBackbone);
  expect(total((name) => !name.startsWith('backbone.'))).toBe(derived.parametersProjector);
});

/** Presets that differ in numbers alone are one step with other constants: each kind is recorded once. */
const kinds = new Map<string, { names: string[]; config: ResolvedConfig }>();
for (const { name, config } of files) {
  const small = reduced(config);
  const { data: _data, eval: _eval, checkpoint: _checkpoint, ...step } = small;
  const key = JSON.stringify({ ...step, train: step.train.batchSize, optim: { ...step.optim, lr: 0 } });
  const kind = kinds.get(key) ?? { names: [], config: small };
  kind.names.push(name);
  kinds.set(key, kind);
}

describe.each([...kinds.values()].map(({ names, config }) => ({ names: names.join(', '), config })))(
  '$names',
  ({ config }) => {
    it('can be recorded as a step', { timeout: 60_000 }, () => {
      const { program, parameterNames } = buildTrainStep(config, derive(config, { trainImages: 100_000 }));
      const { graph, outputs } = record(program);
      expect(outputs).toContain('loss');
      expect(graph.outputs.get('output/loss')!.shape).toEqual([]);
      expect(graph.outputs.get('output/gradientNorms')!.shape).toEqual([parameterNames.length]);
    });
  },
);

/** Two narrow blocks, few and small images, few prototypes: every operation of the whole step is still there. */
function reduced(config: ResolvedConfig): ResolvedConfig {
  const { train, loss, model, crops, dino, dinov2 } = config;
  const smaller = (view: { sizePx: number }, patches: number) => Math.min(view.sizePx, patches * model.patchSizePx);
  return {
    ...config,
    crops: {
      ...crops,
      global: { ...crops.global, sizePx: smaller(crops.global, 4) },
      local: { ...crops.local, sizePx: smaller(crops.local, 2), count: Math.min(crops.local.count, 1) },
    },
    model: { ...model, depth: 2, width: model.width / model.heads, heads: 1 },
    projector: { ...config.projector, hiddenDim: 32 },
    ...(dino ? { dino: { ...dino, prototypes: 64 } } : {}),
    train: { ...train, batchSize: Math.min(train.batchSize, 4) },
    ...(dinov2 && { dinov2: { ...dinov2, koleoGroups: Math.min(dinov2.koleoGroups, 2) } }),
    loss: { ...loss, codingRate: { ...loss.codingRate, groups: Math.min(loss.codingRate.groups, 2) } },
  };
}
