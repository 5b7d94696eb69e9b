/** The keys of each kind of file. */
import type { DocumentKind } from '../documentKind.ts';
import { fieldCatalogue, type FieldRow } from '../fieldCatalogue.ts';
import { sweepCatalogue } from '../readSweep.ts';

export type Catalogue = ReadonlyMap<string, FieldRow>;

export function catalogueFor(kind: DocumentKind): Catalogue {
  return kind === 'config' ? fieldCatalogue() : sweepCatalogue();
}

/** Keys that hold a value of their own: what a sweep varies and what "Edit hyperparameter" offers. */
export function valueRows(): FieldRow[] {
  return [...fieldCatalogue().values()].filter((row) => row.type !== 'section' && row.path !== 'extends');
}

/**
 * The row of a key by its path. In a sweep the keys below `axes`, `set` and `cells` are dotted keys of configurations.
 */
export function rowAt(
  catalogue: Catalogue,
  kind: DocumentKind,
  path: readonly (string | number)[],
): FieldRow | undefined {
  if (kind === 'sweep' && ['axes', 'set', 'cells'].includes(String(path[0]))) {
    const key = path.slice(1).find((step) => typeof step === 'string');
    return key === undefined ? catalogue.get(String(path[0])) : fieldCatalogue().get(key);
  }
  const keys = path.filter((step) => typeof step === 'string');
  return catalogue.get(keys.join('.'));
}
