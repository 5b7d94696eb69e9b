import { errors } from '../../protocol/errors.ts';
import type { JoinedRanks } from '../engines/executor/hostExecutor.ts';
import { openMpi } from './mpi.ts';

/**
 * Joins the other processes through MPI, which itself waits for ever for one that is lost: here a sum is given up after a time, or when
 * somebody asks.
 *
 * @param ranks how many processes there are by what the launcher says
 * @throws ranksApart where the MPI library knows of another number: it and the launcher do not understand each other
 */
export function joinRanks({ ranks, waitForOthersMs }: { ranks: number; waitForOthersMs: number }): JoinedRanks {
  const world = openMpi();
  if (world.ranks !== ranks)
    throw errors.ranksApart(ranks, `${world.library} knows of ${world.ranks === 1 ? 'one' : world.ranks}`);
  let patienceMs = waitForOthersMs;
  let heldUpBy = `nothing was heard of it for ${waitForOthersMs / 1000} s`;
  let pending: { giveUp: (afterMs: number, why: string) => void } | undefined;
  let isLost = false;
  return {
    ranks: world.ranks,
    description: `process ${world.rank + 1} of ${world.ranks}, ${world.library}`,
    async sum(arrays) {
      if (isLost) throw errors.rankLost('an earlier sum was given up');
      const timers: NodeJS.Timeout[] = [];
      const givenUp = new Promise<never>((_, reject) => {
        pending = {
          giveUp: (afterMs, why) => timers.push(setTimeout(() => reject(errors.rankLost(why)), afterMs)),
        };
        if (Number.isFinite(patienceMs)) pending.giveUp(patienceMs, heldUpBy);
      });
      try {
        await Promise.race([world.sum(arrays), givenUp]);
      } catch (error) {
        isLost = true;
        throw error;
      } finally {
        pending = undefined;
        for (const timer of timers) clearTimeout(timer);
      }
    },
    giveUp: (afterMs) => {
      patienceMs = Math.min(patienceMs, afterMs);
      heldUpBy = 'it did not take a step within which this one was asked to stop';
      pending?.giveUp(afterMs, heldUpBy);
    },
    leave: () => {
      // Leaving waits for everybody; with one lost, the launcher ends what is left.
      if (!isLost) world.close();
    },
  };
}
