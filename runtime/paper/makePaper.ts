import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import {
  manifestFile,
  paperManifestVersion,
  type ManifestRun,
  type PaperManifest,
} from '../../experiments/paperManifest.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import { runFiles, sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { errors } from '../../protocol/errors.ts';
import { guard } from '../run/appendLines.ts';
import { studioVersion } from '../run/versions.ts';
import { paperTables, type PaperPlan, type PaperTables } from './paperTables.ts';
import { checksum, evidenceOf, sha256Of } from './runFiles.ts';

/** Where a paper's own copy of the raw metrics is, when it has one. */
const dataFolder = 'data';

/**
 * Writes the table (Markdown, LaTeX, CSV), the figure and the manifest of some runs or a sweep into a folder. With `withData`, the
 * raw metrics come along, and the folder can be verified anywhere.
 *
 * @throws usage, runMissing
 */
export async function makePaper(
  runsFolder: string,
  plan: PaperPlan,
  { folder, withData, createdAt }: { folder: string; withData: boolean; createdAt: string },
): Promise<{ manifest: PaperManifest; problems: PaperTables['problems'] }> {
  const { texts, metrics, problems } = await paperTables(runsFolder, plan);
  const runs = await Promise.all(plan.runIds.map((id) => describeRun(runsFolder, id)));
  const { runIds: _, ...rest } = plan;
  const manifest: PaperManifest = {
    version: paperManifestVersion,
    createdAt,
    studioVersion: studioVersion(),
    ...rest,
    metrics,
    runsFolder: withData ? dataFolder : relative(folder, runsFolder) || '.',
    runs,
    outputs: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, sha256Of(text)])),
  };
  guard(folder, () => {
    mkdirSync(folder, { recursive: true });
    if (withData) copyData(runsFolder, join(folder, dataFolder), manifest);
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return { manifest, problems };
}

async function describeRun(runsFolder: string, id: string): Promise<ManifestRun> {
  const folder = join(runsFolder, id);
  if (!existsSync(join(folder, runFiles.record))) throw errors.runMissing(id, runsFolder);
  const { record, state, lastAttempt } = await summariseRun(folder, id, new LivenessWatch(), 0);
  const paths = await evidenceOf(folder);
  const sums = await Promise.all(paths.map((path) => checksum(join(folder, path))));
  return {
    id,
    seed: record?.seed ?? 0,
    method: record?.method ?? '',
    cell: record?.sweep?.cell ?? {},
    state,
    git: record?.git ?? null,
    trainedBy: [record?.environment.studioVersion, lastAttempt?.engine, lastAttempt?.device].filter(Boolean).join(', '),
    files: Object.fromEntries(paths.map((path, i) => [path, sums[i] as (typeof sums)[number]])),
  };
}

function copyData(runsFolder: string, target: string, { runs, sweepId }: PaperManifest): void {
  for (const { id, files } of runs)
    for (const path of Object.keys(files)) {
      mkdirSync(dirname(join(target, id, path)), { recursive: true });
      cpSync(join(runsFolder, id, path), join(target, id, path));
    }
  if (sweepId === null) return;
  const record = join(sweepsFolder, sweepId, sweepFiles.record);
  mkdirSync(dirname(join(target, record)), { recursive: true });
  writeFileSync(join(target, record), readFileSync(join(runsFolder, record)));
}
