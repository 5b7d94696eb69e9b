/**
 * 8-bit image operations against Pillow's and torchvision's outputs, and the crop sampler against its recorded draws.
 */
import { expect, it } from 'vitest';
import type { RawImage } from '../../runtime/data/dataset.ts';
import { gaussianKernel9 } from '../../runtime/data/views/blurWeights.ts';
import { randomResizedCrop } from '../../runtime/data/views/randomResizedCrop.ts';
import { createRenderer } from '../../runtime/data/views/renderer.ts';
import type { JitterStep, ViewParameters } from '../../runtime/data/views/sampleViews.ts';
import { golden } from './reference.ts';

interface Case {
  op: string;
  output: { shape: number[]; data: number[] };
  [parameter: string]: unknown;
}
interface AugmentOps {
  image_hwc_uint8: { shape: [number, number, number]; data: number[] };
  cases: Case[];
  random_resized_crop: { height: number; width: number; scale: [number, number]; draws: [string, number, number, number][]; top_left_height_width: number[] }[];
  gaussian_kernel1d_k9: Record<string, { data: number[] }>;
}

golden<AugmentOps>('augment_ops', (reference) => {
  const [height, width] = reference.image_hwc_uint8.shape;
  const data = Uint8Array.from(reference.image_hwc_uint8.data);
  const image: RawImage = { widthPx: width, heightPx: height, channels: 3, data };

  it.each(reference.cases.map((one, index) => [`${index} ${one.op}`, one] as const))('%s', (_name, one) => {
    const out = run(image, one);
    const expected = one.output.data;
    expect(out.length).toBe(expected.length);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - out[i]!)), 0);
    // The file allows 1 everywhere; only the 9-tap blur, whose sums the peer adds up in another order, is given it.
    expect(worst).toBeLessThanOrEqual(one.op === 'torchvision_gaussian_blur_k9_v2' ? 1 : 0);
  });

  it.each(reference.random_resized_crop.map((one, index) => [index, one] as const))('random_resized_crop %i', (_index, one) => {
    const draws = [...one.draws];
    const take = (kind: string): number => {
      const draw = draws.shift();
      expect(draw?.[0]).toBe(kind);
      return draw![3];
    };
    const replay = { uniform: () => take('uniform'), integer: () => take('randint_exclusive') };
    const crop = randomResizedCrop(one.height, one.width, one.scale, replay);
    expect([crop.top, crop.left, crop.height, crop.width]).toEqual(one.top_left_height_width);
    expect(draws).toEqual([]);
  });

  it('a view applies them in the order of the recipes: jitter in its drawn order, grey, blur, solarisation', () => {
    const jitters = [jitter('hue', 0.1), jitter('contrast', 1.4), jitter('brightness', 0.8), jitter('saturation', 0.7)];
    const after: Colours[] = [{ grayscale: true }, { blur: { method: 'pillow', sigmaPx: 1.3 } }, { solarize: true }];
    const single: Colours[] = [...jitters.map((step) => ({ jitter: [step] })), ...after];
    const chain = (steps: readonly Colours[]): number[] => {
      const end = steps.reduce((now, step) => ({ ...now, data: colours(now, step) }), image);
      return Array.from(end.data);
    };
    for (const wanted of [after, after.slice(1), after.slice(0, 2)]) {
      const once = Object.assign({ jitter: jitters }, ...wanted) as Colours;
      expect(Array.from(colours(image, once))).toEqual(chain([...single.slice(0, 4), ...wanted]));
    }
    // Each operation stands where it matters: no two neighbours can change places unseen.
    const whole = chain(single);
    const unseen = single.slice(1).filter((_, at) => {
      const swapped = [...single];
      [swapped[at], swapped[at + 1]] = [swapped[at + 1]!, swapped[at]!];
      return chain(swapped).join() === whole.join();
    });
    expect(unseen).toEqual([]);
  });

  it.each(Object.entries(reference.gaussian_kernel1d_k9))('gaussian_kernel1d_k9 sigma %s', (sigma, { data }) => {
    const [w0, w1, w2, w3, w4] = gaussianKernel9(Number(sigma));
    [w4, w3, w2, w1, w0, w1, w2, w3, w4].forEach((weight, i) => expect(weight).toBeCloseTo(data[i]!, 7));
  });
});

const renderer = createRenderer();

function run(image: RawImage, one: Case): Uint8Array {
  const number = (key: string): number => one[key] as number;
  const { widthPx: width, heightPx: height } = image;
  const whole = { top: 0, left: 0, height, width };
  renderer.load(image);
  const out = new Uint8Array(one.output.data.length);
  if (one.op.startsWith('resized_crop')) {
    const size = number('size');
    const crop = { top: number('top'), left: number('left'), height: number('height'), width: number('width') };
    const filter = one.op.endsWith('bicubic') ? 'bicubic' : 'bilinear';
    renderer.renderResized({ crop, width: size, height: size, window: { top: 0, left: 0, width: size, height: size }, flip: false, filter }, out);
    return out;
  }
  if (one.op === 'hflip') {
    renderer.renderResized({ crop: whole, width, height, window: whole, flip: true, filter: 'bicubic' }, out);
    return out;
  }
  if (one.op === 'eval_resize_bicubic_centercrop') {
    renderer.renderEvaluation(number('resize'), number('crop'), out);
    return out;
  }
  return colours(image, operations[one.op]!(number, one));
}

function colours(image: RawImage, some: Colours): Uint8Array {
  const out = new Uint8Array(image.data.length);
  renderer.load(image);
  renderer.renderColours({ jitter: [], grayscale: false, blur: null, solarize: false, ...some }, out);
  return out;
}

type Colours = Partial<Pick<ViewParameters, 'jitter' | 'grayscale' | 'blur' | 'solarize'>>;
const jitter = (op: JitterStep['op'], value: number): JitterStep => (op === 'hue' ? { op, shift: value } : { op, factor: value });
const operations: Record<string, (number: (key: string) => number, one: Case) => Colours> = {
  brightness: (number) => ({ jitter: [jitter('brightness', number('factor'))] }),
  contrast: (number) => ({ jitter: [jitter('contrast', number('factor'))] }),
  saturation: (number) => ({ jitter: [jitter('saturation', number('factor'))] }),
  hue: (number) => ({ jitter: [jitter('hue', number('factor'))] }),
  grayscale3: () => ({ grayscale: true }),
  pil_gaussian_blur_v1: (number) => ({ blur: { method: 'pillow', sigmaPx: number('radius') } }),
  torchvision_gaussian_blur_k9_v2: (number) => ({ blur: { method: 'kernel9', sigmaPx: number('sigma') } }),
  pil_solarize_v1: () => ({ solarize: true }),
  torchvision_solarize_128_v2: () => ({ solarize: true }),
  color_jitter_sequence: (number, one) => ({
    jitter: (one['order'] as number[]).map((step) => {
      const op = (['brightness', 'contrast', 'saturation', 'hue'] as const)[step]!;
      return jitter(op, number(op));
    }),
  }),
};
