import { picturePng } from '../../../runtime/eval/look/sheet.ts';
import { writeLook } from '../../../runtime/eval/look/writeLook.ts';
import { writeRun } from '../store/runFolders.ts';

const line = (step: number, values: Record<string, number | string>) =>
  JSON.stringify({ step, epoch: step / 10, time: 1_700_000_000_000 + 500 * step, ...values });

/** A run of two attempts, the second resumed from step 2, with an evaluation, a NaN, and what was seen at steps 2 (twice) and 4. */
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
  for (const [step, time, red] of [
    [2, 1_700_000_010_000, 10],
    [2, 1_700_000_020_000, 20],
    [4, 1_700_000_030_000, 40],
  ] as const) {
    const picture = { widthPx: 6, heightPx: 4, data: new Uint8Array(6 * 4 * 3).fill(red) };
    const image = { name: 'ship', pictures: new Map([['attention', picture]]) };
    const record = { step, time, network: 'teacher', sizePx: 6 } as const;
    const sheets = [{ kind: 'sheet', png: await picturePng(picture, 1) }];
    await writeLook(folder, { ...record, images: [image, image], sheets });
  }
  return folder;
}
