/**
 * The closed set of messages between the extension host and the webview panels.
 *
 * Both ends validate what arrives with `checkPanelMessage.ts`. A panel that becomes visible says `ready` and gets one
 * snapshot; after that it gets deltas until it is hidden. A hidden panel gets nothing and asks again when it is shown.
 * Columns travel as `Float64Array`, which the editor passes as binary.
 */
import { runStates, type GitRecord, type JsonScalar, type SchedulerState, type SweepRecord } from './records.ts';

export const panelKinds = ['curves', 'grid', 'comparison', 'table', 'look'] as const;
export type PanelKind = (typeof panelKinds)[number];

/** What the panels know of a run beside its curves. */
export interface RunSummary {
  id: string;
  /** What people call it: the annotation's name, else the id. */
  name: string;
  state: ShownState;
  method: string;
  seed: number;
  /** Last step logged, 0 before the first. */
  step: number;
  totalSteps: number;
  /** Fractional epoch of `step`. */
  epoch: number;
  stepsPerEpoch: number;
  /** Unix time in ms. */
  createdAtMs: number;
  /** Unix time in ms of the last line of metrics, null before the first. */
  updatedAtMs: number | null;
  /** Remaining time, null when nothing is running or too little is known. */
  etaMs: number | null;
  /** Engine and device of the last attempt, for example `onnx` on `CPU, 8 threads`. */
  engine: string | null;
  device: string | null;
  /** Where the configuration came from, as given. */
  configSource: string;
  /** The resolved configuration, flat: `loss.eps` -> 0.2236; a list is its JSON text. */
  config: Record<string, JsonScalar>;
  /** Newest value of every metric; may be NaN or infinite. */
  last: Record<string, number>;
  /** Best finite value of every metric that has a better direction. */
  best: Record<string, MetricPoint>;
  git: GitRecord | null;
  sweep: { id: string; cell: Record<string, JsonScalar>; seed: number } | null;
  parent: { id: string; step: number } | null;
  /** Steps where a later attempt took over. */
  resumedAtSteps: number[];
  /** Steps of the checkpoints that exist. */
  checkpointSteps: number[];
  /** Coding rate in nats of collapsed features under this configuration, null where it is not known. */
  codingRateCollapsed: number | null;
  /** Why it failed, in the words of its error; null otherwise. */
  failure: string | null;
  star: boolean;
  tags: string[];
  /** Sentences about what could not be read of it. */
  problems: string[];
}

export interface MetricPoint {
  value: number;
  step: number;
}

/** One metric of one run. The four columns have one length; series of a run may share the same arrays for x. */
export interface Series {
  runId: string;
  metric: string;
  /** Index, in the panel's copy, that the columns start at. The panel cuts its copy there and appends. 0 replaces. */
  from: number;
  step: Float64Array;
  epoch: Float64Array;
  /** Unix time in ms. */
  time: Float64Array;
  /** NaN and infinities stand where the trainer logged them. */
  value: Float64Array;
}

/** A sweep as its panel shows it. Cells whose run is not among `runs` have not been started. */
export interface GridData {
  sweep: SweepRecord;
  name: string;
  runs: RunSummary[];
  scheduler: SchedulerState;
  /** When the last was heard of a scheduler that is lost or silent, Unix time in ms; null where that is not known. */
  heardAtMs: number | null;
  etaMs: number | null;
}

/** A folder that says nothing about a run that can be understood has no state: none is guessed. */
export const shownStates = [...runStates, 'unreadable'] as const;
export type ShownState = (typeof shownStates)[number];

/** A run as a line of the table of runs. */
export interface TableRow {
  id: string;
  name: string;
  state: ShownState;
  method: string;
  seed: number;
  /** Unix time in ms, 0 where it is not known. */
  createdAtMs: number;
  epoch: number;
  star: boolean;
  archived: boolean;
  tags: string[];
  notes: string;
  sweepId: string | null;
  /** Newest values; may be NaN or infinite. */
  last: Record<string, number>;
  /** Empty until the run's metrics were read through. */
  best: Record<string, MetricPoint>;
  /** The keys on which the runs of the table differ. */
  config: Record<string, JsonScalar>;
  /** Sentences about what could not be read of it. */
  problems: string[];
}

