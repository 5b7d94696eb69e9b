import type { Engine } from '../../runtime/engines/engine.ts';
import { engineNames, type EngineName } from '../../runtime/engines/devices/engineReport.ts';
import { createDawnEngine } from '../../runtime/engines/dawn/dawnEngine.ts';
import { createOnnxEngine } from '../../runtime/engines/onnx/onnxEngine.ts';
import { createWebGpuEngine } from '../../runtime/engines/onnx/webgpuEngine.ts';
import { createTensorflowEngine } from '../../runtime/engines/tensorflow/tensorflowEngine.ts';

/** The engine that the golden suite and the conformance suite run on: SIMDINO_GOLDEN_ENGINE, else the CPU's. */
export const testedEngine: EngineName = named(process.env['SIMDINO_GOLDEN_ENGINE'] ?? 'onnx');

/** @param name which one, instead of the one under test */
export async function engineOfTests(name: EngineName = testedEngine): Promise<Engine> {
  switch (name) {
    case 'onnx':
      return createOnnxEngine({ threads: 1 });
    case 'webgpu':
      return createWebGpuEngine({ maxBindingBytes: 2 ** 28 });
    case 'dawn':
      return createDawnEngine({ available: ['onnx'] });
    case 'tensorflow':
      return createTensorflowEngine(['onnx']);
  }
}

function named(name: string): EngineName {
  const known = engineNames.find((engine) => engine === name);
  if (!known) throw new Error(`SIMDINO_GOLDEN_ENGINE must be one of ${engineNames.join(', ')}, got ${name}.`);
  return known;
}
