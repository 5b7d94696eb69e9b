/** What must hold between keys: each key alone is fine, together they are not. */
import { effectiveLr, knownTrainImages } from './derive.ts';
import type { Suggestion } from './diagnostic.ts';
import { splitPath, type Finding } from './finding.ts';
import { lossPreset } from './resolve.ts';
import { architectures, type Config, type Method, type ResolvedConfig } from './schema.ts';

/** Whether a key is written with another value than its default. */
type Chosen = (path: string) => boolean;

/** Sizes of the backbone; checked before anything else, since nothing can be resolved without them. */
export function sizeFindings(config: Config): Finding[] {
  const { model } = config;
  const sizes = ['width', 'depth', 'heads'] as const;
  if (model.architecture === 'custom') {
    const missing = sizes.filter((size) => model[size] === undefined);
    if (missing.length === 0) return [];
    return [
      error(
        ['model.architecture'],
        `A \`custom\` architecture needs model.width, model.depth and model.heads; missing: ${missing.join(', ')}.`,
        `Add model.${missing[0]}, or take a named architecture: ${Object.keys(architectures).join(', ')}.`,
      ),
    ];
  }
  const named = architectures[model.architecture];
  return sizes
    .filter((size) => model[size] !== undefined && model[size] !== named[size])
    .map((size) =>
      error(
        [`model.${size}`],
        `\`model.${size}\` is ${model[size]}, but ${model.architecture} has ${named[size]}.`,
        'Remove the key, or set model.architecture: custom.',
        [{ kind: 'remove' }, { kind: 'set', path: 'model.architecture', value: 'custom' }],
      ),
    );
}

export function relationFindings(config: ResolvedConfig, chosen: Chosen): Finding[] {
  return [
    ...methodRelations(config, chosen),
    ...modelRelations(config),
    ...cropRelations(config),
    ...dataRelations(config),
    ...lossRelations(config),
    ...koleoRelations(config),
    ...scheduleRelations(config),
    ...evaluationRelations(config),
    ...precisionRelations(config),
    ...ignoredKeys(config, chosen),
  ];
}

/** Sections that belong to some methods alone. */
const ownersOfSections = {
  dino: ['dino', 'dinov2'],
  dinov2: ['dinov2'],
  masking: ['simdinov2', 'dinov2'],
} as const satisfies Record<string, readonly Method[]>;

/** Options of one method beside another. */
function* methodRelations({ method, masking, loss, crops, model }: ResolvedConfig, chosen: Chosen): Iterable<Finding> {
  for (const [section, owners] of Object.entries(ownersOfSections) as [string, readonly Method[]][]) {
    if (owners.includes(method) || !chosen(section)) continue;
    const named = owners.map((owner) => `\`${owner}\``).join(' and ');
    yield error(
      [section, 'method'],
      `\`${section}\` holds the options of ${named}, but the method is \`${method}\`.`,
      `Remove the section, or set method: ${owners[0]}.`,
      [{ kind: 'remove' }, { kind: 'set', path: 'method', value: owners[0]! }],
    );
  }
  if (isDino(method) && loss.regulariser !== 'codingRate') {
    yield error(
      ['loss.regulariser', 'method'],
      `loss.regulariser \`${loss.regulariser}\` takes the place of SimDINO's coding rate; \`${method}\` has none.`,
      'Remove it, or set method: simdino.',
      [{ kind: 'remove' }, { kind: 'set', path: 'method', value: 'simdino' }],
    );
  }
  if (masking && masking.ratio[0] > masking.ratio[1]) {
    yield error(
      ['masking.ratio'],
      `masking.ratio starts at ${masking.ratio[0]}, above its end ${masking.ratio[1]}.`,
      'Swap the two numbers.',
      [{ kind: 'set', path: 'masking.ratio', value: [masking.ratio[1], masking.ratio[0]] }],
    );
  }
  const patches = Math.floor(crops.global.sizePx / model.patchSizePx) ** 2;
  if (masking && Math.trunc(patches * masking.ratio[1]) < 1) {
    yield error(
      ['masking.ratio'],
      `masking.ratio hides at most ${masking.ratio[1]} of the ${patches} patches of a global view, which is not one.`,
      'Raise its second number, or make patches smaller.',
    );
  }
}

