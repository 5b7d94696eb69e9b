import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../data/datasets/cacheFolder.ts';
import { libraryVersions, studioVersion } from '../../run/versions.ts';
import { engineNames, type EngineName, type EngineReport } from './engineReport.ts';
import { probeEngine } from './probeEngine.ts';

export interface ReportOptions {
  engines?: readonly EngineName[];
  /** Probe again whatever is remembered. */
  refresh?: boolean;
  /** Called before an engine is probed, which takes seconds. */
  onProbe?: (engine: EngineName) => void;
  probe?: (engine: EngineName) => Promise<EngineReport>;
  file?: string;
}

/**
 * What each engine is worth on this machine: remembered from an earlier probe, as long as machine, software and the settings that drivers
 * listen to are the same, else found out now, one after another, since they would slow each other down.
 */
export async function machineReports(options: ReportOptions = {}): Promise<EngineReport[]> {
  const { engines = engineNames, refresh = false, onProbe, probe = probeEngine, file = reportFile() } = options;
  const machine = describeMachine();
  const known = remembered(file, machine);
  const reports: EngineReport[] = [];
  for (const engine of engines) {
    const earlier = refresh ? undefined : known[engine];
    if (!earlier) onProbe?.(engine);
    reports.push(earlier ?? (await probe(engine)));
  }
  const all = { ...known, ...Object.fromEntries(reports.map((report) => [report.engine, report])) };
  remember(file, { machine, reports: all });
  return reports;
}

interface Remembered {
  machine: string;
  reports: Partial<Record<EngineName, EngineReport>>;
}

const reportFile = (): string => join(cacheFolder(), 'engines.json');

/** Everything that a report depends on and that can be told without a probe. */
function describeMachine(): string {
  const { SIMDINO_TENSORFLOW, VK_ICD_FILENAMES, VK_DRIVER_FILES, CUDA_VISIBLE_DEVICES } = process.env;
  return JSON.stringify([
    hostname(),
    process.platform,
    process.arch,
    process.version,
    cpus()[0]?.model,
    availableParallelism(),
    studioVersion(),
    libraryVersions()['onnxruntime-node'],
    { SIMDINO_TENSORFLOW, VK_ICD_FILENAMES, VK_DRIVER_FILES, CUDA_VISIBLE_DEVICES },
  ]);
}

function remembered(file: string, machine: string): Remembered['reports'] {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Remembered;
    return content.machine === machine ? content.reports : {};
  } catch {
    return {}; // nothing is remembered yet, or not in a form that says anything
  }
}

/** Written aside and renamed: several runs may start at once. */
function remember(file: string, content: Remembered): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const aside = `${file}.${process.pid}`;
    writeFileSync(aside, JSON.stringify(content, null, 2));
    renameSync(aside, file);
  } catch {
    // A machine without a writable cache folder probes each time.
  }
}
