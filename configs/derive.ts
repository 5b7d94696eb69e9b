/**
 * Numbers that follow from a configuration: what the runtime needs to schedule a run, and what the editor shows beside
 * the keys. Free of zod, so that the webview can use it.
 */
import type { ResolvedConfig } from './schema.ts';

/** The part of a configuration that numbers are derived from. */
export type DerivableConfig = Pick<
  ResolvedConfig,
  'crops' | 'model' | 'projector' | 'loss' | 'dino' | 'dinov2' | 'masking' | 'teacher' | 'optim' | 'train'
>;

export interface Derived {
  /** Weight of the coding rate, `gammaFactor` included. */
  gamma: number;
  /** Largest possible coding rate in nats: the features of each group are spread evenly. */
  codingRateMax: number;
  /** Coding rate in nats when all features are one direction. */
  codingRateCollapsed: number;
  /** Images of one group. */
  groupSize: number;
  /** Peak learning rate in force. */
  effectiveLr: number;
  stepsPerEpoch: number;
  totalSteps: number;
  warmupSteps: number;
  /** Images seen in the whole run, repetitions included. */
  imagesPerRun: number;
  /** Steps after which a student's contribution to the teacher has halved, at the first step's momentum. */
  momentumHalfLifeSteps: number;
  /** Tokens of a global crop, the class token included. */
  tokensGlobal: number;
  /** Tokens of a local crop, the class token included. */
  tokensLocal: number;
  /** Tokens that the student processes for one image, all views. */
  tokensPerImage: number;
  parametersBackbone: number;
  parametersProjector: number;
}

export function derive(config: DerivableConfig, options: { trainImages: number }): Derived {
  const { crops, train, optim } = config;
  const stepsPerEpoch = Math.floor(options.trainImages / train.batchSize);
  const totalSteps = Math.round(train.epochs * stepsPerEpoch);
  const tokensGlobal = tokens(crops.global.sizePx, config.model.patchSizePx);
  const tokensLocal = tokens(crops.local.sizePx, config.model.patchSizePx);
  return {
    gamma: gammaOf(config),
    ...codingRateBounds(codingRateShape(config)),
    groupSize: train.batchSize / config.loss.codingRate.groups,
    effectiveLr: effectiveLr(optim.lr, train.batchSize, optim.lrScaling),
    stepsPerEpoch,
    totalSteps,
    warmupSteps: Math.min(totalSteps, Math.round(optim.warmupEpochs * stepsPerEpoch)),
    imagesPerRun: totalSteps * train.batchSize,
    momentumHalfLifeSteps: halfLifeSteps(config.teacher.momentum),
    tokensGlobal,
    tokensLocal,
    tokensPerImage: crops.global.count * tokensGlobal + crops.local.count * tokensLocal,
    parametersBackbone: parametersBackbone(
      config,
      tokens(config.model.positionTablePx ?? crops.global.sizePx, config.model.patchSizePx),
    ),
    parametersProjector: parametersHeads(config),
  };
}

/**
 * The weight gamma of the coding rate.
 *
 * - `auto`: 1/d + 1/B, the authors' code.
 * - `balanced`: 2 eps sqrt(B / (d M min(d, B))), eq. (54) of Theorem C.1, with M all views of an image. It makes the
 *   bounds of the two terms' gradient norms equal. With several groups the bound of Lemma C.6 holds per group of
 *   B/groups images, which turns min(d, B) into min(d, B/groups) and, when groups are divided by the whole batch, eps
 *   into eps sqrt(groups); one group is the theorem itself. With hidden patches it is that of Theorem C.2, eq. (55):
 *   eps (1/sqrt M + sqrt((1 - alpha) / N)) sqrt(B / (d min(d, B))), N patches of a global view of which a share alpha is hidden on
 *   average. The theorem is for distances weighted by 1/2 each.
 */
export function gammaOf(
  config: Pick<DerivableConfig, 'crops' | 'model' | 'projector' | 'loss' | 'train' | 'masking'>,
): number {
  const { gamma, gammaFactor } = config.loss;
  if (typeof gamma === 'number') return gamma;
  const batch = config.train.batchSize;
  const dim = config.projector.outputDim;
  if (gamma === 'auto') return gammaFactor * (1 / dim + 1 / batch);
  const views = config.crops.global.count + config.crops.local.count;
  const { groups, epsilon } = codingRateShape(config);
  const bound = Math.sqrt(batch / (dim * Math.min(dim, batch / groups)));
  return gammaFactor * epsilon * gradientBound(views, config) * bound;
}

/** Twice the bound of the distances' gradient norm: of views alone, or the mean of views and patches. */
function gradientBound(
  views: number,
  { masking, model, crops }: Pick<DerivableConfig, 'masking' | 'model' | 'crops'>,
): number {
  const ofViews = 1 / Math.sqrt(views);
  if (!masking) return 2 * ofViews;
  const patches = tokens(crops.global.sizePx, model.patchSizePx) - 1;
  const hidden = (masking.share * (masking.ratio[0] + masking.ratio[1])) / 2;
  return ofViews + Math.sqrt((1 - hidden) / patches);
}

