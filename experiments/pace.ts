/** Lines that the pace is measured over: enough to even out, few enough to follow a change. */
const paceLines = 50;

/**
 * Wall time of a step over the last lines of metrics, evaluations and checkpoints included. Null when fewer than two
 * steps are known or the clock went backwards.
 *
 * @param step steps of the lines, ascending; `timeMs` their Unix times
 */
export function recentMsPerStep(step: ArrayLike<number>, timeMs: ArrayLike<number>): number | null {
  const last = step.length - 1;
  const first = Math.max(0, last - paceLines);
  if (last <= first) return null;
  const steps = (step[last] as number) - (step[first] as number);
  const elapsedMs = (timeMs[last] as number) - (timeMs[first] as number);
  return steps > 0 && elapsedMs > 0 ? elapsedMs / steps : null;
}

/** Time until `totalSteps` at this pace. */
export function remainingMs(step: number, totalSteps: number, msPerStep: number | null): number | null {
  if (msPerStep === null || totalSteps <= step) return null;
  return (totalSteps - step) * msPerStep;
}
