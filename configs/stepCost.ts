/**
 * What a training step costs, roughly: enough to tell before a start whether it fits, and to carry what one run has
 * measured over to a configuration that differs from it. Free of zod.
 */
import { derive, type DerivableConfig } from './derive.ts';

/** Bytes of a parameter in training: student, teacher and two moments, each float32. */
export const bytesPerParameter = 16;
/** Rough bytes of an activation that is kept for the gradient, per token, layer and unit of width, in float32. */
const activationBytes = 4 * 34;
/** A student's view costs its forward pass and twice that for the gradient. */
const studentPasses = 3;

export function parameterCount(config: DerivableConfig): number {
  const { parametersBackbone, parametersProjector } = derive(config, { trainImages: config.train.batchSize });
  return parametersBackbone + parametersProjector;
}

/** Memory of a step in bytes, to within a factor of two: parameters with their moments, and activations of all views. */
export function memoryEstimate(config: DerivableConfig): number {
  const { tokensPerImage } = derive(config, { trainImages: config.train.batchSize });
  const { width, depth } = config.model;
  const activations = config.train.batchSize * tokensPerImage * depth * width * activationBytes;
  return activations + 2 * parameterCount(config) * bytesPerParameter;
}

/** Multiply-adds of a step: blocks, attention and projector, of the student's views and the teacher's global ones. */
export function stepWork(config: DerivableConfig): number {
  const { crops, model, train } = config;
  const derived = derive(config, { trainImages: train.batchSize });
  const { width, depth } = model;
  const perToken = 4 * width * width + 2 * width * Math.floor(width * model.mlpRatio);
  const ofView = (tokens: number): number =>
    depth * tokens * (perToken + 2 * tokens * width) + derived.parametersProjector;
  const global = crops.global.count * ofView(derived.tokensGlobal);
  const local = crops.local.count * ofView(derived.tokensLocal);
  return train.batchSize * (studentPasses * (global + local) + global);
}

/** What a run has measured. */
export interface MeasuredRun {
  name: string;
  config: DerivableConfig;
  msPerStep: number;
  memoryBytes: number | undefined;
}

export interface StepEstimate {
  msPerStep: number;
  memoryBytes: number | undefined;
  /** Whether the run did the same work in a step, so that nothing had to be scaled. */
  isSame: boolean;
  /** Whether the work of a step is comparable at all: of much smaller steps most of the time is not work. */
  isTelling: boolean;
}

/** From the quick start to the paper's ViT-S/16 it is some thousand times the work, from the tiny network a million times. */
const largestRatio = 1e4;

/**
 * What a step of `config` would take where `measured` ran: its time in proportion to the work, its memory with the
 * difference of the estimates, each at the rate that the run has shown.
 */
export function estimateFrom(measured: MeasuredRun, config: DerivableConfig): StepEstimate {
  const work = stepWork(config) / stepWork(measured.config);
  const [wanted, known] = [memoryEstimate(config), memoryEstimate(measured.config)];
  const isSame = Math.abs(work - 1) < 1e-6 && Math.abs(wanted / known - 1) < 1e-6;
  const { memoryBytes } = measured;
  return {
    msPerStep: measured.msPerStep * work,
    // A process has memory of its own besides the step's: only the difference is scaled, and never below a tenth.
    memoryBytes:
      memoryBytes === undefined
        ? undefined
        : Math.max(memoryBytes / 10, memoryBytes + Math.min(1, memoryBytes / known) * (wanted - known)),
    isSame,
    isTelling: work < largestRatio && work > 1 / largestRatio,
  };
}
