/** Entry of a probe's process, built to dist/engineProbe.mjs: tries one engine and says what came of it. */
import { createDawnEngine } from '../dawn/dawnEngine.ts';
import { createOnnxEngine } from '../onnx/onnxEngine.ts';
import { createWebGpuEngine, type WebGpuOptions } from '../onnx/webgpuEngine.ts';
import type { Engine } from '../engine.ts';
import { createTensorflowEngine } from '../tensorflow/tensorflowEngine.ts';
import { isSimdinoError } from '../../../protocol/errors.ts';
import { findAdapter } from './adapter.ts';
import type { EngineName, EngineReport } from './engineReport.ts';
import { computesCorrectly, productGflops } from './measureEngine.ts';

/** Matrices that are worth a device's while, and what a software GPU does in a moment. */
const SIZE = 1024;
const SOFTWARE_SIZE = 192;

const driverOf: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Metal', win32: 'Direct3D 12', linux: 'Vulkan' };

const engine = process.argv[2] as EngineName;
/** What is known so far: the parent keeps the last one, should this process end in the middle. */
const tell = (report: EngineReport) =>
  new Promise<void>((resolve) => process.send!(report, undefined, undefined, () => resolve()));

await tell(await probe(engine));
process.disconnect();
// Native libraries may hold threads; nothing is left to do.
process.exit(0);

async function probe(name: EngineName): Promise<EngineReport> {
  switch (name) {
    case 'onnx':
      return measured(name, createOnnxEngine(), { verdict: 'works', size: SIZE });
    case 'tensorflow':
      try {
        return await probeTensorflow();
      } catch (error) {
        if (!isSimdinoError(error)) throw error;
        return { engine: name, device: '-', verdict: 'unavailable', reason: clauseOf(error.message) };
      }
    case 'webgpu':
      return probeGpu(name, (options) => Promise.resolve(createWebGpuEngine(options)));
    case 'dawn':
      return probeGpu(name, ({ adapter }) =>
        createDawnEngine({ ...(adapter === undefined ? {} : { adapter }), available: ['auto', 'onnx'] }),
      );
  }
}

/** On the processor the step runs kernel by kernel, which its speed at products does not show. */
async function probeTensorflow(): Promise<EngineReport> {
  const found = await createTensorflowEngine([]);
  const onCuda = found.device.startsWith('CUDA');
  const report = await measured('tensorflow', found, { verdict: onCuda ? 'works' : 'second choice', size: SIZE });
  return onCuda ? report : { ...report, reason: report.reason || 'on the processor the onnx engine is faster' };
}

async function probeGpu(
  name: 'webgpu' | 'dawn',
  create: (options: WebGpuOptions) => Promise<Engine>,
): Promise<EngineReport> {
  const adapter = await findAdapter();
  if (adapter === null) {
    const reason = `no GPU was found: it takes a driver with ${driverOf[process.platform] ?? 'Vulkan'}`;
    return { engine: name, device: '-', verdict: 'unavailable', reason };
  }
  if (adapter === 'unknown') {
    const reason = 'the package `webgpu` is not installed';
    if (name === 'dawn') return { engine: name, device: '-', verdict: 'unavailable', reason };
    const report = await measured(name, await create({}), { verdict: 'works', size: SIZE });
    return { ...report, reason: `its name and limits are unknown, since ${reason}` };
  }
  const { isSoftware, limits } = adapter;
  const verdict = isSoftware ? 'second choice' : 'works';
  const reason = isSoftware ? 'a software adapter: the processor plays the GPU, slower than the CPU engine' : '';
  await tell({ engine: name, device: adapter.name, verdict, reason, adapter });
  const found = await create({ adapter: adapter.name, maxBindingBytes: limits.maxBindingBytes });
  const report = await measured(name, found, { verdict, size: isSoftware ? SOFTWARE_SIZE : SIZE });
  return { ...report, reason: report.reason || reason, adapter };
}

async function measured(
  name: EngineName,
  found: Engine,
  { verdict, size }: { verdict: EngineReport['verdict']; size: number },
): Promise<EngineReport> {
  const report = { engine: name, device: found.device };
  try {
    if (!(await computesCorrectly(found)))
      return { ...report, verdict: 'faulty', reason: 'a small product of matrices came out wrong' };
    return { ...report, verdict, reason: '', gflops: await productGflops(found, size) };
  } finally {
    await found.dispose();
  }
}

/** The reason inside "Engine 'x' can't be used: REASON. Remedy." */
function clauseOf(message: string): string {
  return message.replace(/^.*?can't be used: /, '').replace(/\. Set runtime\.engine.*$/, '');
}
