/** The process of one of our engines in bench/gpu.ts: it speaks the language of bench/torchPeer.py. */
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { ResolvedConfig } from '../configs/schema.ts';
import { createDawnEngine } from '../runtime/engines/dawn/dawnEngine.ts';
import { findAdapter } from '../runtime/engines/devices/adapter.ts';
import { productGflops } from '../runtime/engines/devices/measureEngine.ts';
import type { CompiledStep, Engine, EngineState, StepProgram } from '../runtime/engines/engine.ts';
import { isForLackOfRoom } from '../runtime/engines/executor/faults.ts';
import type { Arrays } from '../runtime/engines/executor/messages.ts';
import { createOnnxEngine } from '../runtime/engines/onnx/onnxEngine.ts';
import { createWebGpuEngine } from '../runtime/engines/onnx/webgpuEngine.ts';
import { trainPrograms } from '../runtime/trainPrograms.ts';
import { buildTrainStep, type TrainStep } from '../runtime/trainStep.ts';
import { configOf, noiseCrops, totals, type StepCase } from './stepCases.ts';

export interface EngineCase {
  case: StepCase;
  batch: number;
  /** How often the step is halved from the outset. */
  reductions: number;
  /** A path's beginning: the engine writes a trace of its kernels there. */
  profileTo?: string;
  peak: boolean;
}

export interface EngineFacts {
  device: string;
  /** Speed at a product of large matrices, where asked for. */
  peakTflops: number | null;
}

export interface EngineStep {
  ms: number;
  loss: number;
  /** The images that go through the networks at a time. */
  microBatch: number;
  /** What the engine plans to hold at once, state apart, where it knows. */
  plannedMiB: number | null;
}

interface Opened {
  engine: Engine;
  /** Side of the matrices that tell its peak. */
  productSize: number;
}

const openers = {
  webgpu: async (profileTo?: string): Promise<Opened> => {
    const adapter = await findAdapter();
    if (adapter === null) throw new Error('no GPU was found');
    if (adapter === 'unknown') return { engine: createWebGpuEngine(profile(profileTo)), productSize: 4096 };
    const { name, limits, isSoftware } = adapter;
    return {
      engine: createWebGpuEngine({ adapter: name, maxBindingBytes: limits.maxBindingBytes, ...profile(profileTo) }),
      productSize: isSoftware ? 192 : 4096,
    };
  },
  dawn: async (profileTo?: string): Promise<Opened> => {
    const adapter = await findAdapter();
    if (adapter === null || adapter === 'unknown') throw new Error('no GPU was found');
    const engine = await createDawnEngine({ adapter: adapter.name, available: [], ...profile(profileTo) });
    return { engine, productSize: adapter.isSoftware ? 192 : 4096 };
  },
  /** Mixed precision. */
  'dawn-f16': (profileTo?: string): Promise<Opened> => openers.dawn(profileTo),
  /** Not of a GPU: to try the benchmark where there is none. */
  onnx: (profileTo?: string): Promise<Opened> =>
    Promise.resolve({ engine: createOnnxEngine(profile(profileTo)), productSize: 1024 }),
};

export type BenchEngine = keyof typeof openers;
export const benchEngines = Object.keys(openers) as BenchEngine[];

/** Answers until its input ends, and with it the process. */
export async function serveEngine(): Promise<void> {
  let given: EngineCase | undefined;
  let running: RunningStep | undefined;
  const answer = async (line: string): Promise<object | undefined> => {
    if (!given) {
      given = JSON.parse(line) as EngineCase;
      return undefined;
    }
    if (line === '') return running!.take();
    const { use } = JSON.parse(line) as { use: BenchEngine };
    const { engine, productSize } = await openers[use](given.profileTo);
    const peakTflops = given.peak ? (await productGflops(engine, productSize)) / 1000 : null;
    running = new RunningStep(engine, given, use === 'dawn-f16' ? 'float16' : 'float32');
    return { device: engine.device, peakTflops } satisfies EngineFacts;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const found = await answer(line).catch((error: unknown) => ({ error: oneLine(error) }));
    if (found) process.stdout.write(`${JSON.stringify(found)}\n`);
  }
  await running?.engine.dispose();
  // Native libraries may hold threads; nothing is left to do.
  process.exit(0);
}

/** The trained state and the programs of a step: of the whole batch, or of as many images at a time as fit. */
class RunningStep {
  readonly engine: Engine;
  readonly #config: ResolvedConfig;
  readonly #trainStep: TrainStep;
  readonly #crops: Arrays;
  #reductions: number;
  #index = 0;
  #loaded: Loaded | undefined;

  constructor(
    engine: Engine,
    { case: name, batch, reductions }: EngineCase,
    precision: ResolvedConfig['runtime']['precision'],
  ) {
    this.engine = engine;
    this.#config = configOf(name, batch, precision);
    this.#trainStep = buildTrainStep(this.#config, totals);
    this.#crops = noiseCrops(this.#trainStep);
    this.#reductions = reductions;
  }

  /** The first one compiles; what turns out too large is divided, as the executor of a run does it. */
  async take(): Promise<EngineStep> {
    for (;;) {
      try {
        this.#loaded ??= await this.#load();
        const { run, microBatch, peakBytes } = this.#loaded;
        const inputs = { ...this.#crops, ...this.#trainStep.inputsAt(this.#index) };
        const startedMs = performance.now();
        const { loss } = await run(inputs);
        const ms = performance.now() - startedMs;
        this.#index++;
        return { ms, loss: loss![0]!, microBatch, plannedMiB: Math.round(peakBytes / 2 ** 20) || null };
      } catch (error) {
        if (!isForLackOfRoom(error, this.engine.name)) throw error;
        process.stderr.write(`${oneLine(error)}\n`);
        this.#reductions++;
        await this.#loaded?.dispose();
        this.#loaded = undefined;
      }
    }
  }

  async #load(): Promise<Loaded> {
    const { program, initialState } = this.#trainStep;
    const set = trainPrograms(this.#trainStep, this.#config, { reductions: this.#reductions });
    if (!set) throw new Error('not even one image at a time fits');
    const compiled = new Map<string, CompiledStep>();
    let state: EngineState | undefined;
    const dispose = async () => {
      await state?.dispose();
      for (const step of compiled.values()) await step.dispose();
    };
    try {
      for (const [name, part] of Object.entries(set.programs)) compiled.set(name, await this.engine.compile(part));
      state = this.engine.createState({ ...program.state, ...set.scratch }, initialState(), { arrays: 'givenUp' });
    } catch (error) {
      await dispose();
      throw error;
    }
    const held = state;
    const runProgram = (name: string, inputs: Arrays) => compiled.get(name)!.run(held, inputs);
    const composed = set.composed?.['train'];
    return {
      run: (inputs) => (composed ? composed.run(inputs, runProgram) : runProgram('train', inputs)),
      microBatch: microBatchOf(set.programs, this.#config),
      peakBytes: Math.max(...[...compiled.values()].map(({ peakBytes = 0 }) => peakBytes)),
      dispose,
    };
  }
}

interface Loaded {
  run(inputs: Arrays): Promise<Arrays>;
  microBatch: number;
  peakBytes: number;
  dispose(): Promise<void>;
}

/** A step that was divided takes in fewer crops at a time. */
function microBatchOf(programs: Readonly<Record<string, StepProgram>>, { train, crops }: ResolvedConfig): number {
  const rows = programs['embed']?.inputs['globalCrops']?.shape[0];
  return rows === undefined ? train.batchSize : rows / crops.global.count;
}

const profile = (profileTo: string | undefined) => (profileTo === undefined ? {} : { profileTo });

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300);
