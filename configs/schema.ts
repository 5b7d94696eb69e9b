/**
 * The one source of every hyperparameter: type, range, unit, default, meaning, and what the paper and the authors'
 * code use. Types, JSON Schema, hover texts, completion, hints and the manifest's settings are made from it.
 *
 * Sources are abbreviated: "eq. (7)", "Table 4" and "Theorem C.1" are of Wu et al., "Simplifying DINO via Coding Rate
 * Regularization", ICML 2025; "authors' code" is their published repository (SimDINO, the v1 tree).
 */
import { z } from 'zod';

/** What the editor shows about a key beside its type and range. */
export interface FieldInfo {
  description: string;
  unit?: string;
  /** The paper's value, by method where Table 4 has several. */
  paper?: string | PaperValues;
  /** Where the paper's value or the meaning comes from. */
  source?: string;
  /** Plain-text equation that the key takes part in. */
  equation?: string;
  /** What the authors' code uses, where that differs from the paper or from our default. */
  reference?: string;
}

/** What the paper writes for a key, by method; left out where the method has no such key. */
export type PaperValues = Partial<Record<Method, string>>;

/** What Table 4 has in its columns of SimDINO and DINO, and in those of SimDINOv2 and DINOv2. */
const byVersion = (v1: string, v2: string, dinov2 = v2): PaperValues => ({
  simdino: v1,
  dino: v1,
  simdinov2: v2,
  dinov2,
});

function field<T extends z.ZodType>(type: T, info: FieldInfo): T {
  return type.meta({ ...info });
}

const positive = () => z.number().positive();
const share = () => z.number().min(0).max(1);
const count = () => z.number().int().positive();
const range = (low: number, high: number) =>
  z.tuple([
    z
      .number()
      .gt(low === 0 ? 0 : low)
      .max(high),
    z
      .number()
      .gt(low === 0 ? 0 : low)
      .max(high),
  ]);

export const methods = ['simdino', 'simdinov2', 'dino', 'dinov2'] as const;
export type Method = (typeof methods)[number];

/** As the papers write them. */
export const methodNames = {
  simdino: 'SimDINO',
  simdinov2: 'SimDINOv2',
  dino: 'DINO',
  dinov2: 'DINOv2',
} as const satisfies Record<Method, string>;

/** Width, depth, heads and feed-forward layers of the named backbones (DeiT, ViT and DINOv2 conventions). */
export const architectures = {
  vit_tiny: { width: 192, depth: 12, heads: 3, feedForward: 'mlp' },
  vit_small: { width: 384, depth: 12, heads: 6, feedForward: 'mlp' },
  vit_base: { width: 768, depth: 12, heads: 12, feedForward: 'mlp' },
  vit_large: { width: 1024, depth: 24, heads: 16, feedForward: 'mlp' },
  vit_giant2: { width: 1536, depth: 40, heads: 24, feedForward: 'swiglu' },
} as const;

const data = z.strictObject({
  kind: field(
    z.enum([
      'cifar10',
      'fashion-mnist',
      'imagefolder',
      'labellist',
      'webdataset',
      'parquet',
      'idx',
      'cifar',
      'synthetic',
    ]),
    {
      description:
        'Where images come from: CIFAR-10 or Fashion-MNIST (fetched and verified on first use), a tree of class folders, a flat folder with a list of labels, WebDataset tar shards, Hugging Face parquet files, a pair of IDX files, CIFAR-10 or CIFAR-100 binary batches, or generated images.',
    },
  ),
  path: field(z.string().min(1).optional(), {
    description:
      'Folder or file of the data set, relative to the configuration file. A folder that holds `train/` and `val/` is split by them, shards by the same words in their names; shards can be a pattern like `train-{0000..0003}.tar`.',
  }),
  labels: field(z.string().min(1).optional(), {
    description:
      'Text file with the labels of `data.kind: labellist`, relative to the configuration file: `name label` on each line, or one label per line in the order of the images\u2019 names.',
  }),
  imageColumn: field(z.string().min(1).optional(), {
    description:
      'Column of `data.kind: parquet` that holds encoded images; `image` unless told, else the only column that can hold images.',
  }),
  labelColumn: field(z.string().min(1).optional(), {
    description:
      'Column of `data.kind: parquet`, or key in the `.json` files of `data.kind: webdataset`, that holds the class; `label` unless told.',
  }),
  access: field(z.enum(['indexed', 'streaming']).default('indexed'), {
    description:
      'How shards of `data.kind: webdataset` are read in training: `indexed` takes images in any order, one read each; `streaming` reads every shard once an epoch from front to back, for disks and networks that serve single reads slowly.',
  }),
  shuffleImages: field(count().default(1000), {
    description:
      'Window of `data.access: streaming`: encoded images that are held and drawn from. The shards are shuffled as well.',
    unit: 'images',
  }),
  heldOut: field(z.number().int().min(0).default(0), {
    description:
      'Images of the training split that are held out as the validation split, for choosing hyperparameters without touching the test split. 0 uses the data set\u2019s own validation split.',
    unit: 'images',
  }),
  maxTrainImages: field(count().optional(), {
    description: 'Use only the first images of a seeded shuffle of the training split.',
    unit: 'images',
  }),
  maxFaultyShare: field(share().default(0.01), {
    description:
      'Share of images that may fail to decode before the run stops with an error; faulty images below it are skipped, counted and listed in the log.',
  }),
  mean: field(z.tuple([share(), share(), share()]).default([0.485, 0.456, 0.406]), {
    description: 'Mean of the red, green and blue channels that is subtracted from images in [0, 1].',
    source: 'ImageNet statistics, authors\u2019 code',
  }),
  std: field(z.tuple([positive(), positive(), positive()]).default([0.229, 0.224, 0.225]), {
    description: 'Standard deviation per channel that images are divided by.',
    source: 'ImageNet statistics, authors\u2019 code',
  }),
  synthetic: field(
    z
      .strictObject({
        images: field(count().default(512), { description: 'Generated training images.', unit: 'images' }),
        classes: field(z.number().int().min(2).max(64).default(8), { description: 'Generated classes.' }),
        sizePx: field(z.number().int().min(8).max(1024).default(32), {
          description: 'Side of a generated image.',
          unit: 'px',
        }),
      })
      .prefault({}),
    { description: 'The generated data set of `data.kind: synthetic`.' },
  ),
});

