/**
 * Generated images for tests and for machines that reach no data: a textured shape on a noisy ground.
 *
 * The class is the shape (8) and the texture (8) together. Position, size, angle and both colours are drawn per image,
 * so neither the mean colour nor any single pixel tells the class.
 */
import type { Dataset, RawImage, Split, SplitName, SyntheticHandle } from '../dataset.ts';
import { splitNames } from '../dataset.ts';
import { randomStream } from '../random.ts';
import type { OpenDataset } from './registry.ts';

type Inside = (x: number, y: number) => boolean;

/** Shapes within the unit disc, y downwards. */
const shapes: Record<string, Inside> = {
  disc: (x, y) => x * x + y * y < 0.8,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.75,
  triangle: (x, y) => y < 0.6 && y > 2 * Math.abs(x) - 0.9,
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.7) < 0.25,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.27 && Math.max(Math.abs(x), Math.abs(y)) < 0.95,
  bar: (x, y) => Math.abs(y) < 0.3 && Math.abs(x) < 0.95,
  moon: (x, y) => x * x + y * y < 0.85 && (x - 0.5) ** 2 + y * y > 0.5,
  diamonds: (x, y) => Math.abs(Math.abs(x) - 0.5) + Math.abs(y) < 0.45,
};

/** Brightness of the shape's surface between 0 and 1. */
const textures: Record<string, (x: number, y: number) => number> = {
  plain: () => 1,
  stripes: (x) => 0.5 + 0.5 * Math.sin(9 * x),
  bars: (_x, y) => 0.5 + 0.5 * Math.sin(9 * y),
  checks: (x, y) => (Math.sin(8 * x) * Math.sin(8 * y) > 0 ? 1 : 0.2),
  ramp: (x) => 0.5 + 0.5 * x,
  rings: (x, y) => 0.5 + 0.5 * Math.cos(14 * Math.hypot(x, y)),
  dots: (x, y) => (Math.sin(11 * x) + Math.sin(11 * y) > 0.9 ? 1 : 0.3),
  diagonal: (x, y) => 0.5 + 0.5 * Math.sin(7 * (x + y)),
};
const shapeNames = Object.keys(shapes);
const textureNames = Object.keys(textures);

/**
 * Opens generated splits: `data.synthetic.images` to train on, a quarter of it (at least 32) each to validate and test.
 */
export const openSynthetic: OpenDataset = ({ synthetic: { images, classes, sizePx } }) => {
  const evaluationImages = Math.max(32, Math.floor(images / 4));
  const open = (name: SplitName, size: number): Split =>
    syntheticSplit({ source: 'synthetic', name, size, classCount: classes, sizePx });
  const train = open('train', images);
  return Promise.resolve({
    kind: 'synthetic',
    path: 'generated',
    classes: train.classes,
    train,
    validation: open('validation', evaluationImages),
    test: open('test', evaluationImages),
  } satisfies Dataset);
};

export function syntheticSplit(handle: SyntheticHandle): Split {
  const { name, size, classCount } = handle;
  const labelOf = (index: number): number => index % classCount;
  return {
    name,
    path: 'generated',
    size,
    classes: Array.from({ length: classCount }, (_, label) => className(label)),
    image: (index) => Promise.resolve(draw(handle, index, labelOf(index))),
    label: labelOf,
    nameOf: (index) => `generated ${name} image ${index}`,
    share: () => handle,
  };
}

function className(label: number): string {
  return `${textureNames[Math.floor(label / shapeNames.length)]!} ${shapeNames[label % shapeNames.length]!}`;
}

function draw({ name, sizePx }: SyntheticHandle, index: number, label: number): RawImage {
  const [texture, shape] = className(label).split(' ') as [string, string];
  const random = randomStream({ seed: 0, purpose: 'synthetic', epoch: splitNames.indexOf(name), image: index });
  const colour = (): number[] => [0, 1, 2].map(() => random.uniform(40, 250));
  const [front, back] = [colour(), colour()];
  const radius = random.uniform(0.28, 0.42) * sizePx;
  const [centreX, centreY] = [0, 1].map(() => sizePx / 2 + random.uniform(-0.12, 0.12) * sizePx) as [number, number];
  const angle = random.uniform(-0.4, 0.4);
  const [cos, sin] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
  const noiseAmplitude = random.uniform(5, 40);
  const data = new Uint8Array(3 * sizePx * sizePx);
  let at = 0;
  for (let row = 0; row < sizePx; row++)
    for (let column = 0; column < sizePx; column++) {
      const [dx, dy] = [column + 0.5 - centreX, row + 0.5 - centreY];
      const [x, y] = [cos * dx + sin * dy, cos * dy - sin * dx];
      const inside = shapes[shape]!(x, y);
      const light = inside ? 0.35 + 0.65 * textures[texture]!(x, y) : 0.6;
      const noise = random.uniform(-noiseAmplitude, noiseAmplitude);
      for (let channel = 0; channel < 3; channel++) {
        const value = light * (inside ? front : back)[channel]! + noise;
        data[at++] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  return { widthPx: sizePx, heightPx: sizePx, channels: 3, data };
}
