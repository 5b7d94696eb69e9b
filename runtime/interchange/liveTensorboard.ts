import { join } from 'node:path';
import type { Attempt } from '../run/runFolder.ts';
import { createEventFile } from './eventFile.ts';

/** Beside the attempts: TensorBoard is pointed at the runs folder and shows each run under its name. */
export const tensorboardFolder = 'tensorboard';

/** An attempt whose metric lines go into an event file of the run as well, as they are logged. */
export function withTensorboard(attempt: Attempt, runFolder: string): Attempt {
  const { resumedFrom, index, startedAt } = attempt.record;
  const file = createEventFile(join(runFolder, tensorboardFolder), {
    startedMs: Date.parse(startedAt),
    mark: `attempt-${index}`,
    ...(resumedFrom ? { resumedAt: resumedFrom.step } : {}),
  });
  return {
    ...attempt,
    metric: (line) => {
      attempt.metric(line);
      const { step, time, ...rest } = line;
      const values = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
      file.scalars(step, time, Object.fromEntries(values));
    },
    close: async () => {
      file.close();
      await attempt.close();
    },
  };
}