const blur = 'PIL Gaussian blur with radius uniform in [0.1, 2.0]';
const crops = z.strictObject({
  recipe: field(z.enum(['v1', 'v2']).default('v1'), {
    description:
      'Order and kind of the image operations: `v1` is DINO\u2019s and SimDINO\u2019s (PIL blur), `v2` is DINOv2\u2019s and SimDINOv2\u2019s (9-tap blur).',
    source: 'authors\u2019 code',
  }),
  global: field(
    z
      .strictObject({
        count: field(z.number().int().min(1).max(8).default(2), {
          description: 'Global views of an image; the teacher sees only these.',
          paper: '2',
          source: 'Table 4',
        }),
        sizePx: field(z.number().int().min(8).max(1024).default(224), {
          description: 'Side of a global crop; a multiple of the patch size.',
          unit: 'px',
          paper: '224',
          source: 'Table 4',
        }),
        scale: field(range(0, 1).default([0.4, 1]), {
          description: 'Range of the share of the image\u2019s area that a global crop covers.',
          paper: '[0.4, 1]',
          source: 'Table 4',
        }),
        blur: field(z.array(share()).min(1).default([1, 0.1]), {
          description: `Probability of ${blur}, per global view (the last value repeats).`,
          paper: '[1.0, 0.1]',
          source: 'Appendix A; authors\u2019 code',
        }),
        solarize: field(z.array(share()).min(1).default([0, 0.2]), {
          description:
            'Probability of inverting pixel values of 128 and more, per global view (the last value repeats).',
          paper: '[0, 0.2]',
          source: 'Appendix A; authors\u2019 code',
        }),
      })
      .prefault({}),
    { description: 'Global views.' },
  ),
  local: field(
    z
      .strictObject({
        count: field(z.number().int().min(0).max(32).default(10), {
          description: 'Local views of an image; only the student sees them.',
          paper: '10',
          source: 'Table 4',
          reference: 'the code\u2019s own default is 8; the published command passes 10',
        }),
        sizePx: field(z.number().int().min(8).max(1024).default(96), {
          description: 'Side of a local crop; a multiple of the patch size.',
          unit: 'px',
          paper: '96',
          source: 'Table 4',
        }),
        scale: field(range(0, 1).default([0.05, 0.4]), {
          description: 'Range of the share of the image\u2019s area that a local crop covers.',
          paper: '[0.05, 0.4]',
          source: 'Table 4',
        }),
        blur: field(share().default(0.5), {
          description: `Probability of ${blur}.`,
          paper: '0.5',
          source: 'Appendix A; authors\u2019 code',
        }),
      })
      .prefault({}),
    { description: 'Local views.' },
  ),
  flip: field(share().default(0.5), {
    description: 'Probability of a horizontal flip.',
    paper: '0.5',
    source: 'authors\u2019 code',
  }),
  jitter: field(
    z
      .strictObject({
        probability: field(share().default(0.8), {
          description: 'Probability of colour jitter.',
          paper: '0.8',
          source: 'authors\u2019 code',
        }),
        brightness: field(share().default(0.4), {
          description: 'Brightness factor is uniform in 1 +- this.',
          paper: '0.4',
          source: 'authors\u2019 code',
        }),
        contrast: field(share().default(0.4), {
          description: 'Contrast factor is uniform in 1 +- this.',
          paper: '0.4',
          source: 'authors\u2019 code',
        }),
        saturation: field(share().default(0.2), {
          description: 'Saturation factor is uniform in 1 +- this.',
          paper: '0.2',
          source: 'authors\u2019 code',
        }),
        hue: field(z.number().min(0).max(0.5).default(0.1), {
          description: 'Hue shift is uniform in +- this share of the hue circle.',
          paper: '0.1',
          source: 'authors\u2019 code',
        }),
      })
      .prefault({}),
    { description: 'Colour jitter; the four operations run in random order.' },
  ),
  grayscale: field(share().default(0.2), {
    description: 'Probability of turning a view grey.',
    paper: '0.2',
    source: 'authors\u2019 code',
  }),
});

