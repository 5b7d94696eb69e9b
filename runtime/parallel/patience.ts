import type { ResolvedConfig } from '../../configs/schema.ts';

/** Who asked for the end: a person or a tool through the run folder, a signal, or a cluster that takes the nodes back. */
export type AskedBy = 'request' | 'signal' | 'preemption';

/** How long a process that was asked to stop waits within a step for others that are late; lost ones would never come. */
export function patienceMs(askedBy: AskedBy, { slurm }: Pick<ResolvedConfig['runtime'], 'slurm'>): number {
  switch (askedBy) {
    // The others know nothing of it, and are well as far as one can tell.
    case 'request':
      return 60_000;
    // Launchers send it when a process is lost, and kill the rest soon after: the time is for the checkpoint.
    case 'signal':
      return 3000;
    // Another process may be evaluating. What is left of the time is for the checkpoint.
    case 'preemption':
      return (1000 * slurm.warnSeconds) / 2;
  }
}
