import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import sharp from 'sharp';
import { readLooks, type Look } from '../../experiments/store/readLooks.ts';
import { readRunMetrics } from '../../experiments/store/runMetrics.ts';
import { unreadableLines } from '../../experiments/store/tailJsonLines.ts';
import { attemptFiles } from '../../protocol/runFolder.ts';
import { createEventFile, type EventFile } from './eventFile.ts';

/**
 * Writes a run's scalars and what `simdino look` has made of it as one event file, in the order of steps. Lines that a resumed attempt
 * superseded are left out, as everywhere, and of each step the newest pictures count.
 *
 * @param runFolder the run; @param logFolder where TensorBoard will look: a folder per run, the run's name its label
 * @returns the file's path, how much is in it, and what could not be read
 */
export async function exportTensorboard(
  runFolder: string,
  logFolder: string,
  { nowMs }: { nowMs: number },
): Promise<{ path: string; scalars: number; images: number; problems: string[] }> {
  const { table, faultyLines } = await readRunMetrics(runFolder);
  const problems = unreadableLines(attemptFiles.metrics, faultyLines);
  const [startedMs] = table.time;
  const file = createEventFile(logFolder, { startedMs: startedMs ?? nowMs, mark: `export-${nowMs}` });
  let scalars = 0;
  const byRow = new Map<number, Record<string, number>>();
  for (const name of table.names) {
    const { rows, values } = table.series(name);
    rows.forEach((row, point) => {
      const line = byRow.get(row) ?? {};
      line[name] = values[point]!;
      byRow.set(row, line);
      scalars++;
    });
  }
  let images = 0;
  const looks = await readLooks(runFolder);
  const writeLooksBefore = async (step: number) => {
    for (let [look] = looks; look && look.record.step < step; [look] = looks) {
      images += await writeLook(file, look, (path) => problems.push(`${relative(runFolder, path)}: missing`));
      looks.shift();
    }
  };
  for (const row of [...byRow.keys()].sort((a, b) => a - b)) {
    await writeLooksBefore(table.step[row]!);
    file.scalars(table.step[row]!, table.time[row]!, { epoch: table.epoch[row]!, ...byRow.get(row)! });
  }
  await writeLooksBefore(Infinity);
  file.close();
  return { path: file.path, scalars, images, problems };
}

/**
 * The pictures of one step: `look/sheet`, `look/neighbours`, ..., and those of single images as `look/1 NAME/attention`. Names of images
 * need not differ, their places do.
 *
 * @returns how many
 */
async function writeLook(
  file: EventFile,
  { folder, record }: Look,
  onMissing: (path: string) => void,
): Promise<number> {
  const pictures = [
    ...record.sheets.map((sheet) => ({ tag: `look/${sheet.kind}`, file: sheet.file })),
    ...record.images.flatMap(({ name, pictures: own }, index) =>
      own.map((picture) => ({ tag: `look/${index + 1} ${name}/${picture.kind}`, file: picture.file })),
    ),
  ];
  let written = 0;
  for (const { tag, file: name } of pictures) {
    const path = join(folder, name);
    if (!existsSync(path)) {
      onMissing(path);
      continue;
    }
    const png = readFileSync(path);
    const { width, height } = await sharp(png).metadata();
    file.image(record.step, record.time, tag, { png, heightPx: height, widthPx: width });
    written++;
  }
  return written;
}
