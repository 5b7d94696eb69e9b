import type { CropsConfig } from '../../../configs/schema.ts';
import { randomStream, shuffled } from '../random.ts';
import { randomResizedCrop, type CropBox } from './randomResizedCrop.ts';
import { viewSpecs } from './viewSpec.ts';

/** Everything that decides a view's pixels, given the image. */
export interface ViewParameters {
  kind: 'global' | 'local';
  sizePx: number;
  crop: CropBox;
  flip: boolean;
  /** Colour operations in their order. */
  jitter: readonly JitterStep[];
  grayscale: boolean;
  /** Radius of the Gaussian blur in px; null for none. */
  blur: { method: 'pillow' | 'kernel9'; sigmaPx: number } | null;
  solarize: boolean;
}

export type JitterStep =
  | { op: 'brightness' | 'contrast' | 'saturation'; factor: number }
  /** Share of the hue circle. */
  | { op: 'hue'; shift: number };

export type SamplingConfig = Pick<CropsConfig, 'recipe' | 'global' | 'local' | 'flip' | 'jitter' | 'grayscale'>;

/** Who draws: the same key gives the same views on any machine. */
export interface ViewKey {
  seed: number;
  epoch: number;
  image: number;
}

const blurSigmaPx = [0.1, 2] as const;

/**
 * Draws the views of an image, globals first (SPEC of the authors' v1 and v2 recipes: they differ in the blur, and in
 * nothing else that is drawn).
 *
 * Geometry and photometry have streams of their own, and every number is drawn whether or not its probability lets it
 * act: changing one probability changes no other part of any view.
 */
export function sampleViews(
  heightPx: number,
  widthPx: number,
  config: SamplingConfig,
  { seed, epoch, image }: ViewKey,
): ViewParameters[] {
  const { jitter } = config;
  return viewSpecs(config).map((spec, view) => {
    const geometry = randomStream({ seed, purpose: 'geometry', epoch, image, view });
    const photometry = randomStream({ seed, purpose: 'photometry', epoch, image, view });
    const happens = (probability: number): boolean => photometry.uniform(0, 1) < probability;
    const factor = (range: number): number => photometry.uniform(Math.max(0, 1 - range), 1 + range);

    const flip = geometry.uniform(0, 1) < config.flip;
    const crop = randomResizedCrop(heightPx, widthPx, spec.scale, geometry);
    const jitters = happens(jitter.probability);
    const steps: JitterStep[] = [
      { op: 'brightness', factor: factor(jitter.brightness) },
      { op: 'contrast', factor: factor(jitter.contrast) },
      { op: 'saturation', factor: factor(jitter.saturation) },
      { op: 'hue', shift: photometry.uniform(-jitter.hue, jitter.hue) },
    ];
    const order = shuffled(steps.length, photometry);
    const grayscale = happens(config.grayscale);
    const blurs = happens(spec.blurProbability);
    const sigmaPx = photometry.uniform(blurSigmaPx[0], blurSigmaPx[1]);
    const solarize = happens(spec.solarizeProbability);
    return {
      kind: spec.kind,
      sizePx: spec.sizePx,
      crop,
      flip,
      jitter: jitters ? Array.from(order, (step) => steps[step]!) : [],
      grayscale,
      blur: blurs ? { method: config.recipe === 'v1' ? 'pillow' : 'kernel9', sigmaPx } : null,
      solarize,
    };
  });
}