function* modelRelations({ model, crops }: ResolvedConfig): Iterable<Finding> {
  const { width, heads, patchSizePx } = model;
  if (width % heads !== 0) {
    const fitting = nearestDivisor(width, heads);
    yield error(
      ['model.heads', 'model.width'],
      `model.width ${width} is not a multiple of model.heads ${heads}.`,
      `Set model.heads to a divisor of ${width}, such as ${fitting}.`,
      [{ kind: 'set', path: 'model.heads', value: fitting }],
    );
  }
  for (const view of ['global', 'local'] as const) {
    const { sizePx, count } = crops[view];
    if (count === 0 || sizePx % patchSizePx === 0) continue;
    const fitting = Math.max(patchSizePx, Math.round(sizePx / patchSizePx) * patchSizePx);
    yield error(
      [`crops.${view}.sizePx`, 'model.patchSizePx'],
      `crops.${view}.sizePx ${sizePx} is not a multiple of model.patchSizePx ${patchSizePx}.`,
      `Set it to ${fitting}.`,
      [{ kind: 'set', path: `crops.${view}.sizePx`, value: fitting }],
    );
  }
}

function* cropRelations({ crops, loss, model }: ResolvedConfig): Iterable<Finding> {
  const { global, local } = crops;
  for (const [view, scale] of [
    ['global', global.scale],
    ['local', local.scale],
  ] as const) {
    if (scale[0] <= scale[1]) continue;
    yield error(
      [`crops.${view}.scale`],
      `crops.${view}.scale starts at ${scale[0]}, above its end ${scale[1]}.`,
      'Swap the two numbers.',
      [{ kind: 'set', path: `crops.${view}.scale`, value: [scale[1], scale[0]] }],
    );
  }
  if (local.count > 0 && local.scale[1] > global.scale[1]) {
    // The published recipe has local views end where global ones begin.
    const end = global.scale.find((bound) => bound > local.scale[0]);
    yield warning(
      ['crops.local.scale', 'crops.global.scale'],
      `Local crops cover up to ${local.scale[1]} of an image, more than global crops (${global.scale[1]}).`,
      'Local views are meant to be parts of what the teacher sees: lower the end of crops.local.scale.',
      end === undefined ? [] : [{ kind: 'set', path: 'crops.local.scale', value: [local.scale[0], end] }],
    );
  }
  if (local.count > 0 && local.sizePx > global.sizePx) {
    const { patchSizePx } = model;
    // The published recipe's share: 96 px beside 224, in whole patches.
    const fitting = Math.max(1, Math.round((global.sizePx * 96) / 224 / patchSizePx)) * patchSizePx;
    yield warning(
      ['crops.local.sizePx', 'crops.global.sizePx'],
      `Local crops (${local.sizePx} px) are larger than global crops (${global.sizePx} px).`,
      `Swap the two sizes, or set crops.local.sizePx to ${fitting}.`,
      [{ kind: 'set', path: 'crops.local.sizePx', value: fitting }],
    );
  }
  if (loss.pairs === 'crossView' && global.count + local.count < 2) {
    yield error(
      ['crops.global.count', 'crops.local.count'],
      'loss.pairs `crossView` needs at least two views of an image, got one.',
      'Set crops.global.count to 2.',
      [{ kind: 'set', path: 'crops.global.count', value: 2 }],
    );
  }
}

function* dataRelations(config: ResolvedConfig): Iterable<Finding> {
  const { data, train } = config;
  if (!['cifar10', 'fashion-mnist', 'synthetic'].includes(data.kind) && data.path === undefined) {
    yield error(
      ['data.path', 'data.kind'],
      `data.kind \`${data.kind}\` needs data.path.`,
      'Add data.path, relative to this file.',
    );
  }
  if (data.kind === 'labellist' && data.labels === undefined) {
    yield error(
      ['data.labels', 'data.kind'],
      'data.kind `labellist` needs data.labels.',
      'Add data.labels, the text file of labels, relative to this file.',
    );
  }
  const images = knownTrainImages(config);
  if (images === undefined) return;
  if (images <= 0) {
    yield error(['data.heldOut'], `data.heldOut ${data.heldOut} leaves no training image.`, 'Lower data.heldOut.');
  } else if (train.batchSize > images) {
    yield error(
      ['train.batchSize'],
      `train.batchSize ${train.batchSize} is above the ${images} training images: no epoch has a whole batch.`,
      `Set it to ${images} or less.`,
      [{ kind: 'set', path: 'train.batchSize', value: 2 ** Math.floor(Math.log2(images)) }],
    );
  }
}

