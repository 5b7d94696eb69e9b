/**
 * Where a curve has settled: the median of its last tenth, so that one noisy batch does not stand for a run. A curve of few
 * points (an evaluation's) gives its last value; one that ends without a finite value has diverged and gives that.
 */
export function settledValue(values: Float64Array): number | undefined {
  const last = values.at(-1);
  if (last === undefined || !Number.isFinite(last) || values.length < fewPoints) return last;
  const tail = values
    .slice(-Math.ceil(values.length / 10))
    .filter(Number.isFinite)
    .sort();
  const middle = tail.length >> 1;
  return tail.length % 2 === 1 ? tail[middle]! : (tail[middle - 1]! + tail[middle]!) / 2;
}

const fewPoints = 30;
