/** A run made of somebody else's checkpoint: it can be evaluated, looked at, and trained on. */
import { join } from 'node:path';
import { derive } from '../../configs/derive.ts';
import { architectures } from '../../configs/schema.ts';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { createRun, type NewRun } from '../run/openRun.ts';
import { openAttempt } from '../run/runFolder.ts';
import { buildTrainStep } from '../trainStep.ts';
import { saveCheckpoint } from './checkpoint.ts';
import type { ForeignFile } from './foreign/foreignFile.ts';
import type { ForeignVit } from './foreign/foreignVit.ts';
import { readBackbone, readHead } from './foreign/readVit.ts';
import type { TensorMap } from './safetensors.ts';

/** The keys of a configuration that a network decides, as YAML. */
export function importedKeys({ vit, naming }: ForeignVit, globalCropPx: number): Record<string, string> {
  const { width, depth, heads, mlpRatio, patchSizePx, imageSizePx, registers, layerScale } = vit;
  const known = Object.entries(architectures).find(
    ([, size]) => size.width === width && size.depth === depth && size.heads === heads,
  );
  return {
    ...(known
      ? { 'model.architecture': known[0] }
      : {
          'model.architecture': 'custom',
          'model.width': String(width),
          'model.depth': String(depth),
          'model.heads': String(heads),
        }),
    'model.patchSizePx': String(patchSizePx),
    'model.mlpRatio': String(mlpRatio),
    'model.feedForward': vit.feedForward ?? 'mlp',
    'model.registers': String(registers),
    'model.positionResize': vit.interpolation.antialias ? 'antialiased' : 'plain',
    ...(layerScale === undefined ? {} : { 'model.layerScale': naming === 'dinov2' ? '0.1' : '0.00001' }),
    ...(imageSizePx === globalCropPx ? {} : { 'model.positionTablePx': String(imageSizePx) }),
  };
}

export interface ImportedRun {
  id: string;
  folder: string;
  /** What was taken and what was not, one sentence each. */
  notes: string[];
}

/**
 * Makes a run whose checkpoint of step 0 holds the network as teacher and student. Its projector is the file's where that fits the
 * configuration, else drawn from the seed.
 *
 * @param student the student's network, where the file holds it besides the teacher's
 */
export async function importIntoRun(
  file: ForeignFile,
  { teacher, student }: { teacher: ForeignVit; student: ForeignVit | null },
  run: NewRun,
): Promise<ImportedRun> {
  const { config } = run;
  const notes: string[] = [];
  const derived = derive(config, { trainImages: run.trainImages });
  const state: TensorMap = new Map();
  const step = buildTrainStep(config, derived);
  for (const [name, data] of Object.entries(step.initialState()))
    if (!name.startsWith('adam.')) state.set(name, { shape: step.program.state[name]!.shape, data });

  const networks = { teacher, student: student ?? teacher };
  for (const [role, found] of Object.entries(networks)) {
    for (const [name, tensor] of readBackbone(file, found)) {
      const own = state.get(`${role}.backbone.${name}`);
      // A mask token is of use to SimDINOv2 alone.
      if (own) state.set(`${role}.backbone.${name}`, { shape: own.shape, data: tensor.data });
    }
    notes.push(headNote(role, found, file, state));
    if (role === 'student' && !student) notes.push('student: none in the file; it starts as the teacher');
  }
  const { leftOut } = teacher;
  if (leftOut.length > 0) notes.push(`left out: ${summary(leftOut)}`);

  const opened = createRun(run);
  const { name, bytes } = saveCheckpoint(join(opened.folder, runFiles.checkpoints), state, {
    step: 0,
    epoch: 0,
    createdAt: run.createdAt,
    metrics: {},
  });
  // An attempt that ended at once: readers see a stopped run, and resuming it trains on from here.
  const attempt = await openAttempt(opened.folder, {
    startedAt: run.createdAt,
    process: currentProcess(),
    engine: 'import',
    device: file.format,
    resumedFrom: null,
    now: () => Date.parse(run.createdAt),
  });
  attempt.log(`imported from ${file.path}`);
  notes.forEach((note) => attempt.log(note));
  attempt.event(0, { type: 'started' });
  attempt.event(0, { type: 'checkpoint', name, bytes, reason: 'requested' });
  attempt.event(0, { type: 'stopped' });
  await attempt.close();
  return { id: opened.record.id, folder: opened.folder, notes };
}

/** Takes the file's projector where every tensor fits. */
function headNote(role: string, found: ForeignVit, file: ForeignFile, state: TensorMap): string {
  const head = readHead(file, found);
  if (head.size === 0) return `${role}: no projector in the file; it is drawn from the seed`;
  const fits = [...head].every(([name, { shape }]) => {
    const own = state.get(`${role}.head.${name}`);
    return own?.shape.join() === shape.join();
  });
  const complete = [...state.keys()].every(
    (name) => !name.startsWith(`${role}.head.mlp`) || head.has(name.slice(`${role}.head.`.length)),
  );
  if (!fits || !complete)
    return `${role}: the file's projector has other sizes than the configuration's, which is drawn from the seed`;
  for (const [name, { shape, data }] of head) state.set(`${role}.head.${name}`, { shape, data });
  return `${role}: with the file's projector`;
}

function summary(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more tensors` : shown;
}