/** KoLeo looks for neighbours within parts of the batch: an image alone has none. */
function* koleoRelations({ train, dinov2 }: ResolvedConfig): Iterable<Finding> {
  if (!dinov2) return;
  const { koleoGroups } = dinov2;
  const fits = (groups: number) => train.batchSize % groups === 0 && train.batchSize / groups >= 2;
  if (fits(koleoGroups)) return;
  let fitting = Math.max(1, Math.min(koleoGroups, Math.floor(train.batchSize / 2)));
  while (fitting > 1 && !fits(fitting)) fitting--;
  yield error(
    ['dinov2.koleoGroups', 'train.batchSize'],
    `dinov2.koleoGroups ${koleoGroups} does not divide train.batchSize ${train.batchSize} into parts of two images or more: an image alone has no neighbour.`,
    fits(fitting) ? `Set it to ${fitting}.` : 'Raise train.batchSize to 2 or more.',
    fits(fitting) ? [{ kind: 'set', path: 'dinov2.koleoGroups', value: fitting }] : [],
  );
}

/** The published recipe has groups of 64 images for 256 dimensions; with fewer, collapses are reported. */
const leastRankShare = 1 / 4;

function* lossRelations({ method, loss, train, projector }: ResolvedConfig): Iterable<Finding> {
  const { groups } = loss.codingRate;
  const groupSize = train.batchSize / groups;
  const dim = projector.outputDim;
  const isTrainedFor = !isDino(method) && loss.regulariser === 'codingRate';
  if (train.batchSize % groups !== 0) {
    const fitting = nearestDivisor(train.batchSize, groups);
    yield error(
      ['loss.codingRate.groups', 'train.batchSize'],
      `loss.codingRate.groups ${groups} does not divide train.batchSize ${train.batchSize}.`,
      `Set it to a divisor, such as ${fitting}.`,
      [{ kind: 'set', path: 'loss.codingRate.groups', value: fitting }],
    );
  } else if (groupSize < 2) {
    yield error(
      ['loss.codingRate.groups', 'train.batchSize'],
      `Each of the ${groups} groups holds one image: its coding rate is constant and has no gradient.`,
      'Raise train.batchSize or lower loss.codingRate.groups.',
    );
  } else if (isTrainedFor && groupSize < leastRankShare * dim) {
    const images = groups === 1 ? `A batch of ${groupSize}` : `Each of ${groups} groups of ${groupSize}`;
    const enough = Math.ceil(leastRankShare * dim) * groups;
    yield warning(
      ['train.batchSize', 'loss.codingRate.groups', 'projector.outputDim'],
      `${images} images spans at most ${groupSize} of the ${dim} dimensions that the coding rate is to fill; the published recipe spans a quarter.`,
      `Raise train.batchSize to ${enough} or more${groups > 1 ? ', lower loss.codingRate.groups' : ''}, or lower projector.outputDim.`,
      [{ kind: 'set', path: 'train.batchSize', value: enough }],
    );
  }
}

function* scheduleRelations({ optim, teacher, train }: ResolvedConfig): Iterable<Finding> {
  const peak = effectiveLr(optim.lr, train.batchSize, optim.lrScaling);
  if (optim.minLr > peak) {
    const batch =
      optim.lrScaling === 'sqrt1024' ? `sqrt(batch ${train.batchSize} / 1024)` : `batch ${train.batchSize} / 256`;
    yield error(
      ['optim.minLr', 'optim.lr'],
      `optim.minLr ${optim.minLr} is above the peak learning rate ${Number(peak.toPrecision(3))} (optim.lr ${optim.lr} x ${batch}).`,
      'Lower optim.minLr.',
      [{ kind: 'set', path: 'optim.minLr', value: Math.min(1e-6, peak) }],
    );
  }
  if (optim.warmupEpochs >= train.epochs) {
    yield warning(
      ['optim.warmupEpochs', 'train.epochs'],
      `The warm-up of ${optim.warmupEpochs} epochs does not end before the training of ${train.epochs}.`,
      'Set optim.warmupEpochs to about a tenth of train.epochs.',
      [{ kind: 'set', path: 'optim.warmupEpochs', value: Number((train.epochs / 10).toPrecision(3)) }],
    );
  }
  if (teacher.update === 'ema' && teacher.momentumEnd < teacher.momentum) {
    yield warning(
      ['teacher.momentumEnd', 'teacher.momentum'],
      `The teacher's momentum falls from ${teacher.momentum} to ${teacher.momentumEnd}.`,
      'It is meant to rise: a teacher that settles late gives the student a stable target.',
    );
  }
}

