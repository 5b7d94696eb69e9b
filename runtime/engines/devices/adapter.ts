/** The GPU that WebGPU would use, and what it says of itself. */
export interface Adapter {
  /** For people: "NVIDIA H200". */
  name: string;
  vendor: string;
  architecture: string;
  /** Computed by the processor: right, and slower than the CPU engine. */
  isSoftware: boolean;
  limits: {
    /** The largest array that a kernel may read or write. */
    maxBindingBytes: number;
    maxBufferBytes: number;
  };
}

/** The part of the WebGPU interface that is used here; its own types are global and belong to browsers. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<{
    info: Record<'vendor' | 'architecture' | 'device' | 'description', string> & { isFallbackAdapter?: boolean };
    limits: { maxStorageBufferBindingSize: number; maxBufferSize: number };
  } | null>;
}

/**
 * Asks Dawn, the library behind ONNX Runtime's WebGPU provider, which itself tells nothing of the adapter that it took. Native code of
 * a driver runs: call it in a process that may die.
 *
 * @returns null where there is no adapter; 'unknown' where the package `webgpu` is not installed
 */
export async function findAdapter(): Promise<Adapter | null | 'unknown'> {
  const gpu = await openDawn();
  if (!gpu) return 'unknown';
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  const { vendor, architecture, device, description, isFallbackAdapter = false } = adapter.info;
  const words = [vendor, architecture, device, description].join(' ').toLowerCase();
  return {
    name: nameOf(adapter.info),
    vendor,
    architecture,
    isSoftware: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|software/.test(words),
    limits: {
      maxBindingBytes: adapter.limits.maxStorageBufferBindingSize,
      maxBufferBytes: adapter.limits.maxBufferSize,
    },
  };
}

async function openDawn(): Promise<Gpu | undefined> {
  try {
    const name = 'webgpu';
    const { create } = (await import(name)) as { create: (options: string[]) => Gpu };
    return create([]);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // No build of it for this platform, or left out by the installer: the engine works, nameless.
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED')
      return undefined;
    throw error;
  }
}

/** Drivers put the product's name in one field or another: the first that reads like one. */
type Words = Record<'vendor' | 'architecture' | 'device' | 'description', string>;

function nameOf({ vendor, architecture, device, description }: Words): string {
  const isName = (text: string | undefined): text is string => text !== undefined && /[a-z]{3}/i.test(text);
  const name = ([device, description, architecture].find(isName) ?? 'GPU').replace(/[\s-]+$/, '');
  return vendor && !name.toLowerCase().includes(vendor.toLowerCase()) ? `${vendor} ${name}` : name;
}
