import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { readRunMetrics } from '../../experiments/store/runMetrics.ts';
import { unreadableLines } from '../../experiments/store/tailJsonLines.ts';
import { attemptFiles, runFiles } from '../../protocol/runFolder.ts';
import { createEventFile } from './eventFile.ts';

/**
 * Writes a run's scalars and pictures as one event file. Lines that a resumed attempt superseded are left out, as everywhere.
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
  for (const row of [...byRow.keys()].sort((a, b) => a - b)) {
    file.scalars(table.step[row]!, table.time[row]!, { epoch: table.epoch[row]!, ...byRow.get(row)! });
  }
  const lastRow = table.length - 1;
  const pictures = await picturesOf(join(runFolder, runFiles.artifacts));
  for (const { tag, step, image } of pictures) {
    file.image(step ?? table.step[lastRow] ?? 0, table.time[lastRow] ?? nowMs, tag, image);
  }
  file.close();
  const problems = unreadableLines(attemptFiles.metrics, faultyLines);
  return { path: file.path, scalars, images: pictures.length, problems };
}

/** The PNG files of a folder. `attention-step-000900.png` is the picture `attention` of step 900. */
async function picturesOf(folder: string) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.png'))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const png = readFileSync(join(folder, name));
      const { width, height } = await sharp(png).metadata();
      const [, stem = name, step] = /^(.*?)(?:-step-(\d+))?\.png$/.exec(name) ?? [];
      return {
        tag: stem,
        step: step === undefined ? undefined : Number(step),
        image: { png, heightPx: height, widthPx: width },
      };
    }),
  );
}
