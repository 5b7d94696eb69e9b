/**
 * Validation of panel messages at run time, at both ends. Hand-written, so that a webview carries no schema library.
 *
 * A message is checked whole: a wrong field anywhere refuses it, and the reason names the field. Keys beyond those
 * known are ignored, so that an older panel reads a newer host.
 */
import type { FromPanelMessage, PanelState, ToPanelMessage } from './panelMessages.ts';
import { exportFormats, gridActions, panelKinds, shownStates } from './panelMessages.ts';
import { schedulerStates } from './records.ts';
import { isRunId } from './runFolder.ts';

export type Checked<T> = { ok: true; message: T } | { ok: false; reason: string };

/** Whether what came from the extension host is a message; `reason` says which field is wrong. */
export function checkToPanel(value: unknown): Checked<ToPanelMessage> {
  return checkUnion(value, toPanelShapes);
}

/** Whether what came from a webview is a message. Ids can't leave the runs folder, file names can't leave theirs. */
export function checkFromPanel(value: unknown): Checked<FromPanelMessage> {
  return checkUnion(value, fromPanelShapes);
}

/** The state that a panel saved before a reload, or undefined when it is not one of ours. */
export function checkPanelState(value: unknown): PanelState | undefined {
  return panelState(value, 'state') === undefined ? (value as PanelState) : undefined;
}

/** A guard returns undefined for a good value, else what is wrong and where. */
type Guard = (value: unknown, at: string) => string | undefined;

const maximumTextLength = 4096;
const maximumExportLength = 2 ** 28;

const is =
  (expected: string, test: (value: unknown) => boolean): Guard =>
  (value, at) =>
    test(value) ? undefined : `${at}: expected ${expected}, got ${brief(value)}`;

