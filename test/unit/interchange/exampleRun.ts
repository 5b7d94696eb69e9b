import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeRun } from '../store/runFolders.ts';

const line = (step: number, values: Record<string, number | string>) =>
  JSON.stringify({ step, epoch: step / 10, time: 1_700_000_000_000 + 500 * step, ...values });

/** A run of two attempts, the second resumed from step 2, with an evaluation, a NaN and a picture. */
export async function exampleRun(runsFolder: string, id = 'example'): Promise<string> {
  const folder = await writeRun(runsFolder, id, [
    {
      metrics: [line(1, { loss: 0.5, lr: 0.001 }), line(2, { loss: 0.25, lr: 0.002 }), line(3, { loss: 99, lr: 99 })]
        .map((text) => `${text}\n`)
        .join(''),
    },
    {
      resumedFrom: { attempt: 1, step: 2 },
      metrics: [line(3, { loss: 'NaN', lr: 0.003 }), line(3, { knnTop1: 0.75 }), line(4, { loss: -0.125, lr: 0.004 })]
        .map((text) => `${text}\n`)
        .join(''),
    },
  ]);
  mkdirSync(join(folder, 'artifacts'), { recursive: true });
  const red = { width: 6, height: 4, channels: 3 as const, background: { r: 255, g: 0, b: 0 } };
  writeFileSync(join(folder, 'artifacts', 'attention-step-000004.png'), await sharp({ create: red }).png().toBuffer());
  return folder;
}