const model = z.strictObject({
  architecture: field(
    z.enum(['vit_tiny', 'vit_small', 'vit_base', 'vit_large', 'vit_giant2', 'custom']).default('vit_small'),
    {
      description: 'Backbone of student and teacher. `custom` takes `width`, `depth` and `heads`.',
      paper: 'ViT-S, ViT-B, ViT-L',
      source: 'Tables 1 and 7',
    },
  ),
  width: field(z.number().int().min(8).optional(), {
    description: 'Token width of a `custom` backbone; a multiple of `heads`.',
  }),
  depth: field(z.number().int().min(1).max(64).optional(), {
    description: 'Transformer blocks of a `custom` backbone.',
  }),
  heads: field(z.number().int().min(1).max(64).optional(), { description: 'Attention heads of a `custom` backbone.' }),
  patchSizePx: field(z.number().int().min(1).max(64).default(16), {
    description: 'Side of a patch; divides both crop sizes.',
    unit: 'px',
    paper: '16',
    source: 'Table 4',
  }),
  mlpRatio: field(positive().default(4), {
    description:
      'Width of the MLP\u2019s hidden layer over the token width; SwiGLU takes two thirds of it, rounded up to a multiple of 8.',
    source: 'ViT',
  }),
  feedForward: field(z.enum(['mlp', 'swiglu']).optional(), {
    description:
      'Feed-forward part of a block: two layers with GELU between them, or the gated SwiGLU. Follows from the architecture unless told: `swiglu` in vit_giant2, else `mlp`.',
    paper: 'mlp',
    source: 'DINOv2\u2019s code',
  }),
  initStd: field(positive().max(1).default(0.02), {
    description:
      'Standard deviation of the initial weights of the linear layers in backbone and projector. Narrow networks learn faster from larger weights.',
    paper: 'not given',
    source: 'ViT',
    reference: '0.02',
  }),
  dropPathRate: field(z.number().min(0).lt(1).default(0.1), {
    description:
      'Stochastic depth of the student: probability of dropping a residual branch, growing linearly over the blocks to this value.',
    paper: byVersion('0.1', '0.3'),
    source: 'Table 4',
    reference: 'SimDINOv2 0.2 since March 2025',
  }),
  dropPath: field(z.enum(['linear', 'batchSubset']).default('linear'), {
    description:
      'Kind of stochastic depth: `linear` grows over the blocks and draws for each image, `batchSubset` has one rate in all blocks and drops exactly that share of the batch.',
    reference: 'linear in the v1 tree, batchSubset in the v2 tree',
    source: 'authors\u2019 code',
  }),
  registers: field(z.number().int().min(0).max(64).default(0), {
    description: 'Learned tokens behind the class token, without position.',
    paper: byVersion('0', '4'),
    source: 'Table 4',
  }),
  layerScale: field(positive().max(10).optional(), {
    description: 'Start of a learned factor per channel of each residual branch (LayerScale); left out, there is none.',
    paper: byVersion('none', '0.1', '0.00001'),
    source: 'Table 4',
  }),
  positionTablePx: field(count().optional(), {
    description:
      'Side of the images whose grid the table of positions is learned for; a multiple of the patch size. That of the global crops unless told: imported networks were often trained at another.',
    unit: 'px',
    reference: 'DINOv2 518',
  }),
  positionResize: field(z.enum(['plain', 'antialiased']).default('plain'), {
    description:
      'How position embeddings are resized to other grids: `plain` bicubic with DINO\u2019s offset of 0.1, or `antialiased` without it.',
    paper: byVersion('plain', 'antialiased'),
    source: 'Table 4',
  }),
});

const projector = z.strictObject({
  layers: field(z.number().int().min(1).max(8).default(3), {
    description: 'Linear layers of the projector, GELU between them.',
    paper: '3',
    source: 'section 3.1',
  }),
  hiddenDim: field(count().default(2048), {
    description: 'Width of the hidden layers.',
    paper: '2048',
    source: 'section 3.1',
  }),
  outputDim: field(count().default(256), {
    description: 'Dimension d of the l2-normalised features that the loss compares.',
    paper: '256',
    source: 'section 3.1',
    equation: 'z = projector(f(x)) / |projector(f(x))|, in R^d',
  }),
});

