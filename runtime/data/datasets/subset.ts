import type { Split, SplitName } from '../dataset.ts';
import { sharedIndices } from './shared.ts';

/** The images at `indices` of another split, in that order. */
export function subsetSplit(name: SplitName, of: Split, indices: Uint32Array): Split {
  const at = (index: number): number => {
    const source = indices[index];
    if (source === undefined) throw new Error(`internal: image ${index} of a split of ${indices.length}`);
    return source;
  };
  return {
    name,
    path: of.path,
    size: indices.length,
    classes: of.classes,
    image: (index) => of.image(at(index)),
    label: (index) => of.label(at(index)),
    nameOf: (index) => of.nameOf(at(index)),
    share: () => {
      const shared = sharedIndices(indices.length);
      shared.set(indices);
      return { source: 'subset', name, of: of.share(), indices: shared };
    },
  };
}
