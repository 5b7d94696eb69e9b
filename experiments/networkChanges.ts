import type { JsonScalar } from '../protocol/records.ts';

/** Keys that decide which parameters a network has. */
const networkKeys = /^(method$|model\.|projector\.|crops\.global\.sizePx$)/;
/** Under those sections, what acts on training alone. */
const harmless = /\.(dropPath|stochasticDepth)/;

/** Keys on which two flat configurations have different networks: a checkpoint of one does not fit the other. */
export function networkChanges(a: Record<string, JsonScalar>, b: Record<string, JsonScalar>): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => networkKeys.test(key) && !harmless.test(key) && !Object.is(a[key], b[key])).sort();
}
