import { describe, expect, it } from 'vitest';
import { derive } from '../../../configs/derive.ts';
import { resolveConfig } from '../../../configs/resolve.ts';
import { architectures, configSchema } from '../../../configs/schema.ts';
import { dropPathFactors, dropPathRates } from '../../../runtime/models/dropPath.ts';
import { elementCount, initialiseParameters } from '../../../runtime/models/parameters.ts';
import { networkConfig, networkParameters } from '../../../runtime/models/network.ts';
import { projectorParameters } from '../../../runtime/models/projector.ts';
import { vitParameters } from '../../../runtime/models/vit.ts';
import type { VitConfig } from '../../../runtime/models/vit.ts';

/** mulberry32: small and good enough to test with. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const vit = (name: keyof typeof architectures, patchSizePx: number): VitConfig => ({
  ...architectures[name],
  patchSizePx,
  mlpRatio: 4,
  imageSizePx: 224,
  interpolation: { offset: 0.1, antialias: false },
});
/** With what DINOv2 adds: four registers, LayerScale, a mask token. */
const vit2 = (name: keyof typeof architectures): VitConfig => ({
  ...vit(name, 16),
  registers: 4,
  layerScale: 0.1,
  maskToken: true,
});
const total = (specs: { shape: readonly number[] }[]) => specs.reduce((sum, { shape }) => sum + elementCount(shape), 0);

describe('parameter counts are those of the published models', () => {
  it.each([
    ['vit_tiny', 16, 5_524_416],
    ['vit_small', 16, 21_665_664],
    ['vit_small', 8, 21_670_272],
    ['vit_base', 16, 85_798_656],
    ['vit_base', 8, 85_807_872],
    ['vit_large', 16, 303_301_632],
  ] as const)('%s/%i', (name, patch, expected) => {
    expect(total(vitParameters(vit(name, patch)))).toBe(expected);
  });

  it.each([
    ['vit_small', 21_676_800],
    ['vit_base', 85_820_928],
    ['vit_large', 303_355_904],
    ['vit_giant2', 1_134_961_664],
  ] as const)('%s/16 with registers, LayerScale and mask token', (name, expected) => {
    expect(total(vitParameters(vit2(name)))).toBe(expected);
  });

  it.each(['vit_tiny', 'vit_small', 'vit_base', 'vit_large', 'vit_giant2'] as const)(
    '%s: the number that the editor shows is that of the network, heads included',
    (architecture) => {
      for (const dinov2 of [undefined, { patchHead: 'separate', patchPrototypes: 300 }] as const) {
        const config = resolveConfig(
          configSchema.parse({
            data: { kind: 'synthetic' },
            ...(dinov2 ? { method: 'dinov2', dinov2, dino: { prototypes: 500 } } : { method: 'simdinov2' }),
            model: { architecture, registers: 4, layerScale: 0.1 },
          }),
        );
        const specs = networkParameters(networkConfig(config));
        const part = (prefix: string) => total(specs.filter(({ name }) => name.startsWith(prefix)));
        const derived = derive(config, { trainImages: 1000 });
        expect(part('backbone.')).toBe(derived.parametersBackbone);
        expect(part('head.') + part('ibot_head.')).toBe(derived.parametersProjector);
      }
    },
  );

  it('a patch size of one\u2019s own', () => {
    expect(total(vitParameters({ ...vit('vit_small', 14), imageSizePx: 98 }))).toBe(
      total(vitParameters(vit('vit_small', 16))) + (3 * (14 ** 2 - 16 ** 2) + 7 ** 2 - 14 ** 2) * 384,
    );
  });

  it.each([
    [384, 5_509_376],
    [768, 6_295_808],
    [1024, 6_820_096],
    [1536, 7_868_672],
  ])('projector on %i features', (inputDim, expected) => {
    expect(total(projectorParameters({ inputDim, hiddenDim: 2048, outputDim: 256, layers: 3 }))).toBe(expected);
  });
});

describe('initialisation', () => {
  const config = { ...vit('vit_tiny', 16), depth: 1 };
  const values = initialiseParameters(vitParameters(config), seeded(7));

  it('depends on the seed alone', () => {
    expect(initialiseParameters(vitParameters(config), seeded(7))).toEqual(values);
    expect(initialiseParameters(vitParameters(config), seeded(8)).get('cls_token')).not.toEqual(
      values.get('cls_token'),
    );
  });

  it('draws weights from N(0, 0.02^2)', () => {
    const weights = values.get('blocks.0.mlp.fc1.weight')!;
    const mean = weights.reduce((sum, value) => sum + value, 0) / weights.length;
    const std = Math.sqrt(weights.reduce((sum, value) => sum + (value - mean) ** 2, 0) / weights.length);
    // Standard errors of 147,456 draws: 5e-5 and 4e-5.
    expect(Math.abs(mean)).toBeLessThan(3e-4);
    expect(Math.abs(std - 0.02)).toBeLessThan(2e-4);
    const beyond = weights.filter((value) => Math.abs(value) > 0.04).length / weights.length;
    expect(beyond).toBeGreaterThan(0.04);
    expect(beyond).toBeLessThan(0.051);
  });

  it('starts the patch projection uniform in +- 1/sqrt(3 P^2), normalisations at 1 and 0, biases at 0', () => {
    const patch = values.get('patch_embed.proj.weight')!;
    const limit = 1 / Math.sqrt(3 * 16 ** 2);
    expect(patch.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(limit);
    expect(patch.reduce((a, b) => Math.max(a, b))).toBeGreaterThan(0.99 * limit);
    expect(patch.reduce((a, b) => Math.min(a, b))).toBeLessThan(-0.99 * limit);
    expect(new Set(values.get('blocks.0.norm1.weight'))).toEqual(new Set([1]));
    expect(new Set(values.get('blocks.0.attn.qkv.bias'))).toEqual(new Set([0]));
  });
});

describe('initialisation of a projector with prototypes', () => {
  const values = initialiseParameters(
    projectorParameters({ inputDim: 16, hiddenDim: 32, outputDim: 64, layers: 3, prototypes: 500 }),
    seeded(7),
  );

  it("starts them as a linear layer of PyTorch's, uniform in +- 1/sqrt(d), with norms of 1", () => {
    const directions = values.get('last_layer.weight_v')!;
    const largest = directions.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(1 / 8);
    expect(largest).toBeGreaterThan(0.99 / 8);
    const variance = directions.reduce((sum, value) => sum + value * value, 0) / directions.length;
    expect(variance).toBeCloseTo(1 / 64 / 3, 4);
    expect(new Set(values.get('last_layer.weight_g'))).toEqual(new Set([1]));
  });
});

describe('stochastic depth', () => {
  it('keeps the expectation of every branch', () => {
    const rates = dropPathRates({ depth: 3, rate: 0.4 });
    expect(rates).toEqual([0, 0.2, 0.4]);
    const samples = 4000;
    const factors = dropPathFactors(rates, samples, seeded(3));
    expect(factors.length).toBe(3 * 2 * samples);
    rates.forEach((rate, block) => {
      const ofBlock = factors.subarray(block * 2 * samples, (block + 1) * 2 * samples);
      expect(new Set(ofBlock)).toEqual(new Set(rate === 0 ? [1] : [0, Math.fround(1 / (1 - rate))]));
      const mean = ofBlock.reduce((sum, factor) => sum + factor, 0) / ofBlock.length;
      expect(Math.abs(mean - 1)).toBeLessThan(0.04);
    });
  });

  it('a single block is never dropped', () => {
    expect(dropPathRates({ depth: 1, rate: 0.5 })).toEqual([0]);
  });
});
