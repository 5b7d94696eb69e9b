/** Files under the names, arrangements and number formats of other libraries, made without them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportedNames } from '../../../runtime/checkpoint/foreign/exportNames.ts';
import { openForeignFile, readForeignTensor } from '../../../runtime/checkpoint/foreign/foreignFile.ts';
import {
  recogniseVit,
  type ForeignVit,
  type RecogniseOptions,
} from '../../../runtime/checkpoint/foreign/foreignVit.ts';
import { readBackbone } from '../../../runtime/checkpoint/foreign/readVit.ts';
import { writeTorchFile } from '../../../runtime/checkpoint/foreign/writeTorch.ts';
import { writeSafetensors, type NamedTensor, type TensorMap } from '../../../runtime/checkpoint/safetensors.ts';
import { canImport } from '../../host/torch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'names-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const [width, depth, patchPx, patches] = [128, 2, 8, 16];

/** Numbers that float16 and bfloat16 hold exactly, other ones for each tensor. */
function tensor(salt: number, ...shape: number[]): NamedTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length }, (_, at) => (((at * 37 + salt * 11) % 255) - 127) / 64) };
}

/** The state dict of timm's `VisionTransformer`: its names and shapes. */
function timmVit({
  registers = 0,
  positions = 1 + patches,
  layerScale = false,
  swiglu = false,
  classes = 0,
}: {
  registers?: number;
  positions?: number;
  layerScale?: boolean;
  swiglu?: boolean;
  classes?: number;
}): TensorMap {
  const shapes: [string, number[]][] = [
    ['cls_token', [1, 1, width]],
    ...(registers > 0 ? [['reg_token', [1, registers, width]] as [string, number[]]] : []),
    ['pos_embed', [1, positions, width]],
    ['patch_embed.proj.weight', [width, 3, patchPx, patchPx]],
    ['patch_embed.proj.bias', [width]],
  ];
  // Two thirds of four times the width, up to the next multiple of 8.
  const hidden = swiglu ? 344 : 4 * width;
  for (let block = 0; block < depth; block++) {
    const layers: [string, number[]][] = [
      ['norm1', [width]],
      ['attn.qkv', [3 * width, width]],
      ['attn.proj', [width, width]],
      ['norm2', [width]],
      ['mlp.fc1', [swiglu ? 2 * hidden : hidden, width]],
      ['mlp.fc2', [width, hidden]],
    ];
    for (const [name, shape] of layers)
      shapes.push([`blocks.${block}.${name}.weight`, shape], [`blocks.${block}.${name}.bias`, shape.slice(0, 1)]);
    if (layerScale) for (const name of ['ls1', 'ls2']) shapes.push([`blocks.${block}.${name}.gamma`, [width]]);
  }
  shapes.push(['norm.weight', [width]], ['norm.bias', [width]]);
  if (classes > 0) shapes.push(['head.weight', [classes, width]], ['head.bias', [classes]]);
  return new Map(shapes.map(([name, shape], salt) => [name, tensor(salt, ...shape)]));
}

/** What is recognised in a file of these tensors, and the backbone out of it. */
function imported(tensors: TensorMap, options: RecogniseOptions = {}): { found: ForeignVit; backbone: TensorMap } {
  const path = join(folder, 'timm.pth');
  writeTorchFile(path, tensors);
  const file = openForeignFile(path);
  try {
    const found = recogniseVit(file, options);
    return { found, backbone: readBackbone(file, found) };
  } finally {
    file.close();
  }
}

describe('timm\u2019s names are recognised', () => {
  const antialiased = { offset: 0, antialias: true };

  test('by its classifier, which is left out', () => {
    const theirs = timmVit({ classes: 10 });
    const { found, backbone } = imported(theirs);
    expect(found).toMatchObject({ naming: 'timm', network: '', leftOut: ['head.weight', 'head.bias'] });
    expect(found.vit).toMatchObject({
      ...{ width, depth, heads: 2, patchSizePx: patchPx, imageSizePx: 32, mlpRatio: 4, registers: 0 },
      interpolation: antialiased,
    });
    expect(backbone.size).toBe(theirs.size - 2);
    for (const [name, { data }] of backbone) expect(data, name).toEqual(theirs.get(name)!.data);
  });

  test('by its registers, whose table has no place for the class token', () => {
    const theirs = timmVit({ registers: 4, positions: patches, layerScale: true });
    const { found, backbone } = imported(theirs);
    expect(found).toMatchObject({ naming: 'timm', hasLayerScale: true });
    expect(found.vit).toMatchObject({ registers: 4, imageSizePx: 32, interpolation: antialiased });
    expect(backbone.get('register_tokens')!.data).toEqual(theirs.get('reg_token')!.data);
    const table = backbone.get('pos_embed')!.data;
    expect(table.subarray(0, width).every((value) => value === 0)).toBe(true);
    expect(table.subarray(width)).toEqual(theirs.get('pos_embed')!.data);
    // What goes out under these names is what came in.
    const out = exportedNames(backbone, 'timm');
    expect([...out.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, { shape, data }] of theirs) expect(out.get(name), name).toEqual({ shape, data });
  });

  test('by its registers, which have places in the table', () => {
    const theirs = timmVit({ registers: 4, positions: 1 + 4 + patches });
    const { found, backbone } = imported(theirs);
    expect(found.vit).toMatchObject({ registers: 4, imageSizePx: 32 });
    const table = theirs.get('pos_embed')!.data;
    const registers = theirs.get('reg_token')!.data;
    expect(backbone.get('register_tokens')!.data).toEqual(registers.map((value, at) => value + table[width + at]!));
    const own = backbone.get('pos_embed')!.data;
    expect(own.subarray(0, width)).toEqual(table.subarray(0, width));
    expect(own.subarray(width)).toEqual(table.subarray(5 * width));
  });

  test('with SwiGLU under the names of a plain feed-forward layer', () => {
    const theirs = timmVit({ registers: 4, positions: patches, layerScale: true, swiglu: true });
    const { found, backbone } = imported(theirs);
    expect(found.vit).toMatchObject({ feedForward: 'swiglu', mlpRatio: 4 });
    for (const [own, name] of [
      ['w12', 'fc1'],
      ['w3', 'fc2'],
    ] as const)
      expect(backbone.get(`blocks.1.mlp.${own}.weight`)!.data).toEqual(theirs.get(`blocks.1.mlp.${name}.weight`)!.data);
  });

  test('where nothing tells them from DINO\u2019s, when they are named', () => {
    const theirs = timmVit({});
    expect(imported(theirs).found).toMatchObject({ naming: 'dino', vit: { interpolation: { offset: 0.1 } } });
    rmSync(join(folder, 'timm.pth'));
    expect(imported(theirs, { naming: 'timm' }).found).toMatchObject({
      naming: 'timm',
      vit: { interpolation: antialiased },
    });
  });
});

