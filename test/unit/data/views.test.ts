import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import type { RawImage } from '../../../runtime/data/dataset.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import { evaluationGeometry } from '../../../runtime/data/views/evaluationGeometry.ts';
import { randomResizedCrop } from '../../../runtime/data/views/randomResizedCrop.ts';
import { createRenderer } from '../../../runtime/data/views/renderer.ts';
import { sampleViews, type SamplingConfig } from '../../../runtime/data/views/sampleViews.ts';

const { crops } = configSchema.parse({ data: { kind: 'synthetic' } });
const views = (config: SamplingConfig, image = 0) => sampleViews(375, 500, config, { seed: 0, epoch: 0, image });

describe('sampleViews', () => {
  it('gives globals first, then locals, with the sizes and areas that the configuration asks for', () => {
    for (let image = 0; image < 200; image++) {
      const drawn = views(crops, image);
      expect(drawn.map((view) => `${view.kind} ${view.sizePx}`)).toEqual([
        ...Array<string>(2).fill('global 224'),
        ...Array<string>(10).fill('local 96'),
      ]);
      for (const { kind, crop } of drawn) {
        expect(crop.top).toBeGreaterThanOrEqual(0);
        expect(crop.left).toBeGreaterThanOrEqual(0);
        expect(crop.top + crop.height).toBeLessThanOrEqual(375);
        expect(crop.left + crop.width).toBeLessThanOrEqual(500);
        const [low, high] = kind === 'global' ? crops.global.scale : crops.local.scale;
        const area = (crop.height * crop.width) / (375 * 500);
        expect(area).toBeGreaterThan(low * 0.97);
        expect(area).toBeLessThan(high * 1.03);
        expect(crop.width / crop.height).toBeGreaterThan(0.73);
        expect(crop.width / crop.height).toBeLessThan(1.37);
      }
    }
  });

  it('applies each operation as often as its probability says, per view', () => {
    const images = 3000;
    const counts = Array.from({ length: 12 }, () => ({ flip: 0, jitter: 0, grayscale: 0, blur: 0, solarize: 0 }));
    for (let image = 0; image < images; image++)
      views(crops, image).forEach((view, index) => {
        const count = counts[index]!;
        count.flip += Number(view.flip);
        count.jitter += Number(view.jitter.length > 0);
        count.grayscale += Number(view.grayscale);
        count.blur += Number(view.blur !== null);
        count.solarize += Number(view.solarize);
      });
    counts.forEach((count, view) => {
      const expected = {
        flip: 0.5,
        jitter: 0.8,
        grayscale: 0.2,
        blur: view === 0 ? 1 : view === 1 ? 0.1 : 0.5,
        solarize: view === 1 ? 0.2 : 0,
      };
      // Five standard deviations of a share of 3000 draws are at most 0.046; 0 and 1 are exact.
      for (const [operation, share] of Object.entries(expected)) {
        const slack = share === 0 || share === 1 ? 0 : 0.046;
        expect(
          Math.abs(count[operation as keyof typeof count] / images - share),
          `view ${view}, ${operation}`,
        ).toBeLessThanOrEqual(slack);
      }
    });
  });

  it('keeps factors within their ranges and draws every order of the four operations', () => {
    const orders = new Set<string>();
    for (let image = 0; image < 300; image++)
      for (const { jitter, blur } of views(crops, image)) {
        if (jitter.length > 0) orders.add(jitter.map((step) => step.op[0]).join(''));
        for (const step of jitter) {
          if (step.op === 'hue') expect(Math.abs(step.shift)).toBeLessThanOrEqual(0.1);
          else expect(Math.abs(step.factor - 1)).toBeLessThanOrEqual(step.op === 'saturation' ? 0.2 : 0.4);
        }
        if (blur) {
          expect(blur.sigmaPx).toBeGreaterThanOrEqual(0.1);
          expect(blur.sigmaPx).toBeLessThan(2);
        }
      }
    expect(orders.size).toBe(24);
  });

  it('changes nothing but what a changed probability switches', () => {
    const still = views({ ...crops, jitter: { ...crops.jitter, probability: 0 }, grayscale: 1 });
    const normal = views(crops);
    still.forEach((view, index) => {
      expect(view).toEqual({ ...normal[index], jitter: [], grayscale: true });
    });
  });

  it('takes the blur of the recipe', () => {
    const method = (recipe: 'v1' | 'v2') => views({ ...crops, recipe })[0]!.blur?.method;
    expect(method('v1')).toBe('pillow');
    expect(method('v2')).toBe('kernel9');
  });

  it('repeats the last probability for further global views', () => {
    const many = { ...crops, global: { ...crops.global, count: 4, blur: [0, 1] } };
    expect(
      views(many)
        .slice(0, 4)
        .map((view) => view.blur !== null),
    ).toEqual([false, true, true, true]);
  });
});

describe('randomResizedCrop', () => {
  it('falls back to the largest central crop of an allowed ratio', () => {
    const random = randomStream({ seed: 0, purpose: 'geometry' });
    // No crop of at least 40 % of so narrow an image has a ratio within 3/4 to 4/3.
    expect(randomResizedCrop(4, 400, [0.4, 1], random)).toEqual({ top: 0, left: 197, height: 4, width: 5 });
    expect(randomResizedCrop(400, 4, [0.4, 1], random)).toEqual({ top: 197, left: 0, height: 5, width: 4 });
    expect(randomResizedCrop(1, 1, [0.05, 0.4], random)).toEqual({ top: 0, left: 0, height: 1, width: 1 });
  });
});

