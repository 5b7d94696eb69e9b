/** Labels as files give them (numbers or texts) to classes. */
import { errors } from '../../../protocol/errors.ts';
import type { MemoryHandle } from '../dataset.ts';
import { sharedLabels } from './shared.ts';

/** A label as it was found; null where an image has none. */
export type LabelValue = string | number | null;

/** Numbers beyond this are no class numbers, and would make a list of names as long. */
const maxClassNumber = 1_000_000;

export interface LabelledPart {
  path: string;
  labels: readonly LabelValue[];
  nameOf: (index: number) => string;
}

export interface ClassedPart {
  classes: readonly string[] | null;
  labels_N: MemoryHandle['labels_N'];
}

/**
 * One list of classes for all parts of a data set. Whole numbers from 0 are indices of `names`, or of the classes
 * "0", "1" and so on without names; any other labels are names of classes, in the order of code points. A part without
 * any label has no classes.
 *
 * @throws dataUnreadable when some images of a part have labels and others have none, or a number is out of range
 */
export function classify(parts: readonly LabelledPart[], names: readonly string[] | null = null): ClassedPart[] {
  const all = parts.flatMap(({ labels }) => [...distinct(labels)]);
  const numbers = all.every((label) => label === null || isClassNumber(label));
  const largest = numbers ? all.reduce<number>((most, label) => Math.max(most, Number(label ?? -1)), -1) : -1;
  if (largest > maxClassNumber)
    throw errors.dataUnreadable(parts[0]!.path, `a label is ${largest}; class numbers end at ${maxClassNumber}`);
  const classes =
    names ??
    (numbers
      ? Array.from({ length: largest + 1 }, (_, label) => String(label))
      : [...new Set(all.filter((label) => label !== null).map(String))].sort(byCodePoint));
  const indices = new Map(classes.map((name, index) => [name, index]));
  const indexOf = (label: string | number): number => {
    const index = numbers ? Number(label) : indices.get(String(label));
    return index !== undefined && index < classes.length ? index : -1;
  };
  return parts.map((part) => classifyPart(part, classes, indexOf));
}

function classifyPart(
  { path, labels, nameOf }: LabelledPart,
  classes: readonly string[],
  indexOf: (label: string | number) => number,
): ClassedPart {
  const missing = labels.indexOf(null);
  if (labels.every((label) => label === null)) return { classes: null, labels_N: null };
  if (missing >= 0) throw errors.dataUnreadable(path, `${nameOf(missing)} has no label, but other images have one`);
  const labels_N = sharedLabels(labels.length);
  labels.forEach((label, image) => {
    const index = indexOf(label!);
    if (index < 0)
      throw errors.dataUnreadable(
        path,
        `the label of ${nameOf(image)} is ${label}, which is none of ${classes.length} classes`,
      );
    labels_N[image] = index;
  });
  return { classes, labels_N };
}

function isClassNumber(label: string | number): boolean {
  return /^\d{1,15}$/.test(String(label));
}

function distinct(labels: readonly LabelValue[]): Set<LabelValue> {
  return new Set(labels);
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