const loss = z.strictObject({
  preset: field(z.enum(['reference', 'paper']).default('reference'), {
    description:
      'Sets `pairs`, `gamma` and `codingRate` together: `reference` is the authors\u2019 published code and recipe, `paper` is the text\u2019s equations. An explicit key overrides it.',
  }),
  eps: field(positive().max(100).default(0.22360679774997896), {
    description:
      'The paper\u2019s epsilon: the quantisation error of the coding rate. The authors\u2019 code names epsilon squared `eps`: its 0.05 is 0.2236 here.',
    equation: 'R_eps(Gamma) = 1/2 logdet(I + d/eps^2 Gamma)  (7)',
    paper: 'not given',
    source: 'eq. (7)',
    reference: '0.2236 (its `eps` 0.05 is epsilon squared)',
  }),
  gamma: field(z.union([z.literal('auto'), z.literal('balanced'), z.number().min(0)]).optional(), {
    description:
      'Weight of the coding rate: a number, `auto` (1/d + 1/B, the authors\u2019 code) or `balanced` (Theorem C.1, which equalises the gradient norms of the two terms).',
    equation:
      'loss = E[1/2 |z_t - z_s|^2] - gamma R_eps(Cov[z_s])  (8);  balanced: gamma = 2 eps sqrt(B / (d M min(d, B/groups)))  (54)',
    paper: 'balanced, constant not given',
    source: 'eq. (8), Theorems C.1 and C.2',
    reference: 'auto: 1/d + 1/B',
  }),
  gammaFactor: field(positive().default(1), {
    description: 'Multiplies gamma when it is `auto` or `balanced`: the constant that the paper tunes.',
    source: 'section 2.3',
  }),
  pairs: field(z.enum(['all', 'crossView']).optional(), {
    description:
      'Which teacher-student view pairs the distance averages over: `all`, or `crossView`, which leaves out the pairs of one and the same view.',
    paper: 'all',
    source: 'Algorithm 1',
    reference: 'crossView',
  }),
  own: field(z.string().min(1).optional(), {
    description:
      'An objective of your own in the place of the method\u2019s, by its name in `runtime/losses/index.ts`. Networks, masks and schedules stay the method\u2019s.',
  }),
  regulariser: field(z.enum(['codingRate', 'infoNce', 'uniformity', 'barlowTwins']).default('codingRate'), {
    description:
      'What keeps the features from collapsing: the coding rate, or one of the objectives that Table 5 puts in its place.',
    paper: 'codingRate',
    source: 'Table 5',
  }),
  alternative: field(
    z
      .strictObject({
        weight: field(positive().default(1), {
          description: 'Weight of what stands in the place of the coding rate.',
          paper: 'not given',
          source: 'Table 5',
        }),
        temperature: field(positive().default(0.1), {
          description: 'Temperature of `infoNce`.',
          paper: 'not given',
          source: 'Table 5',
          reference: '0.1 in SimCLR\u2019s code',
        }),
        lambda: field(positive().default(0.0051), {
          description: 'Weight of the off-diagonal correlations of `barlowTwins`.',
          paper: 'not given',
          source: 'Table 5',
          reference: '0.0051 in Barlow Twins\u2019 code',
        }),
      })
      .prefault({}),
    { description: 'Options of a `regulariser` other than the coding rate.' },
  ),
  codingRate: field(
    z
      .strictObject({
        on: field(z.enum(['student', 'studentTeacherMean']).optional(), {
          description:
            'Features whose coding rate is maximised: the student\u2019s, or the mean of the student\u2019s and the teacher\u2019s (the teacher detached).',
          paper: 'student',
          source: 'eq. (8)',
          reference: 'studentTeacherMean (`expa_type` 1)',
        }),
        normalise: field(z.enum(['group', 'batch']).optional(), {
          description:
            'What each group\u2019s second-moment matrix is divided by: its own size, or the whole batch (the authors\u2019 `reduce_cov` 0, an effective epsilon times sqrt(groups)).',
          paper: 'group',
          source: 'section 2.2',
          reference: 'batch',
        }),
        groups: field(count().optional(), {
          description:
            'Sub-samples of the batch on each of which the coding rate, or another `regulariser` in its place, is estimated before averaging. The authors\u2019 code has one per GPU; here it is independent of the machine. Divides the batch. `reference` takes 8 for a batch of 512 or more that 8 divides, else 1; `paper` takes 1.',
          paper: 'several, number not given',
          source: 'section 2.2',
          reference: '8 (GPUs) for a batch of 512',
        }),
      })
      .prefault({}),
    { description: 'How the coding rate is estimated.' },
  ),
});

const masking = z.strictObject({
  share: field(share().default(0.5), {
    description: 'Share of the global views in which patches are hidden from the student.',
    paper: '0.5',
    source: 'Table 4',
  }),
  ratio: field(z.tuple([share(), share()]).default([0.1, 0.5]), {
    description: 'Range of the share of patches that are hidden in a masked view, in blocks.',
    paper: '[0.1, 0.5]',
    source: 'Table 4',
  }),
  viewWeight: field(positive().optional(), {
    description: 'Weight of the distance between whole views.',
    equation: 'w_v distance + w_p patchDistance - gamma R  (42)',
    paper: '0.5',
    source: 'eq. (42)',
    reference: '1',
  }),
  patchWeight: field(z.number().min(0).optional(), {
    description:
      'Weight of the distance between the student\u2019s guesses of hidden patches and the teacher\u2019s features.',
    paper: '0.5',
    source: 'eq. (42)',
    reference: '1',
  }),
  average: field(z.enum(['maskedPatches', 'allPatches']).optional(), {
    description: 'What the patch distances of a view are averaged over; `allPatches` counts the visible ones as 0.',
    paper: 'allPatches',
    source: 'eq. (42)',
    reference: 'maskedPatches',
  }),
});

