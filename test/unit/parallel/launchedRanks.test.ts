import { expect, test } from 'vitest';
import { launchedRanks } from '../../../runtime/parallel/launchedRanks.ts';

const step = { SLURM_PROCID: '1', SLURM_NTASKS: '2', SLURM_STEP_NUM_TASKS: '2' };

test.each([
  ['mpirun of OpenMPI', { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2' }],
  ['mpiexec of MPICH', { PMI_RANK: '1', PMI_SIZE: '2' }],
  ['srun --mpi=pmi2', { ...step, PMI_RANK: '1', PMI_SIZE: '2' }],
  ['srun --mpi=pmix', { ...step, PMIX_RANK: '1' }],
])('%s names rank 1 of 2', (_, environment) => {
  expect(launchedRanks(environment)).toEqual({ rank: 1, ranks: 2 });
});

test.each([
  ['a terminal', {}],
  ['the script of a job with several tasks', { SLURM_PROCID: '0', SLURM_NTASKS: '2' }],
  ['a step of one task', { SLURM_PROCID: '0', SLURM_NTASKS: '1', SLURM_STEP_NUM_TASKS: '1' }],
  ['mpirun -n 1 in a step of two', { ...step, OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' }],
])('in %s a process is alone', (_, environment) => {
  expect(launchedRanks(environment)).toBeUndefined();
});

test('several that srun started without an MPI plug-in are refused: each would train for itself', () => {
  expect(() => launchedRanks(step)).toThrow(
    /^2 processes were started to train together, but they can't find each other: srun started them with no MPI plug-in .* Set runtime\.slurm\.mpi/,
  );
});
