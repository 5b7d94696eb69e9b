import type { JsonScalar } from '../protocol/records.ts';

/** Sections that decide how a run is executed and kept, not what it computes. */
const immaterial = /^(runtime|checkpoint)\./;

/** Equal for two flat configurations that train the same numbers. */
export function configFingerprint(config: Record<string, JsonScalar>): string {
  const material = Object.entries(config).filter(([key]) => !immaterial.test(key));
  return JSON.stringify(material.sort(([a], [b]) => (a < b ? -1 : 1)));
}