const dino = z.strictObject({
  prototypes: field(count().default(65536), {
    description: 'Prototypes K of the last layer: the student predicts the teacher\u2019s distribution over them.',
    paper: '65536',
    source: 'Table 4',
  }),
  prototypeNorm: field(z.enum(['fixed', 'trained']).optional(), {
    description:
      'Norm of the prototypes in the weight-normalised last layer: `fixed` at 1, or `trained` with the rest, which Table 6 finds to diverge for DINO. Unless told, `fixed` for DINO and `trained` for DINOv2, as in their code.',
    paper: 'fixed',
    source: 'Table 4; Table 6 varies it',
    reference: 'fixed in DINO\u2019s code, trained in DINOv2\u2019s',
  }),
  freezePrototypesEpochs: field(z.number().min(0).default(1), {
    description:
      'Epochs at the start in which the prototypes are not trained: DINO leaves them out entirely, DINOv2 sets their learning rate to 0.',
    unit: 'epochs',
    paper: '1',
    source: 'Table 4',
  }),
  studentTemperature: field(positive().default(0.1), {
    description: 'Divides the student\u2019s scores before the softmax.',
    equation: 'p = softmax(s / tau_s)',
    source: 'DINO\u2019s code',
  }),
  teacherTemperature: field(positive().default(0.07), {
    description: 'Divides the teacher\u2019s centred scores before the softmax, after its warm-up.',
    equation: 'q = softmax((t - c) / tau_t)',
    paper: '0.07',
    source: 'Table 4; Table 6 varies it',
    reference: '0.04, without warm-up (the default of DINO\u2019s code)',
  }),
  teacherTemperatureStart: field(positive().default(0.04), {
    description: 'Teacher temperature that the warm-up starts at.',
    paper: '0.04',
    source: 'Table 4',
  }),
  teacherTemperatureWarmupEpochs: field(z.number().int().min(0).default(30), {
    description:
      'Epochs over which the teacher temperature rises linearly: epoch by epoch with DINO, step by step with DINOv2.',
    unit: 'epochs',
    paper: '30',
    source: 'Table 4',
    reference: '0 (the default of DINO\u2019s code)',
  }),
  centerMomentum: field(share().default(0.9), {
    description:
      'Momentum of the centre, the moving average of the teacher\u2019s scores that is subtracted from them.',
    equation: 'c <- m c + (1 - m) mean(t)',
    source: 'DINO\u2019s code',
  }),
});

const dinov2 = z.strictObject({
  centering: field(z.enum(['ema', 'sinkhornKnopp']).optional(), {
    description:
      'How the teacher\u2019s scores are kept from collapsing: a moving centre is subtracted from them (`ema`), or Sinkhorn and Knopp\u2019s iterations share the batch out equally among the prototypes. `loss.preset` decides unless told.',
    paper: 'sinkhornKnopp',
    source: 'section 2.1',
    reference: 'ema, the default of DINOv2\u2019s code',
  }),
  sinkhornIterations: field(count().max(100).default(3), {
    description: 'Iterations of `centering: sinkhornKnopp`.',
    paper: '3',
    source: 'section 2.1',
  }),
  koleoWeight: field(z.number().min(0).default(0.1), {
    description: 'Weight of KoLeo, which spreads the backbone\u2019s class tokens; summed over the global views.',
    equation: 'KoLeo = -mean ln |x_i - x_nn(i)|',
    paper: '0.1',
    source: 'Table 4',
  }),
  koleoGroups: field(count().default(1), {
    description:
      'Parts of the batch in each of which KoLeo looks for the nearest other image, before averaging. The authors\u2019 code has one per GPU; here it is independent of the machine. Divides the batch into parts of two images or more.',
    paper: 'number not given',
    source: 'Table 4',
    reference: '8 (GPUs) of 128 images each',
  }),
  patchHead: field(z.enum(['shared', 'separate']).default('shared'), {
    description:
      'Whether masked patches go through the head of the class tokens, or through one of their own (DINOv2\u2019s untied heads).',
    paper: 'shared',
    source: 'Table 4',
    reference: 'separate in DINOv2\u2019s larger recipes',
  }),
  patchPrototypes: field(count().optional(), {
    description: 'Prototypes of a separate patch head; as many as `dino.prototypes` unless told.',
    source: 'DINOv2\u2019s code',
  }),
});

const teacher = z.strictObject({
  update: field(z.enum(['ema', 'student']).default('ema'), {
    description: '`ema` is self-distillation; `student` copies the student after every step (no self-distillation).',
    paper: 'ema',
    source: 'section 2.1; Table 9',
  }),
  momentum: field(z.number().min(0).max(1).default(0.996), {
    description:
      'Momentum m of the teacher\u2019s moving average at the first step, per step; a cosine takes it to `momentumEnd`.',
    equation: 'theta_t <- m theta_t + (1 - m) theta_s',
    paper: byVersion('0.996', '0.9', '0.992'),
    source: 'Table 4; Table 6 varies it',
  }),
  momentumEnd: field(z.number().min(0).max(1).default(1), {
    description: 'Momentum that the cosine ends at.',
    paper: '1',
    source: 'authors\u2019 code',
  }),
});