function* evaluationRelations({ crops, data, eval: evaluation }: ResolvedConfig): Iterable<Finding> {
  const { k, galleryImages } = evaluation.knn;
  if (galleryImages !== undefined && k > galleryImages) {
    yield error(
      ['eval.knn.k', 'eval.knn.galleryImages'],
      `eval.knn.k ${k} is above the gallery's ${galleryImages} images.`,
      `Set it to ${galleryImages} or less.`,
      [{ kind: 'set', path: 'eval.knn.k', value: galleryImages }],
    );
  }
  if (evaluation.resizePx !== undefined && evaluation.resizePx < crops.global.sizePx) {
    yield error(
      ['eval.resizePx', 'crops.global.sizePx'],
      `eval.resizePx ${evaluation.resizePx} is below the centre crop's ${crops.global.sizePx} px.`,
      `Set it to ${crops.global.sizePx} or more.`,
      [{ kind: 'set', path: 'eval.resizePx', value: crops.global.sizePx }],
    );
  }
  if (evaluation.split === 'test' && data.heldOut > 0) {
    yield warning(
      ['eval.split', 'data.heldOut'],
      'The run queries the test split during training although images are held out for that.',
      'Set eval.split: validation, and evaluate the test split once at the end.',
      [{ kind: 'set', path: 'eval.split', value: 'validation' }],
    );
  }
}

/** Products of 16-bit operands with loss scaling are there on GPUs with matrix units; 16-bit numbers of the longer range nowhere. */
function* precisionRelations({ runtime: { engine, precision } }: ResolvedConfig): Iterable<Finding> {
  if (precision === 'float32' || (precision === 'float16' && (engine === 'auto' || engine === 'dawn'))) return;
  const who = precision === 'bfloat16' ? 'no engine trains' : `the engine \`${engine}\` does not train`;
  const remedies: Suggestion[] = [
    ...(precision === 'bfloat16'
      ? [{ kind: 'set', path: 'runtime.precision', value: 'float16' } as const]
      : [{ kind: 'set', path: 'runtime.engine', value: 'dawn' } as const]),
    { kind: 'set', path: 'runtime.precision', value: 'float32' },
  ];
  yield error(
    ['runtime.precision', 'runtime.engine'],
    `runtime.precision \`${precision}\` is mixed precision, in which ${who}.`,
    precision === 'bfloat16'
      ? 'Set runtime.precision: float16, which has loss scaling and takes a GPU, or float32.'
      : 'Set runtime.engine: dawn, which takes a GPU with matrix units, or runtime.precision: float32.',
    remedies,
  );
}

function isDino(method: Method): boolean {
  return method === 'dino' || method === 'dinov2';
}

