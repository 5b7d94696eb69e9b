import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { Collective, CompiledStep, EngineState, Precision, StepProgram, TypedArray } from '../engine.ts';
import { liveness } from '../graph/liveness.ts';
import { stagesOf } from '../graph/stages.ts';
import { record } from '../trace/record.ts';
import { lower } from './lower.ts';
import { destination, inPlaceUpdates, runWith } from './inPlace.ts';
import type { LoweringTarget } from './lowering.ts';
import { serialise } from './model.ts';
import { compileStages } from './stagedStep.ts';
import { tensorOf } from './tensors.ts';

/** State in tensors of the runtime. A step reads the current ones, and writes its updates over them or into spare ones. */
export interface StepState extends EngineState {
  readonly precision: Precision;
  /** Waits until everything is where the step finds it. */
  ready(): Promise<void>;
  current(name: string): Tensor;
  /** Where the next value of an entry may be written. */
  spare(name: string): Tensor;
  /** Makes what was written into the spare tensors current. */
  swap(names: readonly string[]): void;
  /** Says that a step failed when it may have written over current tensors: whoever reads gets the error. */
  spoil?(error: Error): void;
}

export interface StepOptions {
  target: LoweringTarget;
  session: InferenceSession.SessionOptions;
  /** Elements of a block of rows that is worth keeping in a processor's caches; absent: rows are not divided. */
  blockElements?: number;
  /** Refuses a step by its largest array, before a session is made of it. */
  checkLargestBytes?: (largestBytes: number) => void;
  /** Whether updates may be written over the state that they replace, where nobody reads it any more. */
  updatesInPlace?: boolean;
  /** The processes that this one trains together with, for steps with sums over them. */
  collective?: Collective;
  /** The states of this engine. */
  isOwn: (state: EngineState) => state is StepState;
}

/** Records a step, lowers it and loads it into ONNX Runtime. */
export async function compileOnnxStep(program: StepProgram, options: StepOptions): Promise<CompiledStep> {
  const { target, session: sessionOptions, blockElements, checkLargestBytes, updatesInPlace = false, isOwn } = options;
  const { precision } = target;
  const { graph, names, outputs } = record(program, blockElements === undefined ? {} : { blockElements });
  const { peakBytes, largestBytes } = liveness(graph, { bytesPerReal: precision === 'float64' ? 8 : 4 });
  checkLargestBytes?.(largestBytes);
  const stages = stagesOf(graph);
  if (stages.length > 1) return compileStages(program, { stages, names, outputs, peakBytes }, options);
  const model = lower(graph, target);
  const session = await InferenceSession.create(serialise(model), sessionOptions);
  const inPlace = updatesInPlace ? inPlaceUpdates(model, program.updates, names) : undefined;
  const copied = program.updates.filter((name) => !inPlace?.entries.has(name));

  const used = new Set(model.inputs.map(({ name }) => name));
  const stateNames = Object.keys(program.state).filter((name) => used.has(names.state(name)));
  const inputNames = Object.keys(program.inputs).filter((name) => used.has(names.input(name)));

  return {
    inputs: inputNames,
    peakBytes,
    async run(state: EngineState, inputs: Readonly<Record<string, TypedArray>>) {
      if (!isOwn(state) || state.precision !== precision)
        throw new Error(`internal: engine: a ${precision} step needs a state of its own engine with that precision.`);
      await state.ready();
      const feeds: Record<string, Tensor> = {};
      for (const name of stateNames) feeds[names.state(name)] = state.current(name);
      for (const name of inputNames) {
        const values = inputs[name];
        if (!values) throw new Error(`internal: engine: input "${name}" is missing.`);
        feeds[names.input(name)] = tensorOf(`input "${name}"`, program.inputs[name]!, precision, values);
      }
      // Updates go where we say; other results come to the host.
      const fetches: Record<string, Tensor | null> = {};
      for (const name of program.updates) fetches[names.update(name)] = destination(name, state, inPlace);
      for (const name of outputs) fetches[names.output(name)] = null;
      const results = await runWith(session, { feeds, fetches }, { state, inPlace });
      state.swap(copied);
      return Object.fromEntries(outputs.map((name) => [name, results[names.output(name)]!.data as TypedArray]));
    },
    async dispose() {
      if (sessionOptions.enableProfiling) session.endProfiling();
      await session.release();
    },
  };
}

/** The steps that an engine has compiled: each is released once, by its holder or with the engine. */
export class CompiledSteps {
  readonly #open = new Set<CompiledStep>();

  add(step: CompiledStep): CompiledStep {
    this.#open.add(step);
    return {
      ...step,
      dispose: async () => {
        if (this.#open.delete(step)) await step.dispose();
      },
    };
  }

  async dispose(): Promise<void> {
    const steps = [...this.#open];
    this.#open.clear();
    await Promise.all(steps.map((step) => step.dispose()));
  }
}