const optim = z.strictObject({
  lr: field(positive().max(10).default(0.0005), {
    description: 'Peak learning rate for a batch of 256; the peak in force is lr x batchSize / 256.',
    paper: byVersion('0.002 (for a batch of 1024)', '0.004 (for a batch of 1024)'),
    source: 'Table 4',
    reference: '0.0005 per 256 images; SimDINOv2 0.004 with `lrScaling: sqrt1024`',
  }),
  lrScaling: field(z.enum(['linear256', 'sqrt1024']).default('linear256'), {
    description:
      'How the batch size enters the peak learning rate: `linear256` is lr x batchSize / 256, `sqrt1024` is lr x sqrt(batchSize / 1024).',
    reference: 'linear256 in the v1 tree, sqrt1024 in the v2 tree',
    source: 'authors\u2019 code',
  }),
  layerDecay: field(positive().max(1).default(1), {
    description: 'Factor of the learning rate per block, from the last one down.',
    paper: byVersion('none', '0.9'),
    source: 'Table 4',
  }),
  patchEmbeddingRate: field(positive().max(1).default(1), {
    description: 'Factor of the patch projection\u2019s learning rate, besides `layerDecay`.',
    reference: '0.2 in the v2 tree',
    source: 'authors\u2019 code',
  }),
  schedule: field(z.enum(['v1', 'v2']).default('v1'), {
    description:
      'Shape of the warm-up: `v1` rises from 0 and reaches the peak at its last step, `v2` rises from `minLr` and reaches it one step later.',
    source: 'authors\u2019 code',
  }),
  minLr: field(z.number().min(0).default(1e-6), {
    description: 'Learning rate at the end of the cosine.',
    paper: '1e-6',
    source: 'authors\u2019 code',
  }),
  warmupEpochs: field(z.number().min(0).default(10), {
    description: 'Linear warm-up of the learning rate.',
    unit: 'epochs',
    paper: '10',
    source: 'Table 4',
  }),
  weightDecay: field(z.number().min(0).default(0.04), {
    description:
      'AdamW weight decay at the first step; a cosine takes it to `weightDecayEnd`. Biases and 1-D tensors are not decayed.',
    paper: '0.04',
    source: 'Table 4',
  }),
  weightDecayEnd: field(z.number().min(0).default(0.4), {
    description: 'Weight decay at the end.',
    paper: '0.4',
    source: 'Table 4',
  }),
  clipGradNorm: field(z.number().min(0).default(3), {
    description: 'Largest l2 norm of each parameter tensor\u2019s gradient, tensor by tensor; 0 turns clipping off.',
    paper: byVersion('0.3', '3'),
    source: 'Table 4',
    reference: '3.0',
  }),
  clipBy: field(z.enum(['tensor', 'module']).default('tensor'), {
    description: 'What `clipGradNorm` bounds: each tensor by itself, or backbone and projector each as a whole.',
    reference: 'tensor in the v1 tree, module in the v2 tree',
    source: 'authors\u2019 code',
  }),
  beta1: field(z.number().min(0).lt(1).default(0.9), {
    description: 'AdamW\u2019s decay of the first moment.',
    source: 'authors\u2019 code',
  }),
  beta2: field(z.number().min(0).lt(1).default(0.999), {
    description: 'AdamW\u2019s decay of the second moment.',
    source: 'authors\u2019 code',
  }),
  epsilon: field(positive().default(1e-8), {
    description: 'AdamW\u2019s term added to the denominator.',
    source: 'authors\u2019 code',
  }),
});

const train = z.strictObject({
  epochs: field(positive().default(100), {
    description: 'Passes over the training set.',
    unit: 'epochs',
    paper: '100',
    source: 'Table 4',
  }),
  batchSize: field(z.number().int().min(1).max(1_000_000).default(512), {
    description: 'Images per step over all devices (B); the last incomplete batch of an epoch is dropped.',
    unit: 'images',
    paper: byVersion('512 (64 x 8)', '1024 (128 x 8)'),
    source: 'Table 4; Table 7 varies it',
    equation: 'rank(Cov) <= min(d, B / groups)',
  }),
});

