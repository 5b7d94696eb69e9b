/** Fills what `loss.preset` and `model.architecture` decide, so that nothing is left open. */
import { architectures, type Config, type ResolvedConfig } from './schema.ts';

/**
 * Resolves a validated configuration. Explicit keys win over `loss.preset`; a named architecture wins over
 * `width`, `depth` and `heads` (the validation rejects values that contradict it).
 *
 * Resolving a resolved configuration changes nothing, so a run folder's `config.yaml` can be started again.
 */
export function resolveConfig(config: Config): ResolvedConfig {
  const { extends: _extends, loss, model, dino: _dino, dinov2: _dinov2, masking: _masking, ...rest } = config;
  const preset = lossPreset(loss.preset, config.train.batchSize);
  return {
    ...rest,
    ...methodSections(config),
    model: { ...model, ...backbone(model) },
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

/** The sections that a method has besides the common ones. */
function methodSections(config: Config): Pick<ResolvedConfig, 'dino' | 'dinov2' | 'masking'> {
  const { method, loss, masking, dino, dinov2 } = config;
  switch (method) {
    case 'simdino':
      return {};
    case 'simdinov2':
      return { masking: resolvedMasking(loss.preset, masking) };
    case 'dino':
      return { dino: { ...dino, prototypeNorm: dino.prototypeNorm ?? 'fixed' } };
    case 'dinov2':
      return {
        masking: resolvedMasking('reference', masking),
        dino: { ...dino, prototypeNorm: dino.prototypeNorm ?? 'trained' },
        dinov2: {
          ...dinov2,
          centering: dinov2.centering ?? (loss.preset === 'paper' ? 'sinkhornKnopp' : 'ema'),
          patchPrototypes: dinov2.patchPrototypes ?? dino.prototypes,
        },
      };
  }
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

function backbone(model: Config['model']): Pick<ResolvedConfig['model'], 'width' | 'depth' | 'heads' | 'feedForward'> {
  if (model.architecture !== 'custom') {
    const named = architectures[model.architecture];
    return { ...named, feedForward: model.feedForward ?? named.feedForward };
  }
  const { width, depth, heads, feedForward = 'mlp' } = model;
  if (width === undefined || depth === undefined || heads === undefined) {
    throw new Error('internal: a custom architecture without width, depth or heads passed validation');
  }
  return { width, depth, heads, feedForward };
}