describe('createRenderer', () => {
  const random = randomStream({ seed: 5, purpose: 'synthetic' });
  const grey: RawImage = {
    widthPx: 61,
    heightPx: 47,
    channels: 1,
    data: Uint8Array.from({ length: 61 * 47 }, () => random.integer(256)),
  };
  const replicated: RawImage = {
    ...grey,
    channels: 3,
    data: Uint8Array.from({ length: 3 * grey.data.length }, (_, i) => grey.data[Math.floor(i / 3)]!),
  };

  it.each(['v1', 'v2'] as const)('renders a grey image as it renders three equal channels, recipe %s', (recipe) => {
    const renderer = createRenderer();
    for (let image = 0; image < 20; image++)
      for (const view of sampleViews(
        47,
        61,
        { ...crops, recipe, local: { ...crops.local, sizePx: 20 } },
        { seed: 0, epoch: 0, image },
      )) {
        const [ofGrey, ofColour] = [grey, replicated].map((raw) => {
          const out = new Uint8Array(3 * view.sizePx ** 2);
          renderer.load(raw);
          renderer.render(view, out);
          return Buffer.from(out);
        });
        expect(ofGrey!.equals(ofColour!), JSON.stringify(view)).toBe(true);
      }
  });

  it('renders one-pixel images and one-pixel-high images', () => {
    const renderer = createRenderer();
    for (const [widthPx, heightPx] of [
      [1, 1],
      [1, 300],
      [300, 1],
    ] as const) {
      renderer.load({ widthPx, heightPx, channels: 3, data: new Uint8Array(3 * widthPx * heightPx).fill(77) });
      for (const view of sampleViews(
        heightPx,
        widthPx,
        { ...crops, jitter: { ...crops.jitter, probability: 0 } },
        { seed: 0, epoch: 0, image: 1 },
      )) {
        const out = new Uint8Array(3 * view.sizePx ** 2);
        renderer.render({ ...view, solarize: false }, out);
        expect(out.every((value) => value === 77)).toBe(true);
      }
    }
  });

  it('mirrors when the view flips', () => {
    const renderer = createRenderer();
    renderer.load(replicated);
    const window = { top: 0, left: 0, width: 32, height: 32 };
    const request = {
      crop: { top: 3, left: 2, width: 40, height: 30 },
      width: 32,
      height: 32,
      window,
      filter: 'bicubic',
    } as const;
    const [straight, flipped] = [new Uint8Array(3 * 32 * 32), new Uint8Array(3 * 32 * 32)];
    renderer.renderResized({ ...request, flip: false }, straight);
    renderer.renderResized({ ...request, flip: true }, flipped);
    for (let y = 0; y < 32; y++)
      for (let x = 0; x < 32; x++) expect(flipped[3 * (32 * y + x)]).toBe(straight[3 * (32 * y + 31 - x)]);
  });

  it('takes no more memory after a thousand images of many sizes than the largest of them takes', () => {
    const renderer = createRenderer();
    const sizes = randomStream({ seed: 8, purpose: 'synthetic' });
    const out = new Map([20, 64].map((side) => [side, new Uint8Array(3 * side * side)]));
    const small = {
      ...crops,
      global: { ...crops.global, sizePx: 64 },
      local: { ...crops.local, count: 2, sizePx: 20 },
    };
    let first = 0;
    for (let image = 0; image < 1000; image++) {
      const [widthPx, heightPx] = image === 0 ? [300, 300] : [1 + sizes.integer(300), 1 + sizes.integer(300)];
      renderer.load({ widthPx, heightPx, channels: 3, data: new Uint8Array(3 * widthPx * heightPx) });
      const whole = { top: 0, left: 0, width: widthPx, height: heightPx };
      for (const view of sampleViews(heightPx, widthPx, small, { seed: 0, epoch: 0, image }))
        renderer.render(image === 0 ? { ...view, crop: whole } : view, out.get(view.sizePx)!);
      if (image === 0) first = renderer.memoryBytes();
    }
    expect(renderer.memoryBytes()).toBe(first);
  });

  it('gives large memories back', () => {
    const renderer = createRenderer();
    const big = { widthPx: 10_000, heightPx: 10_000, channels: 3, data: new Uint8Array(3e8) } as const;
    renderer.load(big);
    renderer.load(grey);
    const out = new Uint8Array(3 * 28 * 28);
    renderer.renderEvaluation(32, 28, out);
    expect(renderer.memoryBytes()).toBeLessThan(2 ** 22);
  });
});

describe('evaluationGeometry', () => {
  it.each([
    [375, 500, { width: 341, height: 256, left: 58, top: 16 }],
    [500, 375, { width: 256, height: 341, left: 16, top: 58 }],
    [256, 256, { width: 256, height: 256, left: 16, top: 16 }],
  ])('%i x %i', (height, width, expected) => {
    const geometry = evaluationGeometry(height, width, 256, 224);
    expect({
      width: geometry.width,
      height: geometry.height,
      left: geometry.window.left,
      top: geometry.window.top,
    }).toEqual(expected);
  });
});
