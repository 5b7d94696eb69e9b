/** A configuration as one level of dotted keys, the form in which runs are compared. */
import type { JsonScalar } from '../protocol/records.ts';

/** `{ loss: { eps: 0.2 }, crops: { scale: [0.4, 1] } }` -> `{ 'loss.eps': 0.2, 'crops.scale': '[0.4,1]' }`. */
export function flattenConfig(config: unknown): Record<string, JsonScalar> {
  const flat: Record<string, JsonScalar> = {};
  visit(config, '', flat);
  return flat;
}

function visit(value: unknown, path: string, flat: Record<string, JsonScalar>): void {
  if (value === undefined) return;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, child] of Object.entries(value)) visit(child, path === '' ? key : `${path}.${key}`, flat);
    return;
  }
  if (path === '') return;
  flat[path] = isScalar(value) ? value : JSON.stringify(value);
}

function isScalar(value: unknown): value is JsonScalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
