/** Fills what `loss.preset` and `model.architecture` decide, so that nothing is left open. */
import { architectures, type Config, type ResolvedConfig } from './schema.ts';

/**
 * Resolves a validated configuration. Explicit keys win over `loss.preset`; a named architecture wins over
 * `width`, `depth` and `heads` (the validation rejects values that contradict it).
 *
 * Resolving a resolved configuration changes nothing, so a run folder's `config.yaml` can be started again.
 */
export function resolveConfig(config: Config): ResolvedConfig {
  const { extends: _extends, loss, model, dino, masking, ...rest } = config;
  const preset = lossPreset(loss.preset, config.train.batchSize);
  return {
    ...rest,
    ...(config.method === 'dino' ? { dino } : {}),
    ...(config.method === 'simdinov2' ? { masking: resolvedMasking(loss.preset, masking) } : {}),
    model: { ...model, ...backboneSize(model) },
    loss: {
      ...loss,
      gamma: loss.gamma ?? preset.gamma,
      pairs: loss.pairs ?? preset.pairs,
      codingRate: {
        on: loss.codingRate.on ?? preset.codingRate.on,
        normalise: loss.codingRate.normalise ?? preset.codingRate.normalise,
        groups: loss.codingRate.groups ?? preset.codingRate.groups,
      },
    },
  };
}

/** What a loss preset sets; `reference` is the authors' code and recipe, `paper` the equations of the text. */
export function lossPreset(
  name: Config['loss']['preset'],
  batchSize: number,
): Pick<ResolvedConfig['loss'], 'gamma' | 'pairs' | 'codingRate'> {
  switch (name) {
    case 'paper':
      return { gamma: 'balanced', pairs: 'all', codingRate: { on: 'student', normalise: 'group', groups: 1 } };
    case 'reference':
      return {
        gamma: 'auto',
        pairs: 'crossView',
        codingRate: { on: 'studentTeacherMean', normalise: 'batch', groups: referenceGroups(batchSize) },
      };
  }
}

/** A loss preset decides SimDINOv2's distances too: eq. (42) halves both and counts visible patches, the code neither. */
function resolvedMasking(
  preset: Config['loss']['preset'],
  { share, ratio, viewWeight, patchWeight, average }: Config['masking'],
): NonNullable<ResolvedConfig['masking']> {
  const isPaper = preset === 'paper';
  return {
    share,
    ratio,
    viewWeight: viewWeight ?? (isPaper ? 0.5 : 1),
    patchWeight: patchWeight ?? (isPaper ? 0.5 : 1),
    average: average ?? (isPaper ? 'allPatches' : 'maskedPatches'),
  };
}

/**
 * Groups of the `reference` preset: the authors trained on 8 GPUs with at least 64 images each, and estimated the
 * coding rate on each GPU. A smaller batch is kept whole, since groups of fewer than 64 images bound its rank too low.
 */
export function referenceGroups(batchSize: number): number {
  return batchSize >= 512 && batchSize % 8 === 0 ? 8 : 1;
}

function backboneSize(model: Config['model']): { width: number; depth: number; heads: number } {
  if (model.architecture !== 'custom') return architectures[model.architecture];
  const { width, depth, heads } = model;
  if (width === undefined || depth === undefined || heads === undefined) {
    throw new Error('internal: a custom architecture without width, depth or heads passed validation');
  }
  return { width, depth, heads };
}
