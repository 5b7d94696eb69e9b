/** What an attention map looks at, as the smallest set of patches that holds a share of it. */

/**
 * Keeps the patches with the largest attention until they hold `mass` of it: a patch is kept where the cumulative share of it and all
 * smaller ones is above 1 - mass.
 *
 * @returns 1 where a patch is kept
 */
export function attentionMask(attention_P: ArrayLike<number>, mass: number): Uint8Array {
  const patches = attention_P.length;
  const ascending = Array.from({ length: patches }, (_, patch) => patch).sort(
    (a, b) => attention_P[a]! - attention_P[b]!,
  );
  const total = ascending.reduce((sum, patch) => sum + attention_P[patch]!, 0);
  const kept = new Uint8Array(patches);
  let cumulative = 0;
  for (const patch of ascending) {
    cumulative += attention_P[patch]! / total;
    if (cumulative > 1 - mass) kept[patch] = 1;
  }
  return kept;
}

/** Mean over heads of maps [A, P]. */
export function headMean(attention_AP: ArrayLike<number>, heads: number): Float64Array {
  const patches = attention_AP.length / heads;
  return Float64Array.from({ length: patches }, (_, patch) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += attention_AP[head * patches + patch]!;
    return sum / heads;
  });
}
