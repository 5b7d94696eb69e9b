import { ProtobufWriter } from './protobuf.ts';

/** Element types by ONNX's own numbers. */
export const elementType = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9, double: 11 } as const;

export type OnnxType = keyof typeof elementType;

export interface OnnxTensor {
  name: string;
  type: OnnxType;
  shape: readonly number[];
  data: Uint8Array;
}

export type Attribute = { integer: number } | { float: number } | { integers: readonly number[] };

export interface OnnxNode {
  op: string;
  /** Empty: ONNX's own operators. */
  domain: '' | 'com.microsoft';
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxPort {
  name: string;
  type: OnnxType;
  /** A name stands for a length that differs from call to call. */
  shape: readonly (number | string)[];
}

export interface OnnxModel {
  nodes: OnnxNode[];
  constants: OnnxTensor[];
  inputs: OnnxPort[];
  outputs: OnnxPort[];
}

/** The operator set that lowering is written for, and the file format that goes with it. */
const OPERATOR_SET = 18;
const IR_VERSION = 8;

/** The model as the bytes of an .onnx file. */
export function serialise({ nodes, constants, inputs, outputs }: OnnxModel): Uint8Array {
  const model = new ProtobufWriter().integer(1, IR_VERSION).text(2, 'simdino');
  model.message(7, (graph) => {
    for (const node of nodes) graph.message(1, (message) => writeNode(message, node));
    graph.text(2, 'step');
    for (const constant of constants) graph.message(5, (message) => writeTensor(message, constant));
    for (const input of inputs) graph.message(11, (message) => writePort(message, input));
    for (const output of outputs) graph.message(12, (message) => writePort(message, output));
  });
  model.message(8, (set) => set.text(1, '').integer(2, OPERATOR_SET));
  model.message(8, (set) => set.text(1, 'com.microsoft').integer(2, 1));
  return model.finish();
}

function writeNode(message: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.outputs[0]!).text(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message.message(5, (field) => {
      field.text(1, name);
      if ('integer' in attribute) field.integer(3, attribute.integer).integer(20, 2);
      else if ('float' in attribute) field.float(2, attribute.float).integer(20, 1);
      else {
        for (const integer of attribute.integers) field.integer(8, integer);
        field.integer(20, 7);
      }
    });
  }
  if (node.domain) message.text(7, node.domain);
}

function writeTensor(message: ProtobufWriter, { name, type, shape, data }: OnnxTensor): void {
  for (const length of shape) message.integer(1, length);
  message.integer(2, elementType[type]).text(8, name).bytes(9, data);
}

function writePort(message: ProtobufWriter, { name, type, shape }: OnnxPort): void {
  message.text(1, name).message(2, (typed) =>
    typed.message(1, (tensor) => {
      tensor.integer(1, elementType[type]);
      tensor.message(2, (dimensions) => {
        for (const length of shape) {
          dimensions.message(1, (dimension) =>
            typeof length === 'number' ? dimension.integer(1, length) : dimension.text(2, length),
          );
        }
      });
    }),
  );
}
