/// <reference types="@webgpu/types" />
import { expect, test } from 'vitest';
import { planGraph, type PlannedKernel } from '../../../../runtime/engines/dawn/plan/plan.ts';
import { record } from '../../../../runtime/engines/trace/record.ts';
import { resolveConfig } from '../../../../configs/resolve.ts';
import { configSchema } from '../../../../configs/schema.ts';
import { buildTrainStep } from '../../../../runtime/trainStep.ts';

const config = resolveConfig(
  configSchema.parse({
    method: 'simdino',
    data: { kind: 'synthetic' },
    crops: { global: { sizePx: 32 }, local: { count: 2, sizePx: 16 } },
    model: { architecture: 'custom', width: 128, depth: 2, heads: 2, patchSizePx: 8 },
    projector: { hiddenDim: 128, outputDim: 64 },
    train: { batchSize: 8 },
    runtime: { precision: 'float16' },
  }),
);

function kernelsOfStep(): PlannedKernel[] {
  const { program } = buildTrainStep(config, { stepsPerEpoch: 4, totalSteps: 8, warmupSteps: 1 });
  const { graph, names } = record(program);
  const updates = new Map(program.updates.map((name) => [names.update(name), names.state(name)]));
  return planGraph(graph, { maxBindings: 10, updates, matrixUnits: true }).kernels;
}

test('networks are multiplied in mixed precision, the coding rate in single', () => {
  const products = kernelsOfStep()
    .map(({ label }) => label)
    .filter((label) => label.includes('product'));
  const mixed = products.filter((label) => label.startsWith('mixed product'));
  expect(mixed.length).toBeGreaterThan(40);
  // Z Z^T of two global views of 8 images with 64 features each, and Z from its gradient.
  for (const shape of ['[2,8,64,8]', '[2,8,8,64]']) {
    expect(products.filter((label) => label.includes(shape)).length).toBeGreaterThan(0);
    expect(mixed.filter((label) => label.includes(shape))).toEqual([]);
  }
});

test('every kernel of a mixed step is valid for a GPU with matrix units', { timeout: 120_000 }, async () => {
  const { create, globals } = (await import('webgpu')) as {
    create: (options: string[]) => GPU;
    globals: Record<string, unknown>;
  };
  Object.assign(globalThis, globals);
  // Dawn's adapter that runs nothing and offers everything: what it accepts compiles.
  const instance = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia']);
  const adapter = (await instance.requestAdapter())!;
  const device = await adapter.requestDevice({
    requiredFeatures: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as GPUFeatureName[],
    requiredLimits: { maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize },
  });
  const sources = new Map(kernelsOfStep().map(({ source, label }) => [source, label]));
  for (const [source, label] of sources) {
    device.pushErrorScope('validation');
    device.createShaderModule({ code: source });
    const error = await device.popErrorScope();
    expect(error?.message ?? '', `${label}\n${source}`).toBe('');
  }
  device.destroy();
  expect(instance).toBeDefined();
});
