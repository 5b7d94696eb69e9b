/// <reference types="@webgpu/types" />
import { errors } from '../../../protocol/errors.ts';

/** A GPU through Dawn, the implementation of WebGPU in the npm package `webgpu`. */
export interface DawnDevice {
  /** Kept so that it is not collected: everything else lives in it. */
  instance: GPU;
  device: GPUDevice;
  maxBindingBytes: number;
  maxBindings: number;
  /** Rejects as soon as the device is lost, whatever waits for it. */
  lost: Promise<never>;
}

interface DawnModule {
  create(options: string[]): GPU;
  globals: Record<string, unknown>;
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
  // Timestamps are made coarse for the web's sake.
  const instance = create(exactTimes ? ['disable-dawn-features=timestamp_quantization'] : []);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw errors.engineUnavailable('dawn', 'no GPU was found', available);
  const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const { maxComputeWorkgroupStorageSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxStorageBufferBindingSize,
      maxBufferSize,
      maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
    },
    requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
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
