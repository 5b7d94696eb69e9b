/// <reference types="@webgpu/types" />
import { errors } from '../../../protocol/errors.ts';
import { FRAGMENT, SUBGROUP } from './kernels/matrixUnitArithmetic.ts';

/** A GPU through Dawn, the implementation of WebGPU in the npm package `webgpu`. */
export interface DawnDevice {
  /** Kept so that it is not collected: everything else lives in it. */
  instance: GPU;
  device: GPUDevice;
  maxBindingBytes: number;
  maxBindings: number;
  /** Products of 16-bit matrices, added in 32 bits, by the hardware's matrix units. */
  hasMatrixUnits: boolean;
  /** Rejects as soon as the device is lost, whatever waits for it. */
  lost: Promise<never>;
}

interface DawnModule {
  create(options: string[]): GPU;
  globals: Record<string, unknown>;
}

/**
 * Experimental in Dawn: matrix units, and the 16 bits that they need on NVIDIA's GPUs. Our kernels' indices are right by construction - shapes
 * are static, edges are guarded - so that checking each of them again would cost 4 % of a step for nothing.
 */
const enabledFeatures = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'disable_robustness'];
const matrixUnitFeatures = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** The shapes of matrices that an adapter's units multiply; not in WebGPU's standard yet. */
interface MatrixUnitInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: Iterable<{
    componentType: string;
    resultComponentType: string;
    M: number;
    N: number;
    K: number;
  }>;
}

function offersMatrixUnits({ features, info }: GPUAdapter): boolean {
  if (!matrixUnitFeatures.every((feature) => features.has(feature))) return false;
  const { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs = [] } = info as MatrixUnitInfo;
  if (subgroupMinSize !== SUBGROUP || subgroupMaxSize !== SUBGROUP) return false;
  return [...subgroupMatrixConfigs].some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && [M, N, K].every((side) => side === FRAGMENT),
  );
}

/**
 * Opens the fastest adapter with all that it offers. Native code of a driver runs: keep it in a process that may die.
 *
 * @throws engineUnavailable when the package is not installed, or no adapter is there
 */
export async function openDawn(
  available: readonly string[],
  { exactTimes = false }: { exactTimes?: boolean } = {},
): Promise<DawnDevice> {
  const { create, globals } = await loadDawn(available);
  Object.assign(globalThis, globals);
  const instance = create([
    `enable-dawn-features=${enabledFeatures.join()}`,
    // Timestamps are made coarse for the web's sake.
    ...(exactTimes ? ['disable-dawn-features=timestamp_quantization'] : []),
  ]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw errors.engineUnavailable('dawn', 'no GPU was found', available);
  const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const { maxComputeWorkgroupStorageSize } = adapter.limits;
  const hasMatrixUnits = offersMatrixUnits(adapter);
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxStorageBufferBindingSize,
      maxBufferSize,
      maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
    },
    requiredFeatures: [...(hasMatrixUnits ? matrixUnitFeatures : []), 'timestamp-query'].filter((feature) =>
      adapter.features.has(feature),
    ) as GPUFeatureName[],
  });
  const lost = device.lost.then((info): never => {
    throw errors.deviceLost(adapter.info.description || 'GPU', info.message.split('\n')[0] || info.reason);
  });
  // It is lost in the end, when it is given back: that is nobody's error.
  lost.catch(() => {});
  return {
    instance,
    device,
    maxBindingBytes: Math.min(maxStorageBufferBindingSize, maxBufferSize),
    maxBindings: Math.min(16, maxStorageBuffersPerShaderStage),
    hasMatrixUnits,
    lost,
  };
}

async function loadDawn(available: readonly string[]): Promise<DawnModule> {
  try {
    const name = 'webgpu';
    return (await import(name)) as DawnModule;
  } catch (error) {
    const detail = (error as Error).message.split('\n')[0]!;
    throw errors.engineUnavailable('dawn', `the package webgpu can't be loaded (${detail})`, available);
  }
}

/** Makes a buffer, or says that there is no room. */
export async function createBuffer({ device }: DawnDevice, descriptor: GPUBufferDescriptor): Promise<GPUBuffer> {
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer(descriptor);
  const error = await device.popErrorScope();
  if (error)
    throw errors.outOfMemory(
      'dawn',
      `a buffer of ${Math.ceil(descriptor.size / 2 ** 20)} MiB: ${error.message.split('\n')[0]}`,
    );
  return buffer;
}
