/* Plain MPI in C, the peer of bench/parallel.ts: milliseconds of each sum of COUNT floats in place, printed by rank 0. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const int count = atoi(argv[1]), turns = atoi(argv[2]);
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  float *values = malloc(sizeof(float) * (size_t)count);
  for (int turn = 0; turn < turns; turn++) {
    for (int i = 0; i < count; i++) values[i] = (float)(rank + 1);
    MPI_Barrier(MPI_COMM_WORLD);
    const double started = MPI_Wtime();
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf("%.3f\n", 1000 * (MPI_Wtime() - started));
  }
  free(values);
  MPI_Finalize();
  return 0;
}
