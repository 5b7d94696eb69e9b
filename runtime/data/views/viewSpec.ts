import type { CropsConfig } from '../../../configs/schema.ts';

/** What one view of an image is drawn from: sizes, ranges and probabilities. */
export interface ViewSpec {
  kind: 'global' | 'local';
  sizePx: number;
  /** Range of the crop's share of the image's area. */
  scale: readonly [number, number];
  blurProbability: number;
  solarizeProbability: number;
}

/** The views of an image in their order: all global ones, then all local ones. */
export function viewSpecs({ global, local }: Pick<CropsConfig, 'global' | 'local'>): ViewSpec[] {
  const perView = (values: readonly number[], view: number): number => values[Math.min(view, values.length - 1)]!;
  const globals = Array.from({ length: global.count }, (_, view): ViewSpec => ({
    kind: 'global',
    sizePx: global.sizePx,
    scale: global.scale,
    blurProbability: perView(global.blur, view),
    solarizeProbability: perView(global.solarize, view),
  }));
  const locals = Array.from({ length: local.count }, (): ViewSpec => ({
    kind: 'local',
    sizePx: local.sizePx,
    scale: local.scale,
    blurProbability: local.blur,
    solarizeProbability: 0,
  }));
  return [...globals, ...locals];
}