const evaluation = z.strictObject({
  knn: field(
    z
      .strictObject({
        k: field(count().default(20), {
          description: 'Neighbours that vote.',
          paper: '20',
          source: 'DINO\u2019s protocol',
        }),
        temperature: field(positive().default(0.07), {
          description: 'A neighbour\u2019s vote weighs exp(cosine / temperature).',
          source: 'DINO\u2019s protocol',
        }),
        everyEpochs: field(positive().default(10), {
          description:
            'Interval between evaluations during training; one at the start and one at the end are always made.',
          unit: 'epochs',
        }),
        galleryImages: field(count().optional(), {
          description: 'Use only so many training images as gallery.',
          unit: 'images',
        }),
        queryImages: field(count().optional(), {
          description: 'Use only so many validation images as queries.',
          unit: 'images',
        }),
      })
      .prefault({}),
    { description: 'k-NN classification with the teacher\u2019s features.' },
  ),
  linear: field(
    z
      .strictObject({
        everyEpochs: field(positive().optional(), {
          description: 'Interval between linear evaluations during training; left out, there are none.',
          unit: 'epochs',
        }),
        protocol: field(z.enum(['v1', 'v2']).default('v2'), {
          description:
            'How a linear classifier is trained on frozen features: `v1` is DINO\u2019s (one, 100 epochs, the last four blocks), `v2` is DINOv2\u2019s (a grid, ten epochs of at most 1,250 steps, the best reported).',
          paper: 'not given',
          source: 'Table 1',
        }),
        blocks: field(z.array(count().max(8)).min(1).default([1, 4]), {
          description: 'Numbers of last blocks whose class tokens a classifier of `v2` sees.',
          reference: '1 and 4 in DINOv2, 1 and 2 in SimDINO v2',
        }),
        pooling: field(
          z
            .array(z.enum(['cls', 'clsAndMean']))
            .min(1)
            .default(['cls', 'clsAndMean']),
          {
            description: 'Whether a classifier of `v2` sees class tokens alone, or the mean patch token as well.',
            reference: 'both in DINOv2, clsAndMean in SimDINO v2',
          },
        ),
        rates: field(
          z
            .array(positive().max(100))
            .min(1)
            .max(64)
            .default([1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1]),
          {
            description: 'Learning rates of the grid of `v2`, for a batch of 256.',
            reference: '13 from 1e-5 to 0.1 in DINOv2, 8 from 2e-4 to 5e-2 in SimDINO v2',
          },
        ),
        epochs: field(count().optional(), {
          description: 'Passes over the features; 100 for `v1` and 10 for `v2` unless told.',
          unit: 'epochs',
        }),
        batchSize: field(count().default(128), { description: 'Images of a step.', unit: 'images', reference: '128' }),
        trainImages: field(count().optional(), {
          description: 'Use only so many training images.',
          unit: 'images',
        }),
        testImages: field(count().optional(), {
          description: 'Use only so many images of the split that is classified.',
          unit: 'images',
        }),
      })
      .prefault({}),
    { description: 'Linear classification of the teacher\u2019s frozen features.' },
  ),
  split: field(z.enum(['validation', 'test']).default('validation'), {
    description: 'Split that evaluations query during training.',
  }),
  resizePx: field(count().optional(), {
    description: 'Shorter side before the centre crop; the crop\u2019s side x 256/224 unless told.',
    unit: 'px',
    paper: '256',
    source: 'authors\u2019 code',
  }),
});

const checkpoint = z.strictObject({
  everyEpochs: field(positive().default(10), {
    description: 'Interval between checkpoints; one at the end is always made.',
    unit: 'epochs',
  }),
  keep: field(z.number().int().min(1).default(3), {
    description: 'Checkpoints kept; the oldest beyond it are deleted after a newer one is whole.',
  }),
});

const slurm = z.strictObject({
  partition: field(z.string().min(1).optional(), {
    description: 'Partition that jobs are sent to; the cluster\u2019s default unless told.',
  }),
  account: field(z.string().min(1).optional(), { description: 'Account that jobs are charged to.' }),
  time: field(
    z
      .string()
      .regex(/^(\d+-)?\d+(:\d{1,2}){0,2}$/)
      .optional(),
    {
      description:
        'Time limit of a job as SLURM writes it: minutes, `HH:MM:SS` or `D-HH:MM`. A job that reaches it writes a checkpoint and is queued again.',
    },
  ),
  gpus: field(z.number().int().min(0).max(64).default(0), { description: 'GPUs of a job, for each of its processes.' }),
  cpus: field(count().optional(), { description: 'Processor cores of a job, for each of its processes.' }),
  memory: field(
    z
      .string()
      .regex(/^\d+[KMGT]?$/)
      .optional(),
    { description: 'Memory per node as SLURM writes it: `16G`.' },
  ),
  ranks: field(z.number().int().min(1).max(4096).default(1), {
    description: 'Processes that train one run together under MPI; each takes its part of the batch.',
  }),
  start: field(z.enum(['srun', 'mpirun']).default('srun'), {
    description: 'What starts the processes of a job with several `ranks`.',
  }),
  mpi: field(
    z
      .string()
      .regex(/^[\w.-]+$/)
      .default('auto'),
    {
      description:
        'MPI plug-in by which the processes that `srun` starts find each other (`srun --mpi=`): `pmix` for OpenMPI, `pmi2` for MPICH and Intel MPI, or another that `srun --mpi=list` names. `auto` takes the cluster\u2019s `MpiDefault`, or where that is `none`, `pmix` before `pmi2`.',
    },
  ),
  warnSeconds: field(z.number().int().min(1).max(3600).default(120), {
    description: 'How long before the time limit a job is told to write its checkpoint.',
    unit: 's',
  }),
  sbatch: field(z.array(z.string().min(1)).default([]), {
    description: 'Further options of `sbatch`, one an entry: `--constraint=a100`.',
  }),
  setup: field(z.array(z.string()).default([]), {
    description: 'Shell lines that a job runs before training, to set its environment up: `module load node/20`.',
  }),
});

