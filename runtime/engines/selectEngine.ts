import { errors } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { createOnnxEngine } from './onnx/onnxEngine.ts';

/** What `runtime.engine` may say. */
export type EngineChoice = 'auto' | 'onnx' | 'tensorflow' | 'webgpu';

export interface EngineOptions {
  /** Absent: every core. */
  threads?: number;
}

export interface SelectedEngine {
  engine: Engine;
  /** Why this one, for the log: one clause. */
  reason: string;
}

/** The engines that this version can run. */
const available = ['auto', 'onnx'] as const;

/**
 * The engine asked for, or the best one there is.
 *
 * @throws engineUnavailable with the reason
 */
export function selectEngine(choice: EngineChoice, options: EngineOptions = {}): SelectedEngine {
  switch (choice) {
    case 'auto':
      return { engine: createOnnxEngine(options), reason: 'the only engine of this version that trains' };
    case 'onnx':
      return { engine: createOnnxEngine(options), reason: 'asked for' };
    case 'tensorflow':
      throw errors.engineUnavailable(choice, 'this version has no executor for tfjs-node yet', available);
    case 'webgpu':
      throw errors.engineUnavailable(choice, 'this version computes on the CPU only', available);
  }
}
