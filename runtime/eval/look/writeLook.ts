import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookFile, lookFolder, lookName, type LookPicture, type LookRecord } from '../../../protocol/lookRecord.ts';
import { runFiles } from '../../../protocol/runFolder.ts';
import { guard } from '../../run/appendLines.ts';
import type { Looked } from './lookAtImages.ts';
import { picturePng } from './sheet.ts';

/** Smaller pictures are enlarged without smoothing, so that patches stay squares. */
const smallestPx = 224;

/** Writes pictures into a folder of their own in the run's artifacts. Returns the folder. */
export async function writeLook(
  runFolder: string,
  {
    images,
    sheets,
    ...record
  }: Omit<LookRecord, 'version' | 'images' | 'sheets'> & {
    images: readonly { name: string; pictures: Looked }[];
    sheets: readonly { kind: string; png: Buffer }[];
  },
): Promise<string> {
  const parent = join(runFolder, runFiles.artifacts, lookFolder);
  const folder = join(parent, lookName(record.step, record.time));
  const temporary = `${folder}.partial-${process.pid}`;
  guard(parent, () => mkdirSync(temporary, { recursive: true }));
  const written: LookRecord = { version: 1, ...record, images: [], sheets: [] };
  const write = (kind: string, file: string, png: Buffer): LookPicture => {
    guard(temporary, () => writeFileSync(join(temporary, file), png));
    return { kind, file };
  };
  for (const [index, { name, pictures }] of images.entries()) {
    const files: LookPicture[] = [];
    for (const [kind, picture] of pictures)
      files.push(write(kind, `${index}-${kind.replaceAll(' ', '-')}.png`, await picturePng(picture, smallestPx)));
    written.images.push({ name, pictures: files });
  }
  for (const { kind, png } of sheets) written.sheets.push(write(kind, `${kind}.png`, png));
  guard(temporary, () => {
    writeFileSync(join(temporary, lookFile), `${JSON.stringify(written, null, 2)}\n`, { flush: true });
    renameSync(temporary, folder);
  });
  return folder;
}