/** How many runs of the table were read through, of how many. */
export interface TableProgress {
  read: number;
  total: number;
}

/** Pictures of what a run learned. */
export interface LookedRun {
  id: string;
  name: string;
  /** Newest look of each step, by step. */
  looks: { step: number; images: { name: string; pictures: ShownPicture[] }[]; sheets: ShownPicture[] }[];
}

export interface ShownPicture {
  kind: string;
  /** An address that the panel may load. */
  uri: string;
}

/** What a panel keeps across a reload of the window: navigation only. The host's serializer gets it as `state`. */
export interface PanelState {
  kind: PanelKind;
  /** Runs shown; for a grid, none. */
  runIds: string[];
  sweepId: string | null;
  /** Base of the comparison. */
  baseId: string | null;
  /** Choices of the panel's own controls: axis, smoothing, metric. */
  choices: Record<string, JsonScalar>;
}

export type ToPanelMessage =
  /** Everything the curves panel shows; `missing` names runs that were asked for and are gone. */
  | { type: 'curves/snapshot'; runs: RunSummary[]; series: Series[]; missing: string[] }
  /** News of curves or comparison: new summaries, grown series, runs whose folder has gone. */
  | { type: 'curves/append'; runs: RunSummary[]; series: Series[]; removed: string[] }
  | { type: 'grid/snapshot'; grid: GridData }
  | { type: 'comparison/snapshot'; runs: RunSummary[]; series: Series[]; baseId: string | null; missing: string[] }
  | { type: 'table/snapshot'; rows: TableRow[]; progress: TableProgress }
  /** Rows that are new or have changed, and runs whose folder has gone. */
  | { type: 'table/append'; rows: TableRow[]; removed: string[]; progress: TableProgress }
  /** Pictures of runs side by side; `busy` while more are being made. */
  | { type: 'look/snapshot'; runs: LookedRun[]; busy: boolean }
  /** Data can't be read: shown in place of, or above, what is there. */
  | { type: 'panel/error'; code: string; message: string; remedy: string };

export const exportFormats = ['png', 'svg', 'csv', 'markdown', 'latex'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const gridActions = ['runMissing', 'pause', 'continue', 'cancel'] as const;
export type GridAction = (typeof gridActions)[number];

export type FromPanelMessage =
  /** The panel is visible and has nothing, or noticed that it missed something: send a snapshot. */
  | { type: 'ready'; panel: PanelKind }
  | { type: 'openRun'; runId: string }
  | { type: 'openConfig'; runId: string }
  | { type: 'openLog'; runId: string }
  | { type: 'openFolder'; runId: string }
  | { type: 'stopRun'; runId: string }
  | { type: 'resumeRun'; runId: string }
  /** Start a run from another with changed keys, at a checkpoint or (0) from the beginning; the host shows them and asks. */
  | { type: 'forkRun'; runId: string; step: number; changes: Record<string, JsonScalar>; reason: string }
  /** Edit a key in the text that a run was started from. */
  | { type: 'editHyperparameter'; runId: string; key: string }
  | { type: 'diffConfigs'; leftId: string; rightId: string }
  | { type: 'compare'; runIds: string[] }
  | { type: 'openRuns'; runIds: string[] }
  /** Make pictures of every checkpoint of a run. */
  | { type: 'look'; runId: string }
  | { type: 'star'; runId: string; star: boolean }
  /** Let a person choose runs to add to this panel. */
  | { type: 'chooseRuns'; panel: 'curves' | 'comparison' }
  | { type: 'setBase'; runId: string }
  | { type: 'gridAction'; sweepId: string; action: GridAction }
  /** Run these cells of a grid and no others; the host asks first. */
  | { type: 'runCells'; sweepId: string; runIds: string[] }
  | { type: 'export'; format: ExportFormat; fileName: string; content: ExportContent }
  | { type: 'copy'; text: string }
  /** A fault inside the panel, for the extension's log. */
  | { type: 'fault'; message: string };

export type ExportContent = { kind: 'text'; text: string } | { kind: 'bytes'; bytes: Uint8Array };
