/** Where a step's time on the GPU goes, from the trace that ONNX Runtime writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatTable } from '../runtime/commands/runs.ts';

/** An event of the trace; times in microseconds. */
interface TraceEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args: { shapes?: string; op_name?: string; provider?: string };
}

interface Sum {
  count: number;
  us: number;
}

/** Kernels and shapes that are listed; the rest is one line. */
const listed = 25;

/**
 * Prints kernels by their time in a step, and those with the shapes that take longest.
 *
 * @param profileTo the beginning of the trace's path
 * @param options.steps steps in the trace: the first, in which drivers compile, is left out
 */
export function printKernelProfile(profileTo: string, { steps }: { steps: number }): void {
  const all = readTraces(profileTo);
  // One event per dispatch, with the GPU's own times: NODE&OPERATOR&KERNEL.
  const dispatches = all.filter(({ cat, name }) => cat === 'Api' && name.includes('&')).sort((a, b) => a.ts - b.ts);
  if (dispatches.length === 0) {
    console.log('no times of kernels in the trace: the adapter lacks timestamp queries');
    return;
  }
  const kept = dispatches.slice(dispatches.length / steps);
  const measured = steps - 1;
  const total = kept.reduce((sum, { dur }) => sum + dur, 0);
  const print = (title: string, sums: Map<string, Sum>) => {
    const sorted = [...sums].sort(([, a], [, b]) => b.us - a.us);
    const rest = sorted.slice(listed).map(([, sum]) => sum);
    const others: [string, Sum] = [`${rest.length} others`, rest.reduce(added, { count: 0, us: 0 })];
    const rows = [...sorted.slice(0, listed), ...(rest.length > 0 ? [others] : [])].map(([name, { count, us }]) => [
      name,
      (count / measured).toFixed(0),
      (us / 1000 / measured).toFixed(3),
      `${((100 * us) / total).toFixed(1)} %`,
    ]);
    console.log(`${formatTable([[title, 'PER STEP', 'MS', 'OF GPU TIME'], ...rows])}\n`);
  };
  const count = kept.length / measured;
  console.log(`${(total / 1000 / measured).toFixed(2)} ms on the GPU in ${count.toFixed(0)} dispatches of a step\n`);
  print('KERNEL', summed(kept, kernelOf));
  print(
    'KERNEL AND SHAPES',
    summed(kept, (event) => `${kernelOf(event)} ${event.args.shapes ?? ''}`.trim()),
  );
  const onHost = all.filter(({ cat, args }) => cat === 'Node' && args.provider === 'CPUExecutionProvider');
  const operators = [...summed(onHost, ({ args }) => args.op_name ?? '?')].map(
    ([name, sum]) => `${name} ${(sum.count / steps).toFixed(0)}`,
  );
  console.log(`operators on the processor: ${operators.join(', ') || 'none'}`);
}

function readTraces(profileTo: string): TraceEvent[] {
  const [folder, start] = [dirname(profileTo), basename(profileTo)];
  return readdirSync(folder)
    .filter((name) => name.startsWith(start) && name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as TraceEvent[]);
}

const kernelOf = ({ name }: TraceEvent): string => name.split('&').slice(1).join(' ');

const added = (a: Sum, b: Sum): Sum => ({ count: a.count + b.count, us: a.us + b.us });

function summed(events: readonly TraceEvent[], keyOf: (event: TraceEvent) => string): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const event of events) {
    const key = keyOf(event);
    sums.set(key, added(sums.get(key) ?? { count: 0, us: 0 }, { count: 1, us: event.dur }));
  }
  return sums;
}