/** What the coding rate's bounds depend on. */
export interface CodingRateShape {
  dim: number;
  batch: number;
  groups: number;
  /** The quantisation error in force: eps, times sqrt(groups) when each group is divided by the whole batch. */
  epsilon: number;
}

export function codingRateShape(config: Pick<DerivableConfig, 'projector' | 'loss' | 'train'>): CodingRateShape {
  const { groups, normalise } = config.loss.codingRate;
  return {
    dim: config.projector.outputDim,
    batch: config.train.batchSize,
    groups,
    epsilon: config.loss.eps * (normalise === 'batch' ? Math.sqrt(groups) : 1),
  };
}

/**
 * Bounds of R_eps(Gamma) = 1/2 logdet(I + d/eps^2 Gamma), eq. (7), for unit features, in nats.
 *
 * A group of m features has a Gamma of trace 1 and rank at most r = min(d, m): R is largest when its r eigenvalues are
 * all 1/r, and smallest when one eigenvalue is 1 (collapse).
 */
export function codingRateBounds(shape: CodingRateShape): { codingRateMax: number; codingRateCollapsed: number } {
  const { dim, batch, groups, epsilon } = shape;
  const rank = Math.min(dim, batch / groups);
  const scale = dim / epsilon ** 2;
  return {
    codingRateMax: 0.5 * rank * Math.log1p(scale / rank),
    codingRateCollapsed: 0.5 * Math.log1p(scale),
  };
}

/**
 * Peak learning rate in force: linear in the batch, `lr` being the rate for 256 images, or with its square root, `lr` being the rate for
 * 1024.
 */
export function effectiveLr(
  lr: number,
  batchSize: number,
  scaling: ResolvedConfig['optim']['lrScaling'] = 'linear256',
): number {
  return scaling === 'sqrt1024' ? lr * Math.sqrt(batchSize / 1024) : (lr * batchSize) / 256;
}

/** Steps after which m^steps is 1/2; 0 for a momentum of 0, infinite for 1. */
export function halfLifeSteps(momentum: number): number {
  if (momentum <= 0) return 0;
  return momentum >= 1 ? Infinity : Math.log(0.5) / Math.log(momentum);
}

/** Training images of the data sets that are fetched. */
const fetchedImages: Partial<Record<ResolvedConfig['data']['kind'], number>> = {
  cifar10: 50_000,
  'fashion-mnist': 60_000,
};

/** Training images as far as the configuration alone tells; undefined where the data set decides. */
export function knownTrainImages(config: Pick<ResolvedConfig, 'data'>): number | undefined {
  const { kind, heldOut, maxTrainImages, synthetic } = config.data;
  const whole = kind === 'synthetic' ? synthetic.images : fetchedImages[kind];
  if (whole === undefined) return undefined;
  return Math.min(whole - heldOut, maxTrainImages ?? Infinity);
}

function tokens(sizePx: number, patchSizePx: number): number {
  return Math.floor(sizePx / patchSizePx) ** 2 + 1;
}

/** Parameters of the ViT: patch embedding, class token, positions, blocks (qkv with bias), final norm. */
function parametersBackbone({ model, masking }: DerivableConfig, tokensOfTable: number): number {
  const { width, depth, patchSizePx } = model;
  const embedding = 3 * patchSizePx ** 2 * width + width + width + tokensOfTable * width;
  const attention = 3 * width * width + 3 * width + width * width + width;
  const hidden = hiddenWidth(model);
  const inputs = model.feedForward === 'swiglu' ? 2 * hidden : hidden;
  const mlp = width * inputs + inputs + hidden * width + width;
  const norms = 4 * width;
  const scales = model.layerScale === undefined ? 0 : 2 * width;
  const extraTokens = (model.registers + (masking ? 1 : 0)) * width;
  return embedding + extraTokens + depth * (attention + mlp + norms + scales) + 2 * width;
}

/** Width of a block's hidden layer; SwiGLU has two thirds of an MLP's, rounded up to a multiple of 8. */
export function hiddenWidth({
  width,
  mlpRatio,
  feedForward,
}: Pick<ResolvedConfig['model'], 'width' | 'mlpRatio' | 'feedForward'>): number {
  const ofMlp = Math.floor(width * mlpRatio);
  return feedForward === 'swiglu' ? Math.ceil(Math.floor((ofMlp * 2) / 3) / 8) * 8 : ofMlp;
}

/** The head of the class tokens, and that of the patches where they have their own; each with its prototypes. */
function parametersHeads({ projector, model, dino, dinov2 }: DerivableConfig): number {
  const mlp = parametersProjector(projector, model.width);
  // A prototype is a direction of the projector's dimension and a norm.
  const head = (prototypes: number) => mlp + prototypes * (projector.outputDim + 1);
  const ofPatches = dinov2?.patchHead === 'separate' ? head(dinov2.patchPrototypes) : 0;
  return head(dino?.prototypes ?? 0) + ofPatches;
}

function parametersProjector(projector: DerivableConfig['projector'], width: number): number {
  let parameters = 0;
  let inputDim = width;
  for (let layer = 1; layer <= projector.layers; layer++) {
    const outputDim = layer === projector.layers ? projector.outputDim : projector.hiddenDim;
    parameters += inputDim * outputDim + outputDim;
    inputDim = outputDim;
  }
  return parameters;
}
