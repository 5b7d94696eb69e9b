import { FaultyImage, type Dataset, type Split, type SplitName } from './dataset.ts';

export interface SplitReport {
  name: SplitName;
  images: number;
  /** Images per class in the order of the classes; null where there are no labels. */
  perClass: { name: string; images: number }[] | null;
  sizesPx: { smallest: [number, number]; largest: [number, number] } | null;
  faults: { image: string; reason: string }[];
}

export interface CheckOptions {
  /** Images decoded at a time. */
  concurrency?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Decodes every image of every split; counts images, classes and faults. */
export async function checkDataset(dataset: Dataset, options: CheckOptions = {}): Promise<SplitReport[]> {
  // Validation may be the test split itself.
  const splits = new Set([dataset.train, dataset.validation, dataset.test].filter((split) => split !== null));
  const total = [...splits].reduce((sum, split) => sum + split.size, 0);
  const reports: SplitReport[] = [];
  let done = 0;
  for (const split of splits) {
    const before = done;
    reports.push(await checkSplit(split, options, (inSplit) => options.onProgress?.((done = before + inSplit), total)));
  }
  return reports;
}

async function checkSplit(
  split: Split,
  { concurrency = 4, signal }: CheckOptions,
  onProgress: (done: number) => void,
): Promise<SplitReport> {
  const counts = split.classes?.map((name) => ({ name, images: 0 })) ?? null;
  const faults: { index: number; reason: string }[] = [];
  const area = ([width, height]: [number, number]): number => width * height;
  let sizesPx: SplitReport['sizesPx'] = null;
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < split.size) {
      signal?.throwIfAborted();
      const index = next++;
      const label = split.label(index);
      if (counts && label !== null) counts[label]!.images++;
      try {
        const { widthPx, heightPx } = await split.image(index);
        const size: [number, number] = [widthPx, heightPx];
        sizesPx ??= { smallest: size, largest: size };
        if (area(size) < area(sizesPx.smallest)) sizesPx.smallest = size;
        if (area(size) > area(sizesPx.largest)) sizesPx.largest = size;
      } catch (error) {
        if (!(error instanceof FaultyImage)) throw error;
        faults.push({ index, reason: error.message });
      }
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  faults.sort((a, b) => a.index - b.index);
  return {
    name: split.name,
    images: split.size,
    perClass: counts,
    sizesPx,
    faults: faults.map(({ index, reason }) => ({ image: split.nameOf(index), reason })),
  };
}
