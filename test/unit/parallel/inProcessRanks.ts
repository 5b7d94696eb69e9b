import type { Collective } from '../../../runtime/engines/engine.ts';

/** So many processes that train together, all of them in this one: a sum waits until everybody has come. */
export function inProcessRanks(ranks: number): Collective[] {
  let waiting: { arrays: readonly (Float32Array | Float64Array)[]; go: () => void }[] = [];
  const sum: Collective['sum'] = (arrays) =>
    new Promise<void>((resolve) => {
      waiting.push({ arrays, go: resolve });
      if (waiting.length < ranks) return;
      const everyone = waiting;
      waiting = [];
      for (const [index, first] of everyone[0]!.arrays.entries()) {
        const total = first.slice();
        for (const { arrays: others } of everyone.slice(1))
          for (let place = 0; place < total.length; place++) total[place]! += others[index]![place]!;
        for (const { arrays: own } of everyone) own[index]!.set(total);
      }
      for (const { go } of everyone) go();
    });
  return Array.from({ length: ranks }, () => ({ ranks, sum }));
}
