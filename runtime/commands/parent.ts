import { errors } from '../../protocol/errors.ts';
import type { RunRecord } from '../../protocol/records.ts';
import { isRunId } from '../../protocol/runFolder.ts';

/** `RUN:STEP` of `--parent`. @throws usage */
export function parseParent(text: string | undefined): RunRecord['parent'] {
  if (text === undefined) return null;
  const at = text.lastIndexOf(':');
  const [id, step] = [text.slice(0, at), Number(text.slice(at + 1))];
  if (at < 1 || !isRunId(id) || !Number.isSafeInteger(step) || step < 0)
    throw errors.usage(`--parent takes RUN:STEP, got '${text}'.`);
  return { id, step };
}
