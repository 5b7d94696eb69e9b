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
