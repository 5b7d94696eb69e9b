/** What a network sees in some images: attention, principal components of patches, objects that MaskCut finds. */
import type { RawImage } from '../../data/dataset.ts';
import type { Backbone } from '../backbone.ts';
import { maskCut, type MaskCutOptions } from '../maskCut/maskCut.ts';
import { attentionMask, headMean } from './attentionMask.ts';
import { enlarged, heatMap, patchColours, resized, spotlit, tinted, type Picture } from './picture.ts';
import { principalComponents } from './principalComponents.ts';

export const lookKinds = ['attention', 'heads', 'pca', 'masks'] as const;
export type LookKind = (typeof lookKinds)[number];

export interface LookOptions {
  /** Side that images are brought to; a multiple of the patch's. */
  sizePx: number;
  /** Share of attention that the thresholded picture holds. */
  mass: number;
  kinds: readonly LookKind[];
  maskCut: MaskCutOptions;
}

/** The pictures of one image, named: `image`, `attention`, `attention mask`, `head 1`, ... */
export type Looked = Map<string, Picture>;

/**
 * Looks at images one by one; principal components are those of the patches of all of them together, so that a colour means the same in
 * each.
 */
export async function lookAtImages(
  backbone: Backbone,
  images: readonly RawImage[],
  { sizePx, mass, kinds, maskCut: cutOptions }: LookOptions,
): Promise<Looked[]> {
  const size = { widthPx: sizePx, heightPx: sizePx };
  const { patchSizePx, heads, width } = backbone.vit;
  const grid = backbone.grid(sizePx, sizePx);
  const patches = grid.rows * grid.columns;
  const looked: Looked[] = [];
  const tokens: Float32Array[] = [];
  for (const image of images) {
    const picture = await resized(image, size);
    const pictures: Looked = new Map([['image', picture]]);
    looked.push(pictures);
    const wanted = [
      ...(kinds.includes('attention') || kinds.includes('heads') ? (['attention'] as const) : []),
      ...(kinds.includes('pca') ? (['patches'] as const) : []),
      ...(kinds.includes('masks') ? (['keyCosines'] as const) : []),
    ];
    const seen: Partial<Record<string, Float32Array>> = await backbone.run(picture.data, { count: 1, ...size }, wanted);
    if (seen['attention']) {
      const mean = headMean(seen['attention'], heads);
      if (kinds.includes('attention')) {
        pictures.set('attention', heatMap(mean, grid, patchSizePx));
        pictures.set('attention mask', spotlit(picture, enlarged(attentionMask(mean, mass), grid, patchSizePx)));
      }
      if (kinds.includes('heads'))
        for (let head = 0; head < heads; head++)
          pictures.set(
            `head ${head + 1}`,
            heatMap(seen['attention'].subarray(head * patches, (head + 1) * patches), grid, patchSizePx),
          );
    }
    if (seen['patches']) tokens.push(seen['patches']);
    if (seen['keyCosines']) {
      const { masks } = maskCut(seen['keyCosines'], grid, cutOptions);
      const regions = new Uint8Array(patches);
      masks.forEach((mask, index) => mask.forEach((inside, patch) => inside && (regions[patch] = index + 1)));
      pictures.set('masks', tinted(picture, enlarged(regions, grid, patchSizePx)));
    }
  }
  if (kinds.includes('pca')) {
    const all = new Float32Array(tokens.length * patches * width);
    tokens.forEach((part, index) => all.set(part, index * patches * width));
    const components = principalComponents({ features: all, rows: tokens.length * patches, width }, 3);
    const toByte = byteRange(components);
    looked.forEach((pictures, index) => {
      const channel = (patch: number, which: number) =>
        toByte(components[(index * patches + patch) * 3 + which]!, which);
      pictures.set(
        'pca',
        patchColours(grid, patchSizePx, (patch) => [channel(patch, 0), channel(patch, 1), channel(patch, 2)]),
      );
    });
  }
  return looked;
}

/** The middle 96 % of each component's values spread over a byte. */
function byteRange(components: Float32Array): (value: number, which: number) => number {
  const ranges = [0, 1, 2].map((which) => {
    const values = components.filter((_, at) => at % 3 === which).sort();
    const low = values[Math.floor(0.02 * (values.length - 1))]!;
    const high = values[Math.ceil(0.98 * (values.length - 1))]!;
    return { low, range: high - low || 1 };
  });
  return (value, which) => {
    const { low, range } = ranges[which]!;
    return Math.round(255 * Math.min(1, Math.max(0, (value - low) / range)));
  };
}
