/** A step with sums over processes: one model per stage, and the sums between them. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { CompiledStep, EngineState, StepProgram, TypedArray } from '../engine.ts';
import { sizeOf } from '../graph/ir.ts';
import type { Stage } from '../graph/stages.ts';
import type { Recording } from '../trace/record.ts';
import { destination, inPlaceUpdates, runWith } from './inPlace.ts';
import { lower } from './lower.ts';
import { serialise, type OnnxModel } from './model.ts';
import type { StepOptions } from './onnxStep.ts';
import { tensorOf } from './tensors.ts';

interface StagedRecording extends Pick<Recording, 'names' | 'outputs'> {
  stages: Stage[];
  peakBytes: number;
}

interface LoadedStage {
  session: InferenceSession;
  model: OnnxModel;
  sums: string[];
  /** Where values that later stages need are written, at every step anew. */
  carried: Map<string, Tensor>;
}

/**
 * Loads the stages of a step. Until the last one is done the state stays as it was: a step whose sum is never finished, since another
 * process is lost, was not taken.
 */
export async function compileStages(
  program: StepProgram,
  { stages, names, outputs, peakBytes }: StagedRecording,
  { target, session: sessionOptions, collective, updatesInPlace = false, isOwn }: StepOptions,
): Promise<CompiledStep> {
  if (!collective) throw new Error('internal: engine: a step sums over processes, but this engine was given none.');
  const { precision } = target;
  const loaded: LoadedStage[] = [];
  for (const { graph, sums } of stages) {
    const model = lower(graph, target);
    const session = await InferenceSession.create(serialise(model), sessionOptions);
    loaded.push({ session, model, sums, carried: carriedTensors(model) });
  }
  const used = new Set(loaded.flatMap(({ model }) => model.inputs.map(({ name }) => name)));
  const stateNames = Object.keys(program.state).filter((name) => used.has(names.state(name)));
  const inputNames = Object.keys(program.inputs).filter((name) => used.has(names.input(name)));
  const updates = new Map(program.updates.map((name) => [names.update(name), name]));
  const last = loaded.at(-1)!;
  const made = new Set(last.model.outputs.map(({ name }) => name));
  const inPlace = updatesInPlace
    ? inPlaceUpdates(
        last.model,
        program.updates.filter((name) => made.has(names.update(name))),
        names,
      )
    : undefined;
  const copied = program.updates.filter((name) => !inPlace?.entries.has(name));

  return {
    inputs: inputNames,
    peakBytes,
    async run(state: EngineState, inputs: Readonly<Record<string, TypedArray>>) {
      if (!isOwn(state) || state.precision !== precision)
        throw new Error(`internal: engine: a ${precision} step needs a state of its own engine with that precision.`);
      await state.ready();
      const given = new Map<string, Tensor>();
      for (const name of stateNames) given.set(names.state(name), state.current(name));
      for (const name of inputNames) {
        const values = inputs[name];
        if (!values) throw new Error(`internal: engine: input "${name}" is missing.`);
        given.set(names.input(name), tensorOf(`input "${name}"`, program.inputs[name]!, precision, values));
      }
      const found = new Map<string, TypedArray>();
      for (const stage of loaded) {
        const { session, model, sums, carried } = stage;
        const feeds = Object.fromEntries(model.inputs.map(({ name }) => [name, given.get(name)!]));
        const fetches: Record<string, Tensor | null> = {};
        for (const { name } of model.outputs) {
          const update = updates.get(name);
          fetches[name] = carried.get(name) ?? (update === undefined ? null : destination(update, state, inPlace));
        }
        const results = await runWith(
          session,
          { feeds, fetches },
          { state, inPlace: stage === last ? inPlace : undefined },
        );
        for (const [name, tensor] of carried) given.set(name, asInput(tensor, used, loaded, name));
        for (const name of outputs) {
          const result = results[names.output(name)];
          if (result) found.set(name, result.data as TypedArray);
        }
        if (sums.length > 0)
          await collective.sum(sums.map((name) => carried.get(name)!.data as Float32Array | Float64Array));
      }
      state.swap(copied);
      return Object.fromEntries(outputs.map((name) => [name, found.get(name)!]));
    },
    async dispose() {
      for (const { session } of loaded) {
        if (sessionOptions.enableProfiling) session.endProfiling();
        await session.release();
      }
    },
  };
}

function carriedTensors({ outputs }: OnnxModel): Map<string, Tensor> {
  const arrays = { float: Float32Array, double: Float64Array, int32: Int32Array, uint8: Uint8Array } as const;
  const types = { float: 'float32', double: 'float64', int32: 'int32', uint8: 'uint8' } as const;
  return new Map(
    outputs
      .filter(({ name }) => name.startsWith('carried/'))
      .map(({ name, type, shape }) => {
        if (!(type in arrays))
          throw new Error(`internal: engine: a value of type ${type} can't go from stage to stage.`);
        const kind = type as keyof typeof arrays;
        const size = sizeOf(shape as readonly number[]);
        return [name, new Tensor(types[kind], new arrays[kind](size) as Float32Array, shape as readonly number[])];
      }),
  );
}

/** Booleans leave a model as bytes and enter the next as booleans. */
function asInput(tensor: Tensor, used: ReadonlySet<string>, stages: readonly LoadedStage[], name: string): Tensor {
  if (tensor.type !== 'uint8' || !used.has(name)) return tensor;
  const port = stages.flatMap(({ model }) => model.inputs).find((input) => input.name === name);
  return port?.type === 'bool' ? new Tensor('bool', tensor.data as Uint8Array, tensor.dims) : tensor;
}
