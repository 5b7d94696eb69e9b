import * as tf from '@tensorflow/tfjs-core';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Op, ElementType, Shape, Value } from '../graph/ir.ts';
import { RECORDER, RecordingBackend } from './recordingBackend.ts';

/** What a kernel sees: its operands as values of the graph, and tfjs's attributes. */
export interface KernelCall {
  readonly graph: GraphBuilder;
  /** The operand of that name in tfjs's kernel. */
  operand(name: string): Value;
  /** The operands of a kernel that takes a list. */
  readonly operands: readonly Value[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Appends a kernel's meaning to the graph. */
export type Kernel = (call: KernelCall) => Value | Value[];

/** Registers kernels by the names that tfjs calls them by. */
export function registerKernels(kernels: Readonly<Record<string, Kernel>>): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: RECORDER,
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (!(backend instanceof RecordingBackend))
          throw new Error('internal: recording: another backend runs our kernels.');
        const recorder = backend;
        const result = kernel({
          graph: recorder.graph,
          operand: (name) => recorder.symbolOf(inputs[name]!),
          // Kernels of lists receive an array in the place of the map.
          operands: (Object.values(inputs) as tf.TensorInfo[]).map((info) => recorder.symbolOf(info)),
          attributes: attrs ?? {},
        });
        return Array.isArray(result) ? result.map((value) => recorder.infoOf(value)) : recorder.infoOf(result);
      },
    });
  }
}

/** Shorthands in which kernels are written. */
export const unary = (graph: GraphBuilder, fn: (Op & { kind: 'unary' })['fn'], x: Value): Value =>
  graph.apply({ kind: 'unary', fn }, [x], x.shape, fn === 'not' || fn === 'isNaN' ? 'bool' : x.type);

export const reshape = (graph: GraphBuilder, x: Value, shape: Shape): Value =>
  graph.apply({ kind: 'reshape' }, [x], shape, x.type);

export const cast = (graph: GraphBuilder, x: Value, type: ElementType): Value =>
  graph.apply({ kind: 'cast' }, [x], x.shape, type);

export const slice = (graph: GraphBuilder, x: Value, begin: readonly number[], size: readonly number[]): Value =>
  graph.apply({ kind: 'slice', begin, strides: begin.map(() => 1) }, [x], size, x.type);
