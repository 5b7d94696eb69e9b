import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter } from 'node:path';

/** What TensorFlow 2.9, the one that tfjs-node-gpu 4.22 brings, opens at its start: CUDA 11.2 and cuDNN 8.1. */
const needed = {
  'libcuda.so.1': 'an NVIDIA driver',
  'libcudart.so.11.0': 'CUDA 11.2',
  'libcudnn.so.8': 'cuDNN 8.1',
} as const;

/** One clause: which of the libraries that tfjs-node-gpu needs this machine lacks. */
export function cudaLibraries(): string {
  if (process.platform !== 'linux') return 'tfjs-node-gpu reaches GPUs on Linux alone';
  const known = knownLibraries();
  const absent = Object.entries(needed).filter(([library]) => !known.some((name) => name.startsWith(library)));
  if (absent.length === 0) return 'CUDA 11.2 and cuDNN 8.1 are there; see what TensorFlow wrote about the device';
  return `${absent.map(([library, product]) => `${product} (${library})`).join(' and ')} not found on the library path`;
}

function knownLibraries(): string[] {
  const folders = (process.env['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders.flatMap(filesIn), ...linkerCache()];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // a folder on the path that is not there holds no library
  }
}

function linkerCache(): string[] {
  try {
    return execFileSync('ldconfig', ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .map((line) => line.trim().split(' ')[0]!);
  } catch {
    return []; // no linker cache on this system
  }
}
