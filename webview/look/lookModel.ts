import { effect, signal } from '@preact/signals';
import type { LookedRun } from '../../protocol/panelMessages.ts';
import type { PanelHost } from '../panelHost.ts';

export interface LookModel {
  host: PanelHost;
  /** Null until the first snapshot. */
  runs: { value: readonly LookedRun[] | null };
  /** While pictures are being made. */
  busy: { value: boolean };
  fault: { value: { message: string; remedy: string } | null };
  /** The step that was chosen; null follows the last one. */
  step: { value: number | null };
  /** The kind of pictures shown beside the images, or `all`. */
  kind: { value: string };
}

/** State of the panel of pictures, fed by the host and saved across reloads. */
export function lookModel(host: PanelHost): LookModel {
  const runs = signal<readonly LookedRun[] | null>(null);
  const busy = signal(false);
  const fault = signal<{ message: string; remedy: string } | null>(null);
  const choices = host.saved()?.choices ?? {};
  const step = signal(typeof choices['step'] === 'number' ? choices['step'] : null);
  const kind = signal(typeof choices['kind'] === 'string' ? choices['kind'] : 'all');
  host.receive((message) => {
    if (message.type === 'look/snapshot') {
      runs.value = message.runs;
      busy.value = message.busy;
      fault.value = null;
    } else if (message.type === 'panel/error') fault.value = { message: message.message, remedy: message.remedy };
  });
  host.send({ type: 'ready', panel: 'look' });
  effect(() => {
    const saved = { step: step.value, kind: kind.value };
    const runIds = runs.value?.map(({ id }) => id);
    if (runIds) host.save({ kind: 'look', runIds, sweepId: null, baseId: null, choices: saved });
  });
  return { host, runs, busy, fault, step, kind };
}

/** The steps that any of the runs has pictures of, in order. */
export function sharedSteps(runs: readonly LookedRun[]): number[] {
  return [...new Set(runs.flatMap(({ looks }) => looks.map(({ step }) => step)))].sort((a, b) => a - b);
}

/** A run's pictures at a step: of the last look until then, else of its first. */
export function lookAt({ looks }: LookedRun, step: number): LookedRun['looks'][number] | undefined {
  return looks.filter((look) => look.step <= step).at(-1) ?? looks[0];
}

/** Kinds of pictures to choose from, in the order in which they were made. */
export function pictureKinds(runs: readonly LookedRun[]): string[] {
  const kinds = runs.flatMap(({ looks }) =>
    looks.flatMap(({ images, sheets }) => [...images.flatMap(({ pictures }) => pictures), ...sheets]),
  );
  return [...new Set(kinds.map(({ kind }) => kind))].filter((kind) => kind !== 'image' && kind !== 'sheet');
}

/** What each column is called: the run's name, and its id behind it where others have the same name. */
export function columnNames(runs: readonly LookedRun[]): string[] {
  return runs.map(({ id, name }) => {
    const isAmbiguous = runs.some((other) => other.id !== id && other.name === name);
    return isAmbiguous ? `${name} (${id})` : name;
  });
}