/** Keys that are written but have no effect beside the others. */
function* ignoredKeys(
  { data, method, loss, teacher, crops, train, dino, dinov2, masking }: ResolvedConfig,
  chosen: Chosen,
): Iterable<Finding> {
  const ignored = (path: string, reason: string): Finding => ({
    severity: 'warning',
    code: 'ignored',
    paths: [splitPath(path)],
    part: 'key',
    message: `\`${path}\` has no effect: ${reason}.`,
    remedy: 'Remove it, or change the other key.',
    suggestions: [{ kind: 'remove' }],
  });
  if (chosen('data.synthetic') && data.kind !== 'synthetic') {
    yield ignored('data.synthetic', `data.kind is \`${data.kind}\``);
  }
  const readBy = {
    labels: ['labellist'],
    imageColumn: ['parquet'],
    labelColumn: ['parquet', 'webdataset'],
    access: ['webdataset'],
    shuffleImages: ['webdataset'],
  };
  for (const [key, kinds] of Object.entries(readBy)) {
    if (chosen(`data.${key}`) && !kinds.includes(data.kind)) {
      yield ignored(`data.${key}`, `data.kind is \`${data.kind}\``);
    }
  }
  if (chosen('data.shuffleImages') && data.kind === 'webdataset' && data.access === 'indexed') {
    yield ignored('data.shuffleImages', 'data.access is `indexed`, which shuffles the whole training set');
  }
  const isMeasured = isDino(method);
  if (loss.own !== undefined && chosen('loss.regulariser')) {
    yield ignored('loss.regulariser', 'loss.own names an objective of your own');
  }
  if (!isMeasured && loss.regulariser !== 'codingRate') {
    // A resolved configuration writes the preset's gamma; epsilon is still that of the coding rate that is measured.
    const isGammaChosen = loss.gamma !== lossPreset(loss.preset, train.batchSize).gamma;
    for (const path of ['loss.gammaFactor', ...(isGammaChosen ? ['loss.gamma'] : [])]) {
      if (chosen(path))
        yield ignored(path, `loss.regulariser is \`${loss.regulariser}\`, and the coding rate is only measured`);
    }
  }
  if (!isMeasured && loss.regulariser === 'codingRate' && chosen('loss.alternative')) {
    yield ignored('loss.alternative', 'loss.regulariser is `codingRate`');
  }
  if (isMeasured) {
    // A resolved configuration writes the preset's gamma.
    const isGammaChosen = loss.gamma !== lossPreset(loss.preset, train.batchSize).gamma;
    const without = ['loss.gammaFactor', 'loss.alternative', ...(isGammaChosen ? ['loss.gamma'] : [])];
    for (const path of without) {
      if (chosen(path))
        yield ignored(path, `the objective of \`method: ${method}\` has no coding rate; it is only measured`);
    }
  }
  if (dinov2) {
    // A resolved configuration writes the number down.
    if (dinov2.patchHead === 'shared' && dinov2.patchPrototypes !== dino?.prototypes) {
      yield ignored('dinov2.patchPrototypes', 'dinov2.patchHead is `shared`');
    }
    if (dinov2.centering === 'ema' && chosen('dinov2.sinkhornIterations')) {
      yield ignored('dinov2.sinkhornIterations', 'dinov2.centering is `ema`');
    }
    if (dinov2.centering === 'sinkhornKnopp' && chosen('dino.centerMomentum')) {
      yield ignored('dino.centerMomentum', 'dinov2.centering is `sinkhornKnopp`');
    }
  }
  if (!isMeasured && loss.regulariser !== 'codingRate') {
    const ownersOfOptions = { temperature: 'infoNce', lambda: 'barlowTwins' } as const;
    for (const [key, owner] of Object.entries(ownersOfOptions)) {
      const path = `loss.alternative.${key}`;
      if (chosen(path) && loss.regulariser !== owner)
        yield ignored(path, `loss.regulariser is \`${loss.regulariser}\``);
    }
  }
  if (dino && dino.teacherTemperatureWarmupEpochs === 0 && chosen('dino.teacherTemperatureStart')) {
    yield ignored('dino.teacherTemperatureStart', 'dino.teacherTemperatureWarmupEpochs is 0');
  }
  if (masking?.share === 0 && chosen('masking.ratio')) yield ignored('masking.ratio', 'masking.share is 0');
  if (crops.local.count === 0) {
    for (const key of ['sizePx', 'scale', 'blur']) {
      if (chosen(`crops.local.${key}`)) yield ignored(`crops.local.${key}`, 'crops.local.count is 0');
    }
  }
  if (crops.jitter.probability === 0) {
    for (const key of ['brightness', 'contrast', 'saturation', 'hue']) {
      if (chosen(`crops.jitter.${key}`)) yield ignored(`crops.jitter.${key}`, 'crops.jitter.probability is 0');
    }
  }
  if (!isMeasured && loss.gammaFactor !== 1 && typeof loss.gamma === 'number') {
    yield ignored('loss.gammaFactor', 'loss.gamma is a number, not `auto` or `balanced`');
  }
  if (teacher.update === 'student') {
    for (const path of ['teacher.momentum', 'teacher.momentumEnd']) {
      if (chosen(path)) yield ignored(path, 'teacher.update is `student`');
    }
  }
  for (const key of ['blur', 'solarize'] as const) {
    const { length } = crops.global[key];
    if (chosen(`crops.global.${key}`) && length > crops.global.count) {
      yield ignored(
        `crops.global.${key}`,
        `it has ${length} values for ${crops.global.count} global views; the last are`,
      );
    }
  }
}

function error(paths: string[], message: string, remedy: string, suggestions: Suggestion[] = []): Finding {
  return {
    severity: 'error',
    code: 'relation',
    paths: paths.map(splitPath),
    part: 'value',
    message,
    remedy,
    suggestions,
  };
}

function warning(paths: string[], message: string, remedy: string, suggestions: Suggestion[] = []): Finding {
  return { ...error(paths, message, remedy, suggestions), severity: 'warning' };
}

function nearestDivisor(whole: number, wish: number): number {
  let best = 1;
  for (let small = 1; small * small <= whole; small++) {
    if (whole % small !== 0) continue;
    for (const divisor of [small, whole / small]) {
      if (Math.abs(divisor - wish) < Math.abs(best - wish)) best = divisor;
    }
  }
  return best;
}
