import type { ResolvedConfig } from '../../configs/schema.ts';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { importedVersion, recordVersion, type MetricLine } from '../../protocol/records.ts';
import { describeEnvironment } from '../run/environment.ts';
import { formatResolvedConfig } from '../run/openRun.ts';
import { createRunFolder, openAttempt } from '../run/runFolder.ts';

/** What somebody else's log says, in our terms. */
export interface ImportedLog {
  /** For people: `authors' log (v1)`, `TensorBoard`. */
  format: string;
  method: string;
  lines: MetricLine[];
  totalSteps: number;
  stepsPerEpoch: number;
}

export interface ImportOptions {
  id: string;
  runsFolder: string;
  /** The file or folder that was read. */
  source: string;
  command: string[];
  /** The configuration that the log was made with, where somebody knows it. */
  config: ResolvedConfig | null;
  trainImages: number;
  nowMs: number;
}

/**
 * Makes a run of a log: it has curves and no checkpoints, is finished, and so is read only. Panels, comparisons, reports and exports
 * take it like any other.
 *
 * @returns the run's folder
 * @throws runExists, runFolderUnwritable
 */
export async function importRun(log: ImportedLog, options: ImportOptions): Promise<string> {
  const { id, runsFolder, source, command, config, trainImages, nowMs } = options;
  const startedAt = new Date(log.lines[0]?.time ?? nowMs).toISOString();
  const folder = createRunFolder(
    runsFolder,
    {
      version: recordVersion,
      id,
      createdAt: startedAt,
      command,
      workingFolder: process.cwd(),
      configSource: source,
      seed: config?.seed ?? 0,
      method: log.method,
      git: null,
      environment: describeEnvironment(importedVersion, {}),
      parent: null,
      sweep: null,
      totalSteps: log.totalSteps,
      stepsPerEpoch: log.stepsPerEpoch,
      trainImages,
      parameters: 0,
    },
    {
      config: config ? formatResolvedConfig(config) : `# Imported from ${source}; its configuration is not known.\n`,
      dirtyDiff: null,
    },
  );
  const lastStep = log.lines.at(-1)?.step ?? 0;
  const attempt = await openAttempt(folder, {
    startedAt,
    process: currentProcess(),
    engine: 'imported',
    device: log.format,
    resumedFrom: null,
    now: () => nowMs,
  });
  try {
    attempt.event(0, { type: 'started' });
    attempt.log(`imported from ${source}: ${log.format}, ${log.lines.length} lines`);
    for (const line of log.lines) attempt.metric(line);
    attempt.event(lastStep, { type: 'finished' });
  } finally {
    await attempt.close();
  }
  return folder;
}
