/**
 * Pictures of what a network sees, as a run folder keeps them: `artifacts/look/step-NNNNNN-TIME/` holds PNG files and `look.json`, written
 * last. Each look makes a folder of its own; of one step the newest counts.
 */
export const lookFolder = 'look';
export const lookFile = 'look.json';

export interface LookRecord {
  version: number;
  step: number;
  /** Unix time in ms. */
  time: number;
  network: 'teacher' | 'student';
  /** Side of the images that were looked at. */
  sizePx: number;
  images: LookedImage[];
  /** Pictures of the whole network, such as retrieval sheets and spectra, and the sheet of everything. */
  sheets: LookPicture[];
}

export interface LookedImage {
  name: string;
  pictures: LookPicture[];
}

export interface LookPicture {
  /** `image`, `attention`, `head 1`, `pca`, `masks`, `neighbours`, `spectrum`, `sheet`. */
  kind: string;
  /** Name of the PNG in the same folder. */
  file: string;
}

/** `lookName(900, 17...)` is `step-000900-17...`. */
export function lookName(step: number, time: number): string {
  return `step-${String(step).padStart(6, '0')}-${time}`;
}

/** Step and time of a folder's name; undefined where it is not one. */
export function lookOfName(name: string): { step: number; time: number } | undefined {
  const match = /^step-(\d{6,})-(\d+)$/.exec(name);
  return match ? { step: Number(match[1]), time: Number(match[2]) } : undefined;
}

/** Whether a value read from `look.json` is a record that this version knows. */
export function isLookRecord(value: unknown): value is LookRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, step, images, sheets } = value as Partial<LookRecord>;
  const isPicture = (picture: unknown): boolean => {
    const { kind, file } = (picture ?? {}) as Partial<LookPicture>;
    // A name, not a path: the panel shows nothing from outside the folder.
    return typeof kind === 'string' && typeof file === 'string' && /^[\w-][\w .-]*\.png$/.test(file);
  };
  return (
    version === 1 &&
    typeof step === 'number' &&
    Array.isArray(sheets) &&
    sheets.every(isPicture) &&
    Array.isArray(images) &&
    images.every(
      ({ name, pictures }: Partial<LookedImage>) =>
        typeof name === 'string' && Array.isArray(pictures) && pictures.every(isPicture),
    )
  );
}
