/** The executor with the programs of a training run loaded: what the trainer and evaluations talk to. */
import { derive } from '../configs/derive.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { errors } from '../protocol/errors.ts';
import type { NamedTensor, TensorMap } from './checkpoint/safetensors.ts';
import type { Arrays } from './engines/executor/messages.ts';
import { startExecutor, type Executor } from './engines/executor/startExecutor.ts';
import { builtFile } from './installation.ts';
import { lossScaleState } from './optim/lossScale.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import { featureBatch, type ProgramSpec } from './programs.ts';

export interface TrainingExecutor {
  readonly engine: string;
  readonly device: string;
  /** Why this engine was chosen. */
  readonly reason: string;
  readonly pid: number;
  /** Takes one training step; see `TrainStep` for inputs and outputs. */
  step(inputs: Arrays): Promise<Arrays>;
  /** Images that features are taken of at a time, at most. */
  readonly featureBatch: number;
  /** The teacher's features of `count` images [count,H,W,3]: [count, width]. */
  features(images: Uint8Array, count: number): Promise<Float32Array>;
  /** The same of what linear classifiers see: CLS tokens of the last blocks and a mean patch token. */
  probeFeatures(images: Uint8Array, count: number): Promise<Float32Array>;
  readState(): Promise<TensorMap>;
  /** Gives up the step under way if other processes don't take it within so long. */
  interrupt(afterMs: number): Promise<void>;
  /** Ends it, at the latest after `graceMs`. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * Starts the executor of a run.
 *
 * @param options.state a checkpoint's tensors; a fresh run draws its parameters from the seed
 * @throws engineUnavailable, executorCrashed, checkpointCorrupt when the tensors are not those of the configuration
 */
export async function startTrainingExecutor(
  config: ResolvedConfig,
  {
    trainImages,
    state,
    share,
    onLog,
  }: { trainImages: number; state: TensorMap | null; share?: OwnShare; onLog?: (text: string) => void },
): Promise<TrainingExecutor> {
  const { stepsPerEpoch, totalSteps, warmupSteps } = derive(config, { trainImages });
  const spec: ProgramSpec = { config, totals: { stepsPerEpoch, totalSteps, warmupSteps }, ...(share ? { share } : {}) };
  const executor = await startExecutor({
    entry: builtFile('executor.mjs'),
    engine: engineFor(config.runtime),
    ...(config.runtime.threads > 0 ? { threads: config.runtime.threads } : {}),
    spec,
    ...(share ? { ranks: share.ranks, waitForOthersMs: 1000 * config.runtime.rankTimeoutSeconds } : {}),
    ...(state ? { initialState: arraysOf(state) } : {}),
    ...(onLog ? { onLog } : {}),
  });
  if (state) await requireTensors(executor, state);
  const batch = featureBatch(config);
  const imageBytes = config.crops.global.sizePx ** 2 * 3;
  return {
    engine: executor.engine,
    device: executor.device,
    reason: executor.reason,
    pid: executor.pid,
    featureBatch: batch,
    step: (inputs) => executor.run('train', inputs),
    features: (images, count) => featuresOf('features', images, count),
    probeFeatures: (images, count) => featuresOf('probeFeatures', images, count),
    readState: async () => tensorsOf(await executor.readState(), executor.state),
    interrupt: (afterMs) => executor.interrupt(afterMs),
    close: (options) => executor.close(options),
  };

  async function featuresOf(program: string, images: Uint8Array, count: number): Promise<Float32Array> {
    // A graph's shapes are fixed: the last batch is filled up with black images, whose features are dropped.
    const full = batch * imageBytes;
    const padded = images.length === full ? images : new Uint8Array(full);
    if (padded !== images) padded.set(images);
    const { features } = await executor.run(program, { images: padded });
    const all = features as Float32Array;
    return all.subarray(0, (all.length / batch) * count);
  }
}

/** Mixed precision is one engine's: whoever leaves the choice gets that one. */
function engineFor({ engine, precision }: ResolvedConfig['runtime']): ResolvedConfig['runtime']['engine'] {
  return engine === 'auto' && precision !== 'float32' ? 'dawn' : engine;
}

/** A checkpoint of another configuration would leave entries at zero; refuse it instead. */
async function requireTensors(executor: Executor, state: TensorMap): Promise<void> {
  // An imported network has no moments at all, they start as zeros; a run in single precision has no loss scale.
  const hasMoments = [...state.keys()].some((name) => name.startsWith('adam.'));
  const missing = Object.keys(executor.state).filter(
    (name) => !state.has(name) && (hasMoments || !name.startsWith('adam.')) && !(name in lossScaleState),
  );
  if (missing.length === 0) return;
  await executor.close();
  throw errors.checkpointCorrupt('of this run', `it lacks ${missing.length} tensors, such as ${missing[0]}`);
}

function arraysOf(state: TensorMap): Arrays {
  return Object.fromEntries([...state].map(([name, { data }]) => [name, data]));
}

function tensorsOf(arrays: Arrays, specs: Readonly<Record<string, { shape: readonly number[] }>>): TensorMap {
  return new Map(
    Object.entries(arrays).map(([name, data]): [string, NamedTensor] => [
      name,
      { shape: specs[name]?.shape ?? [data.length], data: data as Float32Array },
    ]),
  );
}
