import type { LookedRun } from '../../protocol/lookMessages.ts';

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
