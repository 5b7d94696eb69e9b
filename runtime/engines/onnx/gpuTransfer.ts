import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TypedArray } from '../engine.ts';
import { serialise, type OnnxType } from './model.ts';

/** Element types of state. */
export type TransferType = 'float32' | 'int32' | 'uint8';

const onnxTypes: Record<TransferType, OnnxType> = {
  float32: 'float',
  int32: 'int32',
  uint8: 'uint8',
};

/**
 * Copies between the host and the GPU. ONNX Runtime's binding has no such calls (reading a tensor on the GPU ends the process), but a session
 * whose one operator returns its operand moves it to where the session's results are to be.
 *
 * What a session has made must not outlive it: tensors first, then `dispose`.
 */
export class GpuTransfer {
  readonly #sessions = new Map<string, Promise<InferenceSession>>();
  readonly #options: InferenceSession.SessionOptions;

  constructor(options: InferenceSession.SessionOptions) {
    this.#options = options;
  }

  /** A new tensor on the GPU. */
  async upload(data: TypedArray, type: TransferType, shape: readonly number[]): Promise<Tensor> {
    const session = await this.#session('gpu-buffer', type, shape.length);
    const { moved } = await session.run({ given: new Tensor(type, data as Float32Array, shape) });
    return moved as Tensor;
  }

  async download(tensor: Tensor): Promise<TypedArray> {
    const session = await this.#session('cpu', tensor.type as TransferType, tensor.dims.length);
    const { moved } = await session.run({ given: tensor });
    return (moved as Tensor).data as TypedArray;
  }

  async dispose(): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values());
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.release()));
  }

  #session(to: 'cpu' | 'gpu-buffer', type: TransferType, rank: number): Promise<InferenceSession> {
    const key = `${to} ${type} ${rank}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const port = { type: onnxTypes[type], shape: Array.from({ length: rank }, (_, axis) => `n${axis}`) };
    const model = serialise({
      nodes: [{ op: 'Identity', domain: '', inputs: ['given'], outputs: ['moved'], attributes: {} }],
      constants: [],
      inputs: [{ name: 'given', ...port }],
      outputs: [{ name: 'moved', ...port }],
    });
    const session = InferenceSession.create(model, { ...this.#options, preferredOutputLocation: to });
    this.#sessions.set(key, session);
    return session;
  }
}