const anyNumber = is('a number', (v) => typeof v === 'number');
const finite = is('a finite number', (v) => typeof v === 'number' && Number.isFinite(v));
const index = is('a whole number of 0 or more', (v) => Number.isSafeInteger(v) && (v as number) >= 0);
const flag = is('true or false', (v) => typeof v === 'boolean');
const text = is('text', (v) => typeof v === 'string' && v.length <= maximumTextLength);
const longText = is('text', (v) => typeof v === 'string' && v.length <= maximumExportLength);
const runId = is('a run id', (v) => typeof v === 'string' && isRunId(v));
const fileName = is(
  'a file name without folders',
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  (v) => typeof v === 'string' && /^[^\\/:*?"<>|\u0000-\u001f]{1,200}$/.test(v) && !/^\.+$/.test(v),
);
const scalar = is('a number, text, true, false or null', isScalar);
// By tag, not `instanceof`: arrays may come from another realm.
const tag = (value: unknown): string => Object.prototype.toString.call(value);
const column = is('a Float64Array', (v) => tag(v) === '[object Float64Array]');
const bytes = is(
  'a Uint8Array',
  (v) => tag(v) === '[object Uint8Array]' && (v as Uint8Array).byteLength <= maximumExportLength,
);
const oneOf = (names: readonly string[]): Guard =>
  is(`one of ${names.join(', ')}`, (v) => typeof v === 'string' && names.includes(v));

const orNull =
  (guard: Guard): Guard =>
  (value, at) =>
    value === null ? undefined : guard(value, at);

const listOf =
  (guard: Guard): Guard =>
  (value, at) => {
    if (!Array.isArray(value)) return `${at}: expected a list, got ${brief(value)}`;
    return firstFault(value.map((item, i) => () => guard(item, `${at}[${i}]`)));
  };

const recordOf =
  (guard: Guard): Guard =>
  (value, at) => {
    if (!isPlainObject(value)) return `${at}: expected an object, got ${brief(value)}`;
    return firstFault(
      Object.entries(value).map(
        ([key, item]) =>
          () =>
            guard(item, `${at}.${key}`),
      ),
    );
  };

const shape =
  (fields: Record<string, Guard>): Guard =>
  (value, at) => {
    if (!isPlainObject(value)) return `${at}: expected an object, got ${brief(value)}`;
    return firstFault(
      Object.entries(fields).map(
        ([key, guard]) =>
          () =>
            guard(value[key], `${at}.${key}`),
      ),
    );
  };

const summary = shape({
  id: runId,
  name: text,
  state: oneOf(shownStates),
  method: text,
  seed: finite,
  step: index,
  totalSteps: index,
  epoch: finite,
  stepsPerEpoch: finite,
  createdAtMs: finite,
  updatedAtMs: orNull(finite),
  etaMs: orNull(finite),
  engine: orNull(text),
  device: orNull(text),
  configSource: text,
  config: recordOf(scalar),
  last: recordOf(anyNumber),
  best: recordOf(shape({ value: finite, step: finite })),
  git: orNull(shape({ commit: text, branch: orNull(text), dirty: flag })),
  sweep: orNull(shape({ id: runId, cell: recordOf(scalar), seed: finite })),
  parent: orNull(shape({ id: runId, step: finite })),
  resumedAtSteps: listOf(finite),
  checkpointSteps: listOf(finite),
  codingRateCollapsed: orNull(finite),
  failure: orNull(text),
  star: flag,
  tags: listOf(text),
  problems: listOf(text),
});

const tableRow = shape({
  id: runId,
  name: text,
  state: oneOf(shownStates),
  method: text,
  seed: finite,
  createdAtMs: finite,
  epoch: finite,
  star: flag,
  archived: flag,
  tags: listOf(text),
  notes: text,
  sweepId: orNull(runId),
  last: recordOf(anyNumber),
  best: recordOf(shape({ value: finite, step: finite })),
  config: recordOf(scalar),
  problems: listOf(text),
});
const tableProgress = shape({ read: index, total: index });

const seriesColumns = shape({
  runId,
  metric: text,
  from: index,
  step: column,
  epoch: column,
  time: column,
  value: column,
});
const series: Guard = (value, at) => {
  const fault = seriesColumns(value, at);
  if (fault !== undefined) return fault;
  const { step, epoch, time, value: y } = value as Record<string, Float64Array>;
  const lengths = [step!.length, epoch!.length, time!.length, y!.length];
  return new Set(lengths).size === 1 ? undefined : `${at}: columns differ in length (${lengths.join(', ')})`;
};

const sweep = shape({
  version: finite,
  id: runId,
  createdAt: text,
  base: text,
  axes: listOf(shape({ key: text, values: listOf(scalar) })),
  seeds: listOf(finite),
  cells: listOf(shape({ runId, cell: recordOf(scalar), seed: finite })),
  metric: text,
  goal: oneOf(['maximise', 'minimise']),
  slots: finite,
});

const pictures = listOf(shape({ kind: text, uri: text }));
const lookedRun = shape({
  id: runId,
  name: text,
  looks: listOf(shape({ step: index, images: listOf(shape({ name: text, pictures })), sheets: pictures })),
});

const toPanelShapes: Record<ToPanelMessage['type'], Guard> = {
  'curves/snapshot': shape({ runs: listOf(summary), series: listOf(series), missing: listOf(text) }),
  'curves/append': shape({ runs: listOf(summary), series: listOf(series), removed: listOf(text) }),
  'grid/snapshot': shape({
    grid: shape({
      sweep,
      name: text,
      runs: listOf(summary),
      scheduler: oneOf(schedulerStates),
      heardAtMs: orNull(finite),
      etaMs: orNull(finite),
    }),
  }),
  'comparison/snapshot': shape({
    runs: listOf(summary),
    series: listOf(series),
    baseId: orNull(runId),
    missing: listOf(text),
  }),
  'table/snapshot': shape({ rows: listOf(tableRow), progress: tableProgress }),
  'table/append': shape({ rows: listOf(tableRow), removed: listOf(text), progress: tableProgress }),
  'look/snapshot': shape({ runs: listOf(lookedRun), busy: flag }),
  'panel/error': shape({ code: text, message: text, remedy: text }),
};

const ofRun = shape({ runId });
const fromPanelShapes: Record<FromPanelMessage['type'], Guard> = {
  ready: shape({ panel: oneOf(panelKinds) }),
  openRun: ofRun,
  openConfig: ofRun,
  openLog: ofRun,
  openFolder: ofRun,
  stopRun: ofRun,
  resumeRun: ofRun,
  forkRun: shape({ runId, step: index, changes: recordOf(scalar), reason: text }),
  diffConfigs: shape({ leftId: runId, rightId: runId }),
  compare: shape({ runIds: listOf(runId) }),
  openRuns: shape({ runIds: listOf(runId) }),
  look: ofRun,
  star: shape({ runId, star: flag }),
  chooseRuns: shape({ panel: oneOf(['curves', 'comparison']) }),
  setBase: ofRun,
  editHyperparameter: shape({ runId, key: text }),
  gridAction: shape({ sweepId: runId, action: oneOf(gridActions) }),
  runCells: shape({ sweepId: runId, runIds: listOf(runId) }),
  export: shape({
    format: oneOf(exportFormats),
    fileName,
    content: (value, at) =>
      shape({ kind: oneOf(['text', 'bytes']) })(value, at) ??
      ((value as { kind: string }).kind === 'text' ? shape({ text: longText }) : shape({ bytes }))(value, at),
  }),
  copy: shape({ text: longText }),
  fault: shape({ message: text }),
};

const panelState = shape({
  kind: oneOf(panelKinds),
  runIds: listOf(runId),
  sweepId: orNull(runId),
  baseId: orNull(runId),
  choices: recordOf(scalar),
});

function checkUnion<T>(value: unknown, shapes: Record<string, Guard>): Checked<T> {
  if (!isPlainObject(value)) return { ok: false, reason: `message: expected an object, got ${brief(value)}` };
  const type = value['type'];
  const guard = typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (!guard)
    return { ok: false, reason: `message.type: expected one of ${Object.keys(shapes).join(', ')}, got ${brief(type)}` };
  const reason = guard(value, 'message');
  return reason === undefined ? { ok: true, message: value as T } : { ok: false, reason };
}

function firstFault(checks: (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}

/** A value in at most 40 characters, for a reason. */
function brief(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'an object';
  return String(value);
}
