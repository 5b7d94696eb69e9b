/**
 * NVIDIA's management library, called directly: it comes with the driver, so that a machine either has it or has no such GPU.
 * Every call may take milliseconds; all but opening run on a thread of their own.
 */
import type { KoffiFunc, LibraryHandle } from 'koffi';

export interface NvmlDevice {
  readonly name: string;
  /** Processes that compute or draw on it, as the driver numbers them: in a container these are not our numbers. */
  processes(): Promise<number[]>;
  /** Busy share of the last sample period, 0 to 1; null where the device does not tell, as under MIG. */
  busyShare(): Promise<number | null>;
  usedBytes(): Promise<number | null>;
}

export interface Nvml {
  readonly devices: readonly NvmlDevice[];
  close(): void;
}

const libraryNames: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['libnvidia-ml.so.1', 'libnvidia-ml.so'],
  win32: ['nvml.dll', 'C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll'],
};

const nameBytes = 96;
/** `nvmlProcessInfo_v2_t`: pid, 4 bytes of padding, memory, two instance numbers. */
const processInfoBytes = 24;
const mostProcesses = 128;

type NativeCall = KoffiFunc<(...args: unknown[]) => unknown>;

/**
 * The library and its devices; null where there is none, or none that answers. `SIMDINO_NVML` names another file.
 */
export async function openNvml(environment: NodeJS.ProcessEnv = process.env): Promise<Nvml | null> {
  const given = environment['SIMDINO_NVML'];
  const names = given === undefined ? (libraryNames[process.platform] ?? []) : [given];
  if (names.length === 0) return null;
  try {
    const { default: koffi } = await import('koffi');
    for (const name of names) {
      const library = tryTo(() => koffi.load(name));
      const nvml = library && tryTo(() => connect(library));
      if (nvml) return nvml;
    }
  } catch {
    // koffi has no build for this machine.
  }
  return null;
}

function connect(library: LibraryHandle): Nvml | undefined {
  const call = (prototype: string): NativeCall => library.func(prototype) as NativeCall;
  if (call('int nvmlInit_v2()')() !== 0) return undefined;
  const count = Buffer.alloc(4);
  if (call('int nvmlDeviceGetCount_v2(void *)')(count) !== 0) return undefined;
  const handleAt = call('int nvmlDeviceGetHandleByIndex_v2(uint32_t, _Out_ void **)');
  const nameOf = call('int nvmlDeviceGetName(void *, void *, uint32_t)');
  const utilisation = call('int nvmlDeviceGetUtilizationRates(void *, void *)');
  const memory = call('int nvmlDeviceGetMemoryInfo(void *, void *)');
  const lists = ['Compute', 'Graphics'].flatMap((kind) => {
    // Drivers before 510 have no third version.
    const list = tryTo(() => call(`int nvmlDeviceGet${kind}RunningProcesses_v3(void *, void *, void *)`));
    return list ? [list] : [];
  });
  const shutdown = call('int nvmlShutdown()');

  const devices = Array.from({ length: count.readUInt32LE() }, (_, index): NvmlDevice[] => {
    const out: unknown[] = [null];
    if (handleAt(index, out) !== 0) return [];
    const [device] = out;
    const name = Buffer.alloc(nameBytes);
    nameOf(device, name, nameBytes);
    return [
      {
        name: name.toString('utf8').replace(/\0.*$/s, ''),
        processes: async () => {
          const pids: number[] = [];
          for (const list of lists) {
            const length = Buffer.alloc(4);
            length.writeUInt32LE(mostProcesses);
            const infos = Buffer.alloc(processInfoBytes * mostProcesses);
            if ((await aside(list, device, length, infos)) !== 0) continue;
            const found = Math.min(mostProcesses, length.readUInt32LE());
            for (let i = 0; i < found; i++) pids.push(infos.readUInt32LE(i * processInfoBytes));
          }
          return pids;
        },
        busyShare: async () => {
          const rates = Buffer.alloc(8);
          return (await aside(utilisation, device, rates)) === 0 ? rates.readUInt32LE() / 100 : null;
        },
        usedBytes: async () => {
          const info = Buffer.alloc(24);
          return (await aside(memory, device, info)) === 0 ? Number(info.readBigUInt64LE(16)) : null;
        },
      },
    ];
  }).flat();
  return { devices, close: () => void shutdown() };
}

/** Calls on a thread of its own. */
function aside(call: NativeCall, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)));
  });
}

function tryTo<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
