import { resolveConfig } from '../configs/resolve.ts';
import { configSchema, type ConfigInput, type ResolvedConfig } from '../configs/schema.ts';

const projector = { hiddenDim: 2048, outputDim: 256 };
const noDropPath = { dropPathRate: 0 };

/** Training steps that are timed, from small to the paper's. Crops per image: 2 global and the local ones. */
const inputs = {
  quickstart: {
    crops: { global: { sizePx: 28 }, local: { count: 0 } },
    model: { architecture: 'custom', width: 128, depth: 3, heads: 4, patchSizePx: 14, ...noDropPath },
    projector: { hiddenDim: 512, outputDim: 256 },
    train: { batchSize: 32 },
  },
  vitTiny: {
    crops: { global: { sizePx: 64 }, local: { count: 6, sizePx: 32 } },
    model: { architecture: 'custom', width: 192, depth: 12, heads: 3, patchSizePx: 8, ...noDropPath },
    projector,
    train: { batchSize: 32 },
  },
  vitS16: {
    crops: { global: { sizePx: 224 }, local: { count: 10, sizePx: 96 } },
    model: { architecture: 'vit_small', patchSizePx: 16, ...noDropPath },
    projector,
    train: { batchSize: 8 },
  },
} satisfies Record<string, Partial<ConfigInput>>;

export type CpuCase = keyof typeof inputs;

export const cpuCases = Object.keys(inputs) as CpuCase[];

export function configOf(name: CpuCase): ResolvedConfig {
  return resolveConfig(configSchema.parse({ method: 'simdino', data: { kind: 'synthetic' }, ...inputs[name] }));
}
