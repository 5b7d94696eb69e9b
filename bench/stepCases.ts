/** Training steps that are timed on every device, and what a peer needs to take the same ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gammaOf } from '../configs/derive.ts';
import { resolveConfig } from '../configs/resolve.ts';
import { configSchema, type ConfigInput, type ResolvedConfig } from '../configs/schema.ts';
import { networkConfig, networkParameters } from '../runtime/models/network.ts';
import { buildTrainStep, type TrainStep } from '../runtime/trainStep.ts';

const projector = { hiddenDim: 2048, outputDim: 256 };
const noDropPath = { dropPathRate: 0 };
const multiCrop = { global: { sizePx: 224 }, local: { count: 10, sizePx: 96 } };

/** From small to the paper's. Crops per image: 2 global and the local ones. */
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
    crops: multiCrop,
    model: { architecture: 'vit_small', patchSizePx: 16, ...noDropPath },
    projector,
    train: { batchSize: 8 },
  },
  vitB16: {
    crops: multiCrop,
    model: { architecture: 'vit_base', patchSizePx: 16, ...noDropPath },
    projector,
    train: { batchSize: 8 },
  },
} satisfies Record<string, Partial<ConfigInput>>;

export type StepCase = keyof typeof inputs;

export const stepCases = Object.keys(inputs) as StepCase[];

export function configOf(
  name: StepCase,
  batchSize?: number,
  precision: ResolvedConfig['runtime']['precision'] = 'float32',
): ResolvedConfig {
  const { train, ...input } = inputs[name];
  return benchConfig({ ...input, train: { batchSize: batchSize ?? train.batchSize }, runtime: { precision } });
}

/** SimDINO on noise, with what is given in place of the defaults. */
export function benchConfig(input: Partial<ConfigInput>): ResolvedConfig {
  return resolveConfig(configSchema.parse({ method: 'simdino', data: { kind: 'synthetic' }, ...input }));
}

/** Schedules need a length; the time of a step does not depend on it. */
export const totals = { stepsPerEpoch: 100, totalSteps: 1000, warmupSteps: 10 };

/** The same noise for everyone: arithmetic takes as long on it as on pictures. */
export function noiseCrops({ program }: Pick<TrainStep, 'program'>): Record<string, Uint8Array> {
  return Object.fromEntries(
    ['globalCrops', 'localCrops']
      .filter((name) => name in program.inputs)
      .map((name) => [name, randomBytes(program.inputs[name]!.shape)]),
  );
}

export interface PeerCase {
  /** What bench/torchPeer.py reads first. */
  described: object;
  /** Deletes the files that it names. */
  remove(): void;
}

/** Writes the parameters at the start and the crops where the peer finds them. */
export function describeForPeer(config: ResolvedConfig): PeerCase {
  const { model, crops, projector: head, train, loss } = config;
  const trainStep = buildTrainStep(config, totals);
  const folder = mkdtempSync(join(tmpdir(), 'simdino-bench-'));
  const [parameterFile, cropFile] = [join(folder, 'parameters.f32'), join(folder, 'crops.u8')];
  const parameters = networkParameters(networkConfig(config));
  const state = trainStep.initialState();
  writeFileSync(parameterFile, Buffer.concat(parameters.map(({ name }) => bytesOf(state[`student.${name}`]!))));
  writeFileSync(cropFile, Buffer.concat(Object.values(noiseCrops(trainStep))));
  return {
    described: {
      width: model.width,
      depth: model.depth,
      heads: model.heads,
      patch: model.patchSizePx,
      batch: train.batchSize,
      globals: crops.global.count,
      locals: crops.local.count,
      globalPx: crops.global.sizePx,
      localPx: crops.local.sizePx,
      out: head.outputDim,
      scale: head.outputDim / (train.batchSize * loss.eps ** 2),
      gamma: gammaOf(config),
      parameters: { file: parameterFile, shapes: parameters.map(({ name, shape }) => [name, shape]) },
      crops: { file: cropFile },
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function randomBytes(shape: readonly number[]): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
