/**
 * What a report holds, and its text form: JSON whose columns are base64 of little-endian doubles, each distinct column
 * once. The text goes into a `<script type="application/json">` element and may stand there as it is.
 */
import { checkToPanel } from '../protocol/checkPanelMessage.ts';
import type { GridData, RunSummary, Series } from '../protocol/panelMessages.ts';
import { escapeForScript } from './htmlPage.ts';

export interface ReportData {
  title: string;
  createdAtMs: number;
  studioVersion: string;
  runs: RunSummary[];
  series: Series[];
  grids: GridData[];
  /** Base of the comparison. */
  baseId: string | null;
}

const version = 1;
const columnNames = ['step', 'epoch', 'time', 'value'] as const;

interface Encoded extends Omit<ReportData, 'series'> {
  version: number;
  columns: string[];
  series: { runId: string; metric: string; step: number; epoch: number; time: number; value: number }[];
}

export function encodeReport(data: ReportData): string {
  const columns: string[] = [];
  const positions = new Map<string, number>();
  const column = (values: Float64Array): number => {
    const encoded = toBase64(values);
    const known = positions.get(encoded);
    if (known !== undefined) return known;
    positions.set(encoded, columns.length);
    return columns.push(encoded) - 1;
  };
  const series = data.series.map(({ runId, metric, step, epoch, time, value }) => ({
    runId,
    metric,
    step: column(step),
    epoch: column(epoch),
    time: column(time),
    value: column(value),
  }));
  const encoded: Encoded = { ...data, version, series, columns };
  return escapeForScript(JSON.stringify(encoded, nameNonFinite));
}

/** The inverse of `encodeReport`. Throws a plain sentence when the text is not a report. */
export function decodeReport(text: string): ReportData {
  const encoded = JSON.parse(text, readNonFinite) as Encoded;
  if (encoded.version !== version) {
    throw new Error(`This report has format ${encoded.version}; this page reads format ${version}.`);
  }
  const columns = encoded.columns.map(fromBase64);
  const series = encoded.series.map((one): Series => {
    const [step, epoch, time, value] = columnNames.map((name) => columns[one[name]]);
    if (!step || !epoch || !time || !value) throw new Error(`The report lacks a column of ${one.metric}.`);
    return { runId: one.runId, metric: one.metric, from: 0, step, epoch, time, value };
  });
  const { title, createdAtMs, studioVersion, runs, grids, baseId } = encoded;
  const parts = [
    checkToPanel({ type: 'comparison/snapshot', runs, series, baseId, missing: [] }),
    ...grids.map((grid) => checkToPanel({ type: 'grid/snapshot', grid })),
  ];
  for (const part of parts) if (!part.ok) throw new Error(`The report is damaged: ${part.reason}.`);
  return { title, createdAtMs, studioVersion, runs, series, grids, baseId };
}

/** JSON has no NaN; runs whose loss diverged do. */
function nameNonFinite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { nonFinite: String(value) } : value;
}

function readNonFinite(_key: string, value: unknown): unknown {
  const named = typeof value === 'object' && value !== null && 'nonFinite' in value ? value.nonFinite : undefined;
  return named === 'NaN' || named === 'Infinity' || named === '-Infinity' ? Number(named) : value;
}

function toBase64(values: Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let binary = '';
  const chunk = 0x8000;
  for (let i = 0; i < bytes.length; i += chunk) binary += String.fromCharCode(...bytes.subarray(i, i + chunk));
  return btoa(binary);
}

function fromBase64(text: string): Float64Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float64Array(bytes.buffer);
}
