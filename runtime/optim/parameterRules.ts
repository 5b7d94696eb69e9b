/** How fast and whether with weight decay a tensor is trained, relative to the schedules. */
export interface ParameterRule {
  lrMultiplier: number;
  decays: boolean;
}

export type ParameterRules = (name: string) => ParameterRule;

export interface LayerwiseOptions {
  depth: number;
  /** Factor per layer, from the last one down; 0.9 in the authors' v2 tree, 1 in v1. */
  layerDecay: number;
  /** Factor of the patch projection on top of its layer's; 0.2 in v2, 1 in v1. */
  patchEmbedding: number;
}

/**
 * Lower layers learn more slowly, `layerDecay^(depth + 1 - layer)`, where layer 0 is everything before the blocks, block i is layer i + 1,
 * and the final normalisation and the head are at the full rate. Biases, normalisations and LayerScale are not decayed; the CLS token and
 * the position embedding are. v1 tells the decayed by their shape (neither a bias nor one-dimensional), which comes to the same tensors.
 *
 * @returns rules for names with the prefixes `backbone.` and `head.`
 */
export function parameterRules({ depth, layerDecay, patchEmbedding }: LayerwiseOptions): ParameterRules {
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