const python = [process.env['SIMDINO_PYTHON'], 'python3'].find(
  (name) => name !== undefined && canImport(name, 'struct, json'),
);

describe.skipIf(python === undefined)('safetensors of a writer and a reader that know the format alone', () => {
  const inPython = (what: 'write' | 'read', path: string, input = '') => {
    const script = join(import.meta.dirname, 'safetensorsFile.py');
    const { status, stdout, stderr } = spawnSync(python!, [script, what, path], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  };
  const write = (tensors: Record<string, { dtype: string; shape: number[]; values: number[] }>) => {
    const path = join(folder, 'theirs.safetensors');
    inPython('write', path, JSON.stringify(tensors));
    return openForeignFile(path);
  };

  test.each(['F32', 'F16', 'BF16', 'F64'])('hold a network in %s', (dtype) => {
    const theirs = timmVit({ registers: 4, positions: patches });
    const file = write(
      Object.fromEntries(
        [...theirs].map(([name, { shape, data }]) => [name, { dtype, shape: [...shape], values: Array.from(data) }]),
      ),
    );
    expect(file).toMatchObject({ format: 'safetensors', metadata: { format: 'pt' } });
    const found = recogniseVit(file);
    expect(found.naming).toBe('timm');
    const backbone = readBackbone(file, found);
    file.close();
    expect(backbone.get('blocks.1.mlp.fc2.weight')).toEqual(theirs.get('blocks.1.mlp.fc2.weight'));
    expect(backbone.get('register_tokens')!.data).toEqual(theirs.get('reg_token')!.data);
  });

  test('hold the smallest, the largest and rounded numbers, several formats in one file', () => {
    const values = [1, -(2 ** -24), 2 ** -24, 2 ** -14 - 2 ** -24, 65504, -1.5, 1 / 3, Math.PI];
    const file = write({
      half: { dtype: 'F16', shape: [8], values },
      brain: { dtype: 'BF16', shape: [4], values: [2 ** 127, 2 ** -126, 1 / 3, 1 + 2 ** -8] },
      double: { dtype: 'F64', shape: [1], values: [1 / 3] },
      count: { dtype: 'I64', shape: [], values: [7] },
    });
    const read = (name: string) => Array.from(readForeignTensor(file, name));
    expect(read('half').slice(0, 6)).toEqual(values.slice(0, 6));
    expect(read('half').slice(6)).toEqual([1365 / 2 ** 12, 1608 / 2 ** 9]);
    // 1 + 2^-8 lies between two of bfloat16's numbers: the even one.
    expect(read('brain')).toEqual([2 ** 127, 2 ** -126, 171 / 2 ** 9, 1]);
    expect(read('double')).toEqual([Math.fround(1 / 3)]);
    expect(() => read('count')).toThrow(/its tensor 'count' is I64, not floating-point/);
    file.close();
  });

  test('take what is exported', () => {
    const path = join(folder, 'ours.safetensors');
    const ours: TensorMap = new Map(Object.entries({ b: tensor(1, 3, 5), a: tensor(2, 7), c: tensor(3, 1, 1, 2) }));
    writeSafetensors(path, ours, { format: 'pt', heads: '2' });
    const theirs = JSON.parse(inPython('read', path)) as Record<string, { shape: number[]; values: number[] }>;
    expect(Object.keys(theirs).sort()).toEqual([...ours.keys()].sort());
    for (const [name, { shape, data }] of ours)
      expect(theirs[name], name).toEqual({ dtype: 'F32', shape, values: Array.from(data) });
  });
});
