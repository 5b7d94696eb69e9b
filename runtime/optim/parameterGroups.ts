/** How the optimiser treats a tensor: decayed, not decayed, or not trained at all. */
export type ParameterGroup = 'decay' | 'noDecay' | 'frozen';

/**
 * Weight-decay group of a parameter in the authors' SimDINO tree (v1): names that end in `.bias` and 1-D tensors are not decayed;
 * everything else is, the CLS token and the position embedding included.
 *
 * @param options.frozen names that receive no update, such as the magnitudes of a weight-normalised last layer
 */
export function parameterGroup(
  name: string,
  shape: readonly number[],
  { frozen }: { frozen?: ReadonlySet<string> } = {},
): ParameterGroup {
  if (frozen?.has(name)) return 'frozen';
  return name.endsWith('.bias') || shape.length === 1 ? 'noDecay' : 'decay';
}

/** How fast and whether with weight decay a tensor is trained, relative to the schedules. */
export interface ParameterRule {
  lrMultiplier: number;
  decays: boolean;
}

export type ParameterRules = (name: string, shape: readonly number[]) => ParameterRule;

/** The v1 tree's: every tensor at the scheduled rate. */
export const uniformRules: ParameterRules = (name, shape) => ({
  lrMultiplier: 1,
  decays: parameterGroup(name, shape) === 'decay',
});

export interface LayerwiseOptions {
  depth: number;
  /** Factor per layer, from the last one down; 0.9. */
  layerDecay: number;
  /** Factor of the patch projection on top of its layer's; 0.2. */
  patchEmbedding: number;
}

/**
 * The v2 tree's: lower layers learn more slowly, `layerDecay^(depth + 1 - layer)`, where layer 0 is everything before the blocks, block i
 * is layer i + 1, and the final normalisation and the head are at the full rate. Biases, normalisations and LayerScale are not decayed.
 *
 * @returns rules for names with the prefixes `backbone.` and `head.`
 */
export function layerwiseRules({ depth, layerDecay, patchEmbedding }: LayerwiseOptions): ParameterRules {
  return (name) => {
    const block = /^backbone\.blocks\.(\d+)\./.exec(name)?.[1];
    const isBefore = /^backbone\.(cls_token|pos_embed|register_tokens|mask_token|patch_embed)/.test(name);
    const layer = block !== undefined ? Number(block) + 1 : isBefore ? 0 : depth + 1;
    const ofPatches = name.startsWith('backbone.patch_embed') ? patchEmbedding : 1;
    return {
      lrMultiplier: layerDecay ** (depth + 1 - layer) * ofPatches,
      decays: !(name.endsWith('.bias') || name.includes('norm') || name.includes('gamma')),
    };
  };
}
