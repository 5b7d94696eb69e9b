import type { GitRecord, JsonScalar } from '../protocol/records.ts';

/** `manifest.json` beside a table and its figure: what they were made of, so that anybody can make them again and compare. */
export interface PaperManifest {
  version: number;
  createdAt: string;
  studioVersion: string;
  title: string;
  /** The sweep that the table is of; null for a choice of runs. */
  sweepId: string | null;
  metrics: string[];
  choose: 'best' | 'last';
  /** Where the runs are, relative to the manifest. */
  runsFolder: string;
  runs: ManifestRun[];
  /** SHA-256 of each file that was written beside the manifest. */
  outputs: Record<string, string>;
}

export interface ManifestRun {
  id: string;
  seed: number;
  method: string;
  /** Values of the sweep's axes; empty for a choice of runs. */
  cell: Record<string, JsonScalar>;
  state: string;
  git: GitRecord | null;
  /** Version of the studio that trained it, its engine and device. */
  trainedBy: string;
  /** Every file that the numbers follow from, by its path in the run folder. */
  files: Record<string, { bytes: number; sha256: string }>;
}

export const paperManifestVersion = 1;
export const manifestFile = 'manifest.json';

/** A manifest as read from JSON; undefined when it is none that this version knows. */
export function asPaperManifest(value: unknown): PaperManifest | undefined {
  const json = value as Partial<PaperManifest> | null;
  const isManifest =
    typeof json === 'object' &&
    json !== null &&
    typeof json.version === 'number' &&
    json.version <= paperManifestVersion &&
    Array.isArray(json.runs) &&
    json.runs.every((run) => typeof run.id === 'string' && typeof run.files === 'object') &&
    Array.isArray(json.metrics) &&
    typeof json.outputs === 'object' &&
    typeof json.runsFolder === 'string';
  return isManifest ? (json as PaperManifest) : undefined;
}

/** Whether a file of that name is one of ours: others write a `manifest.json` too. */
export function isPaperManifestText(text: string): boolean {
  try {
    return asPaperManifest(JSON.parse(text)) !== undefined;
  } catch {
    return false; // no JSON
  }
}
