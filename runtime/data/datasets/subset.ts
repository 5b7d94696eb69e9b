import type { Split, SplitName, Streamed } from '../dataset.ts';
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
    ...(of.streamed && { streamed: streamedSubset(of.streamed, of.size, indices) }),
    nameOf: (index) => of.nameOf(at(index)),
    share: () => {
      const shared = sharedIndices(indices.length);
      shared.set(indices);
      return { source: 'subset', name, of: of.share(), indices: shared };
    },
  };
}

/** The files are read as those of the whole, and the images that are not in the subset are passed over. */
function streamedSubset(of: Streamed, size: number, indices: Uint32Array): Streamed {
  const places_N = new Int32Array(size).fill(-1);
  indices.forEach((source, place) => (places_N[source] = place));
  const isWanted = (source: number): boolean => places_N[source] !== -1;
  return {
    order: (seed, epoch) =>
      of
        .order(seed, epoch)
        .filter(isWanted)
        .map((source) => places_N[source]!),
    read: (start) => {
      const { wanted } = start;
      const stream = of.read({
        ...start,
        wanted: (source) => isWanted(source) && (wanted?.(places_N[source]!) ?? true),
      });
      return {
        ...stream,
        take: (epoch, images) =>
          stream.take(
            epoch,
            images.map((image) => indices[image]!),
          ),
      };
    },
  };
}