const runtime = z.strictObject({
  engine: field(z.enum(['auto', 'onnx', 'webgpu', 'dawn', 'tensorflow']).default('auto'), {
    description: 'What executes the training step; `auto` takes the fastest that works here.',
  }),
  precision: field(z.enum(['float32', 'float16', 'bfloat16']).default('float32'), {
    description:
      'Numbers that networks and optimiser compute with. `float16` and `bfloat16` are the authors\u2019 mixed precision, refused where an engine does not have it; the coding rate is computed in float32 or better whatever this says.',
    paper: { simdinov2: 'bfloat16' },
    source: 'Appendix E',
    reference: 'float16 with loss scaling in the v1 tree, bfloat16 backbone in the v2 tree',
  }),
  threads: field(z.number().int().min(0).default(0), {
    description: 'Threads of the CPU engine; 0 takes one per core.',
  }),
  microBatch: field(count().optional(), {
    description:
      'Images that go through the networks at a time; the result is that of the whole batch, with less memory and about a quarter more work. The whole batch unless told, or what fits a GPU.',
    unit: 'images',
  }),
  dataWorkers: field(z.number().int().min(0).default(2), { description: 'Threads that decode images and make crops.' }),
  logEverySteps: field(count().default(1), { description: 'Interval between metric lines.', unit: 'steps' }),
  diagnosticsEverySteps: field(count().default(10), {
    description: 'Interval between measurements of the effective rank, which costs more than the other metrics.',
    unit: 'steps',
  }),
  tensorboard: field(z.enum(['off', 'live']).default('off'), {
    description:
      'Whether metrics also go into TensorBoard event files as they are logged, in `tensorboard/` of the run folder; `simdino export tensorboard` writes them afterwards, with the pictures of `simdino look`.',
  }),
  rankTimeoutSeconds: field(z.number().int().min(1).default(1800), {
    description:
      'How long one of several processes waits for the others within a step, evaluations included, before it takes one for lost, and ends with a checkpoint.',
    unit: 's',
  }),
  launcher: field(z.enum(['local', 'slurm']).default('local'), {
    description: 'Where runs and the cells of grids are started: on this machine, or as jobs of a SLURM cluster.',
  }),
  slurm: field(slurm.prefault({}), { description: 'What is asked of the cluster with `launcher: slurm`.' }),
});

export const configSchema = z.strictObject({
  extends: field(z.string().min(1).optional(), {
    description: 'A preset\u2019s name or the path of a YAML file whose values this one starts from.',
  }),
  method: field(z.enum(methods).default('simdino'), { description: 'What is trained.' }),
  seed: field(
    z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0),
    { description: 'Seed of initialisation, data order, crops and stochastic depth.' },
  ),
  data: field(data, { description: 'Images.' }),
  crops: field(crops.prefault({}), { description: 'Multi-crop augmentation.' }),
  model: field(model.prefault({}), { description: 'Backbone.' }),
  projector: field(projector.prefault({}), {
    description: 'Projector between backbone and loss; not used after training.',
  }),
  loss: field(loss.prefault({}), {
    description: 'Objective of SimDINO; for other methods, how the coding rate is measured.',
  }),
  masking: field(masking.prefault({}), { description: 'Hidden patches of `method: simdinov2` and `method: dinov2`.' }),
  dino: field(dino.prefault({}), {
    description: 'Objective of `method: dino` and `method: dinov2`: prototypes, temperatures and centre.',
  }),
  dinov2: field(dinov2.prefault({}), {
    description: 'What `method: dinov2` adds to `dino`: the patches\u2019 head, KoLeo, Sinkhorn and Knopp.',
  }),
  teacher: field(teacher.prefault({}), { description: 'Teacher network.' }),
  optim: field(optim.prefault({}), { description: 'Optimiser and its schedules.' }),
  train: field(train.prefault({}), { description: 'Length and batch.' }),
  eval: field(evaluation.prefault({}), { description: 'Evaluations during training.' }),
  checkpoint: field(checkpoint.prefault({}), { description: 'Checkpoints.' }),
  runtime: field(runtime.prefault({}), { description: 'Execution; does not change what is computed.' }),
});

/** A configuration after defaults, before `loss.preset` and `model.architecture` are resolved. */
export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type DataConfig = Config['data'];
export type CropsConfig = Config['crops'];

type Loss = Config['loss'];
type Model = Config['model'];
/** A section with nothing left open. */
type Whole<Section> = { [K in keyof Section]-?: NonNullable<Section[K]> };

/** A configuration with nothing left open: what the runtime takes and what `config.yaml` of a run folder holds. */
export interface ResolvedConfig extends Omit<Config, 'extends' | 'loss' | 'model' | 'dino' | 'dinov2' | 'masking'> {
  /** Present for `method: simdinov2` and `method: dinov2` alone. */
  masking?: Whole<Config['masking']>;
  /** Present for `method: dino` and `method: dinov2` alone. */
  dino?: Whole<Config['dino']>;
  /** Present for `method: dinov2` alone. */
  dinov2?: Whole<Config['dinov2']>;
  loss: Omit<Loss, 'gamma' | 'pairs' | 'codingRate'> & {
    gamma: number | 'auto' | 'balanced';
    pairs: NonNullable<Loss['pairs']>;
    codingRate: Whole<Loss['codingRate']>;
  };
  model: Omit<Model, 'width' | 'depth' | 'heads' | 'feedForward'> &
    Whole<Pick<Model, 'width' | 'depth' | 'heads' | 'feedForward'>>;
}
