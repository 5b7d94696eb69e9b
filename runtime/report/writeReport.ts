/** One self-contained HTML file of some runs: the panels' own page with the data inside. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeReport, type ReportData } from '../../experiments/reportData.ts';
import { reportHtml } from '../../experiments/reportHtml.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { listSweeps } from '../../experiments/store/readSweep.ts';
import { RunFeed } from '../../experiments/store/runFeed.ts';
import { errors } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { builtFile } from '../installation.ts';
import { guard } from '../run/appendLines.ts';
import { studioVersion } from '../run/versions.ts';

/**
 * Writes a report of the runs, and of every sweep all of whose started cells are among them.
 *
 * @returns the path of the file
 * @throws runMissing
 */
export async function writeReport(runsFolder: string, ids: readonly string[], path: string): Promise<string> {
  const watch = new LivenessWatch();
  const nowMs = Date.now();
  const news = await Promise.all(
    ids.map(async (id) => {
      const folder = join(runsFolder, id);
      if (!existsSync(join(folder, runFiles.record))) throw errors.runMissing(id, runsFolder);
      return new RunFeed(folder, id, watch).read(nowMs);
    }),
  );
  const runs = news.map(({ summary }) => summary);
  const title = runs.length === 1 ? (runs[0]?.name ?? '') : `${runs.length} runs`;
  const data: ReportData = {
    title,
    createdAtMs: nowMs,
    studioVersion: studioVersion(),
    runs,
    series: news.flatMap(({ series }) => series),
    grids: await gridsOf(runsFolder, runs),
    baseId: runs[0]?.id ?? null,
  };
  const html = reportHtml({
    title,
    script: readFileSync(builtFile('webview/report.js'), 'utf8'),
    style: readFileSync(builtFile('webview/report.css'), 'utf8'),
    data: encodeReport(data),
    nonce: randomBytes(16).toString('hex'),
  });
  guard(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.partial`, html);
    renameSync(`${path}.partial`, path);
  });
  return path;
}

async function gridsOf(runsFolder: string, runs: ReportData['runs']): Promise<ReportData['grids']> {
  const sweepIds = new Set(runs.flatMap(({ sweep }) => (sweep ? [sweep.id] : [])));
  const sweeps = await listSweeps(runsFolder);
  return sweeps.flatMap(({ record }) =>
    record && sweepIds.has(record.id)
      ? [
          {
            sweep: record,
            name: record.id,
            runs: runs.filter(({ sweep }) => sweep?.id === record.id),
            scheduler: 'idle' as const,
            heardAtMs: null,
            etaMs: null,
          },
        ]
      : [],
  );
}
