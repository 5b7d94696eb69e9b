/** Folders that are waited for at the same time: enough to hide a network's latency, few enough for the limit on open files. */
export const foldersAtOnce = 64;

/** Does `work` on all items, at most `limit` at a time. The first error ends it. */
export async function forEachConcurrently<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
  limit = foldersAtOnce,
): Promise<void> {
  const left = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
