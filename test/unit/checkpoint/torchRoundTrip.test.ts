/** Checkpoints that torch made, and checkpoints that torch loads: the numbers of both sides on the same image. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportedNames } from '../../../runtime/checkpoint/foreign/exportNames.ts';
import { openForeignFile } from '../../../runtime/checkpoint/foreign/foreignFile.ts';
import { recogniseVit, type Naming } from '../../../runtime/checkpoint/foreign/foreignVit.ts';
import { readBackbone } from '../../../runtime/checkpoint/foreign/readVit.ts';
import { writeTorchFile } from '../../../runtime/checkpoint/foreign/writeTorch.ts';
import { writeSafetensors, type TensorMap } from '../../../runtime/checkpoint/safetensors.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { vitParameters, vitTokens, type VitConfig } from '../../../runtime/models/vit.ts';
import { initialiseParameters } from '../../../runtime/models/parameters.ts';
import { canImport, findTorch } from '../../host/torch.ts';

const python = findTorch();
const withTorch = python === undefined ? test.skip : test;
const withTimm = python !== undefined && canImport(python, 'timm') ? test : test.skip;

const size = 32;
const image = Array.from({ length: 3 * size * size }, (_, at) => Math.fround(Math.sin(at / 7) + Math.cos(at / 131)));
const small = { width: 128, depth: 2, heads: 2, patch: 8, size };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'torch-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Job {
  do: 'make' | 'load';
  file: string;
  vit: typeof small & { registers?: number; swiglu?: boolean };
  style?: Naming;
  timm?: boolean;
  wrapped?: 'bare' | 'training' | 'chunked';
  legacy?: boolean;
  strided?: boolean;
  dtype?: string;
}

/** Runs a job in torch; the tokens of its forward pass. */
function inTorch(job: Job): number[] {
  const path = join(folder, 'job.json');
  writeFileSync(path, JSON.stringify({ ...job, image }));
  const { status, stderr } = spawnSync(python!, [join(import.meta.dirname, 'torchVit.py'), path], { encoding: 'utf8' });
  expect(stderr.split('\n').filter((line) => line.includes('Error'))).toEqual([]);
  expect(status).toBe(0);
  return (JSON.parse(readFileSync(`${path}.out`, 'utf8')) as { tokens: number[] }).tokens;
}

/** Tokens of our network with these parameters. */
async function ours(vit: VitConfig, backbone: TensorMap): Promise<number[]> {
  const engine = createOnnxEngine({ threads: 1 });
  const specs = vitParameters(vit);
  const step = await engine.compile({
    state: Object.fromEntries(specs.map(({ name, shape }) => [name, { shape, dtype: 'float32' }])),
    updates: [],
    inputs: { image: { shape: [1, 3, size, size], dtype: 'float32' } },
    run: (state, inputs) => ({
      state: {},
      outputs: { tokens: vitTokens(state, inputs['image'] as tf.Tensor4D, vit, { layout: 'BCHW' }).tokens_BND },
    }),
  });
  const values = Object.fromEntries(specs.map(({ name }) => [name, backbone.get(name)!.data]));
  const state = engine.createState(
    step ? Object.fromEntries(specs.map(({ name, shape }) => [name, { shape, dtype: 'float32' }])) : {},
    values,
  );
  const { tokens } = await step.run(state, { image: Float32Array.from(image) });
  await engine.dispose();
  return Array.from(tokens!);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - b[at]!)), 0);
}

