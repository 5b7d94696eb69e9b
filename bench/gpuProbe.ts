/**
 * What WebGPU offers on this machine: adapters, their features and limits, the products that their subgroups make, and whether a device
 * comes with the features that fast kernels want. The last line is one JSON object.
 *
 * The library is native code over a driver: each way of asking it runs in a process of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Probed {
  options: string[];
  adapter?: Record<string, unknown>;
  features?: string[];
  limits?: Record<string, unknown>;
  subgroupMatrixConfigs?: unknown[];
  devices?: Record<string, string>;
  error?: string;
}

interface Described {
  info: object;
  features: Iterable<string>;
  limits: object;
  requestDevice(wanted: {
    requiredFeatures: string[];
    requiredLimits?: Record<string, number>;
  }): Promise<{ destroy(): void }>;
}

interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<Described | null>;
}

const unsafe = 'enable-dawn-features=allow_unsafe_apis';
const ways = [[unsafe], [unsafe, 'backend=vulkan'], []];
const wanted = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix', 'timestamp-query'];

const [asked] = process.argv.slice(2);
if (asked !== undefined) {
  console.log(JSON.stringify(await probe(JSON.parse(asked) as string[])));
  // Drivers may hold threads.
  process.exit(0);
}
const found = ways.map(inOwnProcess);
for (const result of found) report(result);
console.log(runIfThere('nvidia-smi', []));
console.log(runIfThere('vulkaninfo', ['--summary']));
console.log(JSON.stringify({ name: 'gpuProbe', found }));

function inOwnProcess(options: string[]): Probed {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(options)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (child.stderr) process.stderr.write(child.stderr);
  const line = child.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line) return JSON.parse(line) as Probed;
  return { options, error: `its process ended (${child.signal ?? `exit code ${child.status}`})` };
}

async function probe(options: string[]): Promise<Probed> {
  try {
    const name = 'webgpu';
    const { create } = (await import(name)) as { create(options: string[]): Gpu };
    const gpu = create(options);
    const find = () => gpu.requestAdapter({ powerPreference: 'high-performance' });
    const adapter = await find();
    if (!adapter) return { options, error: 'no adapter' };
    const features = [...adapter.features].sort();
    const { subgroupMatrixConfigs, ...info } = plain(adapter.info);
    const limits = plain(adapter.limits);
    const devices: Record<string, string> = {};
    for (const set of [...wanted.map((feature) => [feature]), wanted]) {
      // An adapter gives one device.
      devices[set.join(' + ')] = await tryDevice((await find())!, set, features, limits);
    }
    return {
      options,
      adapter: info,
      features,
      limits,
      subgroupMatrixConfigs: [subgroupMatrixConfigs ?? []].flat(),
      devices,
    };
  } catch (error) {
    return { options, error: error instanceof Error ? error.message : String(error) };
  }
}

/** With the largest arrays that the adapter allows, as training needs them. */
async function tryDevice(
  adapter: Described,
  wantedFeatures: string[],
  features: string[],
  limits: Record<string, unknown>,
): Promise<string> {
  const present = wantedFeatures.filter((feature) => features.includes(feature));
  if (present.length === 0) return 'not offered';
  const requiredLimits = Object.fromEntries(
    ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize'].map((name) => [
      name,
      Number(limits[name]),
    ]),
  );
  try {
    const device = await adapter.requestDevice({ requiredFeatures: present, requiredLimits });
    device.destroy();
    return present.length === wantedFeatures.length ? 'works' : `works with ${present.join(' + ')}`;
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The properties of an interface lie on its prototype, as getters; some throw where a feature is missing. */
function plain(object: object): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (
    let level: object | null = object;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  )
    for (const name of Object.getOwnPropertyNames(level)) {
      const value = read(object, name);
      if (typeof value !== 'function' && value !== undefined) entries.push([name, value]);
    }
  return Object.fromEntries(entries);
}

function read(object: object, name: string): unknown {
  try {
    return readable((object as Record<string, unknown>)[name]);
  } catch {
    return undefined;
  }
}

/** What JSON can say: lists and interfaces of the library are neither arrays nor plain objects. */
function readable(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, readable);
  return plain(value);
}

function report({ options, error, adapter, features, limits, subgroupMatrixConfigs, devices }: Probed): void {
  console.log(`\nDawn with [${options.join(' ')}]: ${error ?? JSON.stringify(adapter)}`);
  if (error !== undefined) return;
  console.log(`features: ${features!.join(' ')}`);
  console.log(
    `limits: ${Object.entries(limits!)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')}`,
  );
  console.log(`products of subgroups: ${subgroupMatrixConfigs!.map((config) => JSON.stringify(config)).join(' ')}`);
  for (const [set, outcome] of Object.entries(devices!)) console.log(`device with ${set}: ${outcome}`);
}

function runIfThere(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
  } catch (error) {
    return `${command}: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`;
  }
}
