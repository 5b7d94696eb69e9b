/** Evaluations that look at patches: attention masks, MaskCut, propagation through videos, and DAVIS's figures. */
import { expect, it } from 'vitest';
import { attentionMask, headMean } from '../../runtime/eval/look/attentionMask.ts';
import { looseWeight, maskCut } from '../../runtime/eval/maskCut/maskCut.ts';
import { secondEigenvector } from '../../runtime/eval/maskCut/secondEigenvector.ts';
import { cosinesOfWidth, labelsOfGrid, pixelClasses, propagateLabels } from '../../runtime/eval/video/propagate.ts';
import {
  boundaryAccuracy,
  outline,
  regionSimilarity,
  sequenceStatistics,
} from '../../runtime/eval/video/regionAndBoundary.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { golden } from './reference.ts';

const bits = (text: string) => Uint8Array.from(text, Number);

golden<{
  heads: number;
  threshold: number;
  cls_to_patch_attention: ReferenceTensor;
  mask_keep_threshold_mass: ReferenceTensor;
  head_mean: ReferenceTensor;
}>('attention_threshold', (reference) => {
  it('keeps the patches that hold the mass, head by head', () => {
    const { data } = reference.cls_to_patch_attention;
    const patches = data.length / reference.heads;
    for (let head = 0; head < reference.heads; head++) {
      const part = [head * patches, (head + 1) * patches] as const;
      const mask = attentionMask(data.slice(...part), reference.threshold);
      expect(Array.from(mask), `head ${head}`).toEqual(reference.mask_keep_threshold_mass.data.slice(...part));
    }
  });
  it('takes the mean over heads', () => {
    const mean = headMean(reference.cls_to_patch_attention.data, reference.heads);
    expectClose('mean', mean, reference.head_mean, tolerances.double);
  });
});

golden<{
  cases: {
    grid: number;
    dim: number;
    N: number;
    tau: number;
    features_dim_by_patch: ReferenceTensor;
    'affinity_binary_eps1e-5': ReferenceTensor;
    second_smallest_eigenvector_abs_normalised: ReferenceTensor;
    masks_patch_grid: string[];
    last_seed_patch: number;
  }[];
}>('maskcut', ({ cases }) => {
  for (const [index, c] of cases.entries()) {
    const patches = c.grid ** 2;
    it(`case ${index}: the eigenvector`, () => {
      const joined_NN = Uint8Array.from(c['affinity_binary_eps1e-5'].data, (weight) => (weight === 1 ? 1 : 0));
      const eigenvector = secondEigenvector({ nodes: patches, joined_NN, looseWeight }).map(Math.abs);
      const expected = c.second_smallest_eigenvector_abs_normalised;
      expectClose('eigenvector', eigenvector, expected, { rtol: 1e-6, atol: 1e-7 });
    });
    it(`case ${index}: the masks`, () => {
      const { data } = c.features_dim_by_patch;
      const byPatch = Float64Array.from(data, (_, at) => data[(at % c.dim) * patches + Math.floor(at / c.dim)]!);
      const cosines = Float32Array.from(cosinesOfWidth(c.dim)(byPatch, byPatch) as Float64Array);
      const { masks, eigenvectors } = maskCut(cosines, { rows: c.grid, columns: c.grid }, { tau: c.tau, masks: c.N });
      expect(masks.map((mask) => mask.join(''))).toEqual(c.masks_patch_grid);
      // Patches that were taken out have all one value, so that which of them comes first is chance.
      const last = eigenvectors.at(-1)!;
      expect(last[c.last_seed_patch]).toBeCloseTo(Math.max(...last), 6);
    });
  }
});

golden<{
  h: number;
  w: number;
  dim: number;
  classes: number;
  patch_size: number;
  n_last_frames: number;
  size_mask_neighborhood: number;
  topk: number;
  affinity_temperature: number;
  features_with_cls_row: ReferenceTensor[];
  first_frame_labels_patch_grid: ReferenceTensor;
  f64: { frames: { propagated: ReferenceTensor; argmax_full_resolution: ReferenceTensor }[] };
}>('davis_propagation', (reference) => {
  it('carries labels through the sequence', async () => {
    const { dim, classes } = reference;
    const grid = { rows: reference.h, columns: reference.w };
    const frames = propagateLabels(
      reference.features_with_cls_row.map(({ data }) => data.slice(dim)),
      labelsOfGrid(reference.first_frame_labels_patch_grid.data, classes),
      { grid, classes, cosines: cosinesOfWidth(dim) },
      {
        lastFrames: reference.n_last_frames,
        windowPatches: reference.size_mask_neighborhood,
        topK: reference.topk,
        temperature: reference.affinity_temperature,
      },
    );
    await frames.next();
    for (const [index, expected] of reference.f64.frames.entries()) {
      const { value } = await frames.next();
      expectClose(`frame ${index + 1}`, value as Float64Array, expected.propagated, tolerances.double);
      const pixels = pixelClasses(value as Float64Array, grid, reference.patch_size);
      expect(Array.from(pixels), `frame ${index + 1}`).toEqual(expected.argmax_full_resolution.data);
    }
  });
});

golden<{
  cases: {
    H: number;
    W: number;
    gt_bits: string[];
    pred_bits: string[];
    J: ReferenceTensor;
    F: ReferenceTensor;
    J_mean_recall_decay?: ReferenceTensor;
    F_mean_recall_decay?: ReferenceTensor;
    'J&F_mean'?: number;
    boundary_bits_of_gt0?: string;
    /** Radius in pixels where the case does not leave it to the frame's size. */
    bound_th?: number;
  }[];
}>('davis_jf', ({ cases }) => {
  for (const [index, c] of cases.entries()) {
    it(`case ${index}`, () => {
      const size = { height: c.H, width: c.W };
      if (c.boundary_bits_of_gt0 !== undefined)
        expect(outline(bits(c.gt_bits[0]!), size).join('')).toBe(c.boundary_bits_of_gt0);
      const pairs = c.gt_bits.map((truth, frame) => [bits(truth), bits(c.pred_bits[frame]!)] as const);
      const regions = pairs.map(([truth, prediction]) => regionSimilarity(truth, prediction));
      const boundaries = pairs.map(([truth, prediction]) => boundaryAccuracy(truth, prediction, size, c.bound_th));
      expectClose('J', regions, c.J, tolerances.double);
      expectClose('F', boundaries, c.F, tolerances.double);
      if (!c.J_mean_recall_decay || !c.F_mean_recall_decay) return;
      const [j, f] = [sequenceStatistics(regions), sequenceStatistics(boundaries)];
      expectClose('J statistics', [j.mean, j.recall, j.decay], c.J_mean_recall_decay, tolerances.double);
      expectClose('F statistics', [f.mean, f.recall, f.decay], c.F_mean_recall_decay, tolerances.double);
      expect((j.mean + f.mean) / 2).toBeCloseTo(c['J&F_mean']!, 10);
    });
  }
});
