/** What the panel of pictures and the extension say to each other; both ends check what arrives. */

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

export type ToLookPanel = { type: 'look/snapshot'; runs: LookedRun[]; busy: boolean };

export type FromLookPanel =
  | { type: 'ready' }
  /** Make pictures of every checkpoint of a run. */
  | { type: 'look'; runId: string };

export function isToLookPanel(value: unknown): value is ToLookPanel {
  if (typeof value !== 'object' || value === null) return false;
  const { type, runs, busy } = value as Partial<ToLookPanel>;
  return type === 'look/snapshot' && typeof busy === 'boolean' && Array.isArray(runs) && runs.every(isLookedRun);
}

export function isFromLookPanel(value: unknown): value is FromLookPanel {
  if (typeof value !== 'object' || value === null) return false;
  const { type, runId } = value as { type?: unknown; runId?: unknown };
  return type === 'ready' || (type === 'look' && typeof runId === 'string' && runId.length <= 128);
}

function isLookedRun(value: unknown): value is LookedRun {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, looks } = value as Partial<LookedRun>;
  const arePictures = (pictures: unknown): boolean =>
    Array.isArray(pictures) &&
    pictures.every(({ kind, uri }: Partial<ShownPicture>) => typeof kind === 'string' && typeof uri === 'string');
  return (
    typeof id === 'string' &&
    typeof name === 'string' &&
    Array.isArray(looks) &&
    looks.every(
      ({ step, images, sheets }) =>
        typeof step === 'number' &&
        arePictures(sheets) &&
        Array.isArray(images) &&
        images.every((image) => typeof image.name === 'string' && arePictures(image.pictures)),
    )
  );
}
