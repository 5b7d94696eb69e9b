import { errors } from '../../protocol/errors.ts';

/** One of several processes that train a run together. */
export interface RankOfMany {
  /** From 0, which owns the run folder. */
  rank: number;
  ranks: number;
}

/**
 * Whether this process was started by `mpirun` or `srun` as one of several, by what they put into the environment: OpenMPI's own names,
 * PMI's (MPICH, and srun with `--mpi=pmi2`), PMIx's with SLURM's count. Alone: undefined.
 *
 * @throws ranksApart where `srun` started several without a word of how they find each other: each would train the run for itself
 */
export function launchedRanks(environment: NodeJS.ProcessEnv = process.env): RankOfMany | undefined {
  const pairs = [
    ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'],
    ['PMI_RANK', 'PMI_SIZE'],
    ['PMIX_RANK', 'SLURM_NTASKS'],
  ] as const;
  let isToldOfOthers = false;
  for (const [rankName, ranksName] of pairs) {
    const [rank, ranks] = [environment[rankName], environment[ranksName]];
    isToldOfOthers ||= rank !== undefined;
    if (rank !== undefined && ranks !== undefined && Number(ranks) > 1)
      return { rank: Number(rank), ranks: Number(ranks) };
  }
  const tasks = Number(environment['SLURM_STEP_NUM_TASKS'] ?? 1);
  if (tasks > 1 && !isToldOfOthers)
    throw errors.ranksApart(tasks, 'srun started them with no MPI plug-in (MpiDefault=none, or --mpi=none)');
  return undefined;
}
