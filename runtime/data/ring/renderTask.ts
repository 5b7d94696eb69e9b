import type { SamplingConfig } from '../views/sampleViews.ts';
import { viewSpecs } from '../views/viewSpec.ts';

/** What is made of each image of a batch. */
export type RenderTask =
  /** The multi-crop views; an image that can't be decoded is replaced by the next one that can. */
  | { kind: 'views'; crops: SamplingConfig; seed: number }
  /** The evaluation transform; an image that can't be decoded leaves its place empty. */
  | { kind: 'evaluation'; resizePx: number; cropPx: number };

/** The images at `images` of the split, to the places from `first` on of a slot. */
export interface RenderJob {
  slot: number;
  /** Which batch the slot is being filled for; written to each finished place. */
  generation: number;
  first: number;
  images: readonly number[];
  epoch: number;
  /** The encoded images where they have been read already; null for one that is to be read here. */
  encoded?: readonly (Uint8Array<ArrayBuffer> | null)[];
}

export interface Fault {
  image: number;
  reason: string;
}

/** Sides of the views that a task makes of an image, in their order. */
export function viewSidesPx(task: RenderTask): number[] {
  return task.kind === 'views' ? viewSpecs(task.crops).map((spec) => spec.sizePx) : [task.cropPx];
}
