import { errors } from '../../../protocol/errors.ts';
import type { CompiledStep, EngineState, StepProgram, TypedArray } from '../engine.ts';
import { sizeOf, type Value } from '../graph/ir.ts';
import { schedule } from '../graph/schedule.ts';
import { record } from '../trace/record.ts';
import { arrayOf } from '../deviceState.ts';
import { DawnState } from './dawnState.ts';
import { createBuffer, type DawnDevice } from './device.ts';
import { LARGEST_FACTOR } from './kernels/choleskyInverse.ts';
import type { KernelTimes } from './kernelTimes.ts';
import { planGraph, type Memory, type PlannedKernel } from './plan/plan.ts';
import { readStaging, upload, type Source } from './transfer.ts';

/** Kernels that are handed to the GPU at a time: it begins with the first while the next are still being listed. */
const KERNELS_PER_SUBMISSION = 100;

interface Dispatch {
  pipeline: GPUComputePipeline;
  kernel: PlannedKernel;
}

/** Pipelines by their source: the layers of a network share theirs. */
export type Pipelines = Map<string, Promise<GPUComputePipeline>>;

/**
 * Records a step, plans it and compiles its kernels.
 *
 * @throws noMatrixUnits for mixed precision; arrayTooLarge, outOfMemory: the step needs a smaller micro-batch
 */
