import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../experiments/formatMetric.ts';
import { errors } from '../../protocol/errors.ts';
import { exportedNames } from '../checkpoint/foreign/exportNames.ts';
import { namings } from '../checkpoint/foreign/foreignVit.ts';
import { writeTorchFile } from '../checkpoint/foreign/writeTorch.ts';
import { writeSafetensors, type TensorMap } from '../checkpoint/safetensors.ts';
import { readTrainedRun } from '../run/openRun.ts';
import { loadCheckpointOf } from './evaluatedRun.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino export RUN -o FILE.(pth|safetensors) [options]

Writes the backbone of a checkpoint as a state dict that load_state_dict(strict=True) takes.

  --names NAMES      dino (DINO, SimDINO v1), dinov2 (DINOv2, SimDINO v2), timm; default: what the network is
  --network NAME     teacher (default) or student
  --step N           default: the last checkpoint
  --runs-dir DIR, --json
`;

/** `simdino export`: a run's network for other code. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      names: { type: 'string' },
      network: { type: 'string', default: 'teacher' },
      step: { type: 'string' },
      'runs-dir': { type: 'string', default: 'runs' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id] = positionals;
  const { output, network } = values;
  if (values.help || id === undefined || output === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (network !== 'teacher' && network !== 'student')
    throw errors.usage(`--network takes teacher or student, got '${network}'.`);
  const format = /\.(pth|pt|safetensors)$/.exec(output)?.[1];
  if (!format) throw errors.usage(`-o takes a name that ends in .pth or .safetensors, got '${output}'.`);

  const { folder, config } = readTrainedRun(resolve(values['runs-dir']), id);
  const { state, step } = await loadCheckpointOf(id, folder, values.step);
  const backbone = backboneOf(state, network);
  const isV2 = config.model.layerScale !== undefined || config.model.registers > 0;
  const naming = namings.find((known) => known === (values.names ?? (isV2 ? 'dinov2' : 'dino')));
  if (!naming) throw errors.usage(`--names takes ${namings.join(', ')}, got '${values.names}'.`);
  const tensors = exportedNames(backbone, naming);
  const path = resolve(output);
  const { bytes } = write(path, format, tensors, {
    format: 'pt',
    names: naming,
    heads: String(config.model.heads),
    run: id,
    step: String(step),
  });
  if (values.json) process.stdout.write(`${JSON.stringify({ path, bytes, naming, tensors: tensors.size })}\n`);
  else
    process.stdout.write(
      `${path}: ${tensors.size} tensors under ${naming} names, ${formatBytes(bytes)} (${network} of ${id}, step ${step})\n`,
    );
  return exitCodes.success;
}

function backboneOf(state: TensorMap, network: string): TensorMap {
  const start = `${network}.backbone.`;
  return new Map(
    [...state].filter(([name]) => name.startsWith(start)).map(([name, t]) => [name.slice(start.length), t]),
  );
}

function write(path: string, format: string, tensors: TensorMap, metadata: Record<string, string>): { bytes: number } {
  try {
    return format === 'safetensors' ? writeSafetensors(path, tensors, metadata) : writeTorchFile(path, tensors);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !code.startsWith('E')) throw error;
    throw errors.exportRefused(path, code === 'EEXIST' ? 'there is a file of that name' : code);
  }
}