describe('import of what torch saved', () => {
  const cases: Record<string, Omit<Job, 'do' | 'file'>> = {
    'DINO, a bare state dict': { style: 'dino', vit: small },
    'DINO, the older stream format': { style: 'dino', vit: small, legacy: true },
    'SimDINO v1, a training checkpoint': { style: 'dino', vit: small, wrapped: 'training' },
    'SimDINO v1, a training checkpoint in the older format': {
      style: 'dino',
      vit: small,
      wrapped: 'training',
      legacy: true,
    },
    'DINO, a strided view': { style: 'dino', vit: small, strided: true },
    'DINOv2 with registers': { style: 'dinov2', vit: { ...small, registers: 4 } },
    'DINOv2 without registers': { style: 'dinov2', vit: small },
    'DINOv2 with SwiGLU': { style: 'dinov2', vit: { ...small, swiglu: true } },
    'SimDINO v2, blocks in chunks': { style: 'dinov2', vit: { ...small, registers: 4 }, wrapped: 'chunked' },
    timm: { style: 'timm', vit: small },
    'timm with registers': { style: 'timm', vit: { ...small, registers: 2 } },
    'DINO in double precision': { style: 'dino', vit: small, dtype: 'float64' },
  };
  for (const [name, job] of Object.entries(cases)) {
    withTorch(name, async () => {
      const path = join(folder, `${name.replace(/\W/g, '')}.pth`);
      const expected = inTorch({ ...job, do: 'make', file: path });
      const file = openForeignFile(path);
      const found = recogniseVit(file, { naming: job.style === 'timm' ? 'timm' : undefined } as object);
      const backbone = readBackbone(file, found);
      file.close();
      expect(largestDifference(await ours(found.vit, backbone), expected)).toBeLessThan(1e-5);
    });
  }

  for (const [dtype, tolerance] of [
    ['float16', 2e-2],
    ['bfloat16', 2e-1],
  ] as const) {
    withTorch(`DINO in ${dtype}`, async () => {
      const path = join(folder, `${dtype}.pth`);
      const expected = inTorch({ style: 'dino', vit: small, dtype, do: 'make', file: path });
      const file = openForeignFile(path);
      const found = recogniseVit(file);
      const difference = largestDifference(await ours(found.vit, readBackbone(file, found)), expected);
      file.close();
      // The forward pass of the reference is in single precision; only the file is rounded.
      expect(difference).toBeLessThan(tolerance);
      expect(difference).toBeGreaterThan(0);
    });
  }

  withTimm('timm itself, with registers', async () => {
    const path = join(folder, 'timmItself.pth');
    const vit = { ...small, registers: 3 };
    const expected = inTorch({ do: 'make', file: path, vit, timm: true });
    const file = openForeignFile(path);
    const found = recogniseVit(file);
    expect(found.naming).toBe('timm');
    const backbone = readBackbone(file, found);
    file.close();
    expect(largestDifference(await ours(found.vit, backbone), expected)).toBeLessThan(1e-5);
  });
});

describe('export that torch loads strictly', () => {
  const plain: VitConfig = {
    width: 128,
    depth: 2,
    heads: 2,
    patchSizePx: 8,
    mlpRatio: 4,
    imageSizePx: size,
    interpolation: { offset: 0.1, antialias: false },
    initStd: 0.2,
  };
  const rich: VitConfig = { ...plain, registers: 4, layerScale: 0.3, maskToken: true };
  const cases: { name: string; vit: VitConfig; naming: Naming; extension: 'pth' | 'safetensors'; timm?: boolean }[] = [
    { name: 'DINO names', vit: plain, naming: 'dino', extension: 'pth' },
    { name: 'DINOv2 names', vit: rich, naming: 'dinov2', extension: 'pth' },
    { name: 'timm names', vit: plain, naming: 'timm', extension: 'pth' },
    { name: 'timm names with registers', vit: rich, naming: 'timm', extension: 'pth' },
    { name: 'timm itself', vit: plain, naming: 'timm', extension: 'pth', timm: true },
    { name: 'timm itself with registers', vit: rich, naming: 'timm', extension: 'pth', timm: true },
    { name: 'timm itself from safetensors', vit: rich, naming: 'timm', extension: 'safetensors', timm: true },
  ];
  for (const { name, vit, naming, extension, timm = false } of cases) {
    (timm ? withTimm : withTorch)(name, async () => {
      const backbone = drawn(vit);
      const path = join(folder, `${name.replace(/\W/g, '')}.${extension}`);
      const tensors = exportedNames(backbone, naming);
      if (extension === 'pth') writeTorchFile(path, tensors);
      else writeSafetensors(path, tensors, { format: 'pt' });
      const registers = vit.registers ?? 0;
      const theirs = inTorch({
        do: 'load',
        file: path,
        timm,
        style: naming,
        vit: { ...small, ...(registers > 0 ? { registers } : {}) },
      });
      expect(largestDifference(await ours(vit, backbone), theirs)).toBeLessThan(1e-5);
    });
  }
});

/** Parameters that are all different from their usual starts, so that none can hide. */
function drawn(vit: VitConfig): TensorMap {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const specs = vitParameters(vit);
  const values = initialiseParameters(
    specs.map((spec) => ({ ...spec, initialiser: { kind: 'normal', std: 0.2 } })),
    random,
  );
  return new Map(specs.map(({ name, shape }) => [name, { shape, data: values.get(name)! }]));
}
