/** One process of bench/parallel.ts: milliseconds of each sum, printed by the first. Arguments: lengths of the arrays, turns. */
import { performance } from 'node:perf_hooks';
import { openMpi } from '../runtime/parallel/mpi.ts';

const [lengths = '', turns = '1'] = process.argv.slice(2);
const world = openMpi();
const arrays = lengths.split(',').map((length) => new Float32Array(Number(length)));
for (let turn = 0; turn < Number(turns); turn++) {
  for (const array of arrays) array.fill(world.rank + 1);
  // Everybody starts together.
  await world.sum([new Float32Array(1)]);
  const startedMs = performance.now();
  await world.sum(arrays);
  const elapsedMs = performance.now() - startedMs;
  const expected = (world.ranks * (world.ranks + 1)) / 2;
  if (arrays.some((array) => array[0] !== expected || array.at(-1) !== expected)) throw new Error('a sum is wrong');
  if (world.rank === 0) process.stdout.write(`${elapsedMs.toFixed(3)}\n`);
}
world.close();
