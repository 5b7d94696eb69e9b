/** What merging needs to know of an attempt. */
export interface AttemptLineage {
  index: number;
  /** Undefined when the attempt's record can't be read. */
  resumedFrom: { attempt: number; step: number } | null | undefined;
}

/** The part of an attempt that belongs to the run as it stands: its lines with a step up to `throughStep`. */
export interface AttemptSpan {
  index: number;
  throughStep: number;
}

/**
 * Which lines of which attempts make up the run, oldest first: the last attempt whole, the one that it resumed from up
 * to that step, and so on back to an attempt that started afresh. Attempts off that line are superseded.
 *
 * An attempt whose record can't be read is taken to continue the one before it.
 */
export function mergeAttempts(attempts: readonly AttemptLineage[]): AttemptSpan[] {
  const byIndex = [...attempts].sort((a, b) => a.index - b.index);
  const spans: AttemptSpan[] = [];
  let current = byIndex.pop();
  let throughStep = Number.POSITIVE_INFINITY;
  while (current) {
    spans.unshift({ index: current.index, throughStep });
    const { resumedFrom } = current;
    if (resumedFrom === null) break;
    // Only an earlier attempt can be resumed from; a record that says otherwise is not followed in circles.
    let earlier = byIndex.pop();
    while (earlier && resumedFrom && earlier.index > resumedFrom.attempt) earlier = byIndex.pop();
    if (resumedFrom) throughStep = Math.min(throughStep, resumedFrom.step);
    current = earlier;
  }
  return spans;
}
