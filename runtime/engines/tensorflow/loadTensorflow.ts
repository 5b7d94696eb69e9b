import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';
import { cudaLibraries } from './cudaLibraries.ts';

/** In this order: the first that is installed is taken. */
const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** What tfjs-node's backend tells about itself beyond the interface of backends. */
interface NodeBackend extends tf.KernelBackend {
  isGPUPackage?: boolean;
  isUsingGpuDevice?: boolean;
}

export interface LoadedTensorflow {
  package: (typeof packages)[number];
  /** TensorFlow's own version. */
  version: string;
  device: 'CUDA' | 'CPU';
  /** Why the GPU is not used although the package is made for one. */
  note?: string;
}

export interface MissingTensorflow {
  /** One clause: why it can't be used, and what would mend it. */
  missing: string;
}

/**
 * Loads tfjs-node, which registers its backend with tfjs. tfjs keeps its engine and its registries in globals, so that the copy of tfjs-core
 * that the package brings along and ours are one.
 *
 * @param folder where `simdino.installCudaEngine` put the package; default: SIMDINO_TENSORFLOW
 */
export async function loadTensorflow(
  folder: string | undefined = process.env['SIMDINO_TENSORFLOW'],
): Promise<LoadedTensorflow | MissingTensorflow> {
  restoreUtil();
  const failures: string[] = [];
  for (const name of packages) {
    const path = resolvePackage(name, folder);
    if (path === undefined) continue;
    try {
      const module = (await import(pathToFileURL(path).href)) as { default?: TfjsNode } & TfjsNode;
      return await describe(name, module.default ?? module);
    } catch (error) {
      failures.push(`${name} does not load: ${firstLine(error)}`);
    }
  }
  if (failures.length > 0) return { missing: `${failures.join('; ')}. ${remedyOf(process.version)}` };
  return { missing: `${packages[0]} is not installed (the command "SimDINO: Install CUDA engine" does it)` };
}

interface TfjsNode {
  setBackend(name: string): Promise<boolean>;
  backend(): tf.KernelBackend;
  version?: Record<string, string>;
}

async function describe(name: LoadedTensorflow['package'], module: TfjsNode): Promise<LoadedTensorflow> {
  await module.setBackend('tensorflow');
  const backend = module.backend() as NodeBackend & { binding?: { TF_Version?: string } };
  const version = backend.binding?.TF_Version ?? module.version?.['tfjs-node'] ?? 'of unknown version';
  if (backend.isUsingGpuDevice) return { package: name, version, device: 'CUDA' };
  const note = name === packages[0] ? `the GPU is not used: ${cudaLibraries()}` : undefined;
  return { package: name, version, device: 'CPU', ...(note ? { note } : {}) };
}

function resolvePackage(name: string, folder: string | undefined): string | undefined {
  const places = [...(folder ? [join(folder, 'package.json')] : []), import.meta.url];
  for (const place of places) {
    try {
      return createRequire(place).resolve(name);
    } catch {
      // Not installed there; the next place may have it.
    }
  }
  return undefined;
}

/** Node 23 dropped functions that tfjs-node 4.22 calls. */
function restoreUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim().slice(0, 200);
}

const remedyOf = (node: string): string =>
  `Its native part must match this Node (${node}); \`npm rebuild @tensorflow/tfjs-node --build-from-source\` makes it anew`;