export async function compileDawnStep(
  gpu: DawnDevice,
  pipelines: Pipelines,
  program: StepProgram,
  { adapter, times, matrixUnits }: { adapter: string; times?: KernelTimes | undefined; matrixUnits: boolean },
): Promise<CompiledStep> {
  const { graph, names, outputs } = record(program, { largestFactor: LARGEST_FACTOR });
  if (!matrixUnits && schedule(graph).some(isMixed)) throw errors.noMatrixUnits(adapter);
  const updates = new Map(program.updates.map((name) => [names.update(name), names.state(name)]));
  const plan = planGraph(graph, { maxBindings: gpu.maxBindings, updates, matrixUnits });
  if (plan.largestBytes > gpu.maxBindingBytes)
    throw errors.arrayTooLarge(adapter, plan.largestBytes, gpu.maxBindingBytes);

  const used = new Set<string>();
  for (const { arrays } of plan.kernels)
    for (const { memory } of arrays) if (memory.kind === 'input') used.add(memory.name);
  const inputNames = Object.keys(program.inputs).filter((name) => used.has(names.input(name)));
  const stateNames = new Map(Object.keys(program.state).map((name) => [names.state(name), name]));

  const owned: GPUBuffer[] = [];
  const buffers = {
    slots: [] as GPUBuffer[],
    constants: new Map<Value, GPUBuffer>(),
    inputs: new Map<string, GPUBuffer>(),
  };
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const own = async (size: number, usage: number): Promise<GPUBuffer> => {
    const buffer = await createBuffer(gpu, { size: Math.max(4, Math.ceil(size / 4) * 4), usage });
    owned.push(buffer);
    return buffer;
  };
  const dispose = () => {
    for (const buffer of owned) buffer.destroy();
    owned.length = 0;
  };
  const readBack = plan.results
    .filter(({ name }) => !updates.has(name))
    .map(({ value, memory }) => ({ memory, shape: value.shape, dtype: dtypeOf(value) }));
  let staging: GPUBuffer;
  let dispatches: Dispatch[];
  try {
    for (const bytes of plan.slots) buffers.slots.push(await own(bytes, STORAGE | COPY_SRC));
    for (const name of inputNames) {
      const { shape, dtype } = program.inputs[name]!;
      buffers.inputs.set(
        names.input(name),
        await own(sizeOf(shape) * (dtype === 'uint8' ? 1 : 4), STORAGE | COPY_DST | COPY_SRC),
      );
    }
    for (const { arrays } of plan.kernels) {
      for (const { memory } of arrays) {
        if (memory.kind !== 'constant' || buffers.constants.has(memory.value)) continue;
        const data = constantArray(memory.value);
        const buffer = await own(data.byteLength, STORAGE | COPY_DST | COPY_SRC);
        upload(gpu, buffer, data);
        buffers.constants.set(memory.value, buffer);
      }
    }
    staging = await own(
      readBack.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0),
      COPY_DST | MAP_READ,
    );
    dispatches = await Promise.all(
      plan.kernels.map(async (kernel) => ({ kernel, pipeline: await pipelineOf(gpu, pipelines, kernel) })),
    );
  } catch (error) {
    dispose();
    throw error;
  }
  const groupsOf = new WeakMap<DawnState, GPUBindGroup[]>();

  return {
    inputs: inputNames,
    peakBytes: plan.slots.reduce((sum, bytes) => sum + bytes, 0),
    async run(state: EngineState, inputs: Readonly<Record<string, TypedArray>>) {
      if (!(state instanceof DawnState)) throw new Error('internal: engine: a step needs a state of its own engine.');
      await state.ready();
      for (const name of inputNames) {
        const values = inputs[name];
        if (!values) throw new Error(`internal: engine: input "${name}" is missing.`);
        upload(gpu, buffers.inputs.get(names.input(name))!, arrayOf(`input "${name}"`, program.inputs[name]!, values));
      }
      const bufferOf = (memory: Memory): GPUBuffer => bufferIn(state, memory);
      let groups = groupsOf.get(state);
      if (!groups) {
        groups = dispatches.map(({ pipeline, kernel }) => bindGroup(pipeline, kernel, bufferOf));
        groupsOf.set(state, groups);
      }
      const listed = groups;
      const encode = (pass: GPUComputePassEncoder, index: number) => encodeKernel(pass, index, listed);
      if (times) await times.run(plan.kernels, encode);
      else submitKernels(encode);
      const encoder = gpu.device.createCommandEncoder();
      for (const { name, memory, value } of plan.results) {
        const target = updates.get(name);
        const source = bufferOf(memory);
        const destination = target && state.buffer(stateNames.get(target)!);
        if (destination && destination !== source)
          encoder.copyBufferToBuffer(source, 0, destination, 0, 4 * sizeOf(value.shape));
      }
      let offset = 0;
      for (const { memory, shape } of readBack) {
        encoder.copyBufferToBuffer(bufferOf(memory), 0, staging, offset, 4 * sizeOf(shape));
        offset += 4 * sizeOf(shape);
      }
      gpu.device.queue.submit([encoder.finish()]);
      const found = await readStaging(gpu, staging, readBack);
      const all = plan.results.filter(({ name }) => !updates.has(name)).map(({ name }) => name);
      return Object.fromEntries(outputs.map((name) => [name, found[all.indexOf(names.output(name))]!]));
    },
    async dispose() {
      dispose();
    },
  };

  function bufferIn(state: DawnState, memory: Memory): GPUBuffer {
    switch (memory.kind) {
      case 'slot':
        return buffers.slots[memory.index]!;
      case 'constant':
        return buffers.constants.get(memory.value)!;
      case 'input': {
        const entry = stateNames.get(memory.name);
        return entry === undefined ? buffers.inputs.get(memory.name)! : state.buffer(entry);
      }
    }
  }

  function bindGroup(
    pipeline: GPUComputePipeline,
    { arrays }: PlannedKernel,
    bufferOf: (memory: Memory) => GPUBuffer,
  ): GPUBindGroup {
    return gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: arrays.map(({ binding, memory }) => ({ binding, resource: { buffer: bufferOf(memory) } })),
    });
  }

  function encodeKernel(pass: GPUComputePassEncoder, index: number, groups: readonly GPUBindGroup[]): void {
    const { pipeline, kernel } = dispatches[index]!;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groups[index]);
    pass.dispatchWorkgroups(...kernel.workgroups);
  }

  function submitKernels(encode: (pass: GPUComputePassEncoder, index: number) => void): void {
    for (let first = 0; first < dispatches.length; first += KERNELS_PER_SUBMISSION) {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let index = first; index < Math.min(first + KERNELS_PER_SUBMISSION, dispatches.length); index++)
        encode(pass, index);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
    }
  }
}

function pipelineOf(
  { device }: DawnDevice,
  pipelines: Pipelines,
  { source, label }: PlannedKernel,
): Promise<GPUComputePipeline> {
  const known = pipelines.get(source);
  if (known) return known;
  const module = device.createShaderModule({ code: source, label });
  const pipeline = device
    .createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })
    .catch((error: unknown) => {
      throw new Error(`internal: dawn: the kernel "${label}" does not compile: ${(error as Error).message}\n${source}`);
    });
  pipelines.set(source, pipeline);
  return pipeline;
}

const isMixed = ({ op }: Value): boolean => op.kind === 'matmul' && op.mixed === true;

function dtypeOf({ type }: Value): Source['dtype'] {
  return type === 'real' ? 'float32' : type;
}

function constantArray({ op, type }: Value): TypedArray {
  if (op.kind !== 'constant') throw new Error('internal: dawn: not a constant.');
  return type === 'real' ? Float32Array.from(op.data) : Int32Array.from(op.data);
}
