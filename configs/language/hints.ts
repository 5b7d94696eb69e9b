/**
 * Short texts behind values: the numbers that follow from a configuration, visible while it is written. The editor cuts a
 * line's hints at 43 characters unless told (`editor.inlayHints.maximumLength`); details go into tooltips.
 */
import { hasErrors } from '../diagnostic.ts';
import { codingRateShape, derive, knownTrainImages, type Derived } from '../derive.ts';
import { splitPath } from '../finding.ts';
import type { ResolvedConfig } from '../schema.ts';
import { estimateFrom, type MeasuredRun } from '../stepCost.ts';
import { locate, rangeOf } from '../yamlDocument.ts';
import type { Analysis } from './analyse.ts';
import { amount, duration, memory, short } from './numbers.ts';

export interface Hint {
  /** Where the text is shown: behind a value, or behind a section's colon. */
  offset: number;
  /** Key that it belongs to. */
  path: string;
  text: string;
  /** How the number comes about. */
  tooltip: string;
}

export interface HintOptions {
  /** Images of the training set, where somebody knows them better than the configuration does. */
  trainImages?: number | undefined;
  /** The last run on this machine, for the time and the memory that this configuration would take here. */
  measured?: MeasuredRun | undefined;
}

export function hints(analysis: Analysis, options: HintOptions = {}): Hint[] {
  const found =
    analysis.kind === 'sweep' ? sweepHints(analysis.read.sweep) : configHints(analysis.read.tentative, options);
  const placed: Hint[] = [];
  const inherited: Unplaced[] = [];
  for (const hint of found) {
    const { text, tooltip } = hint;
    const places = hint.path.split(' ');
    const [first] = places.flatMap((path) => {
      const offset = placeOfHint(analysis, path);
      return offset === undefined ? [] : [{ offset, path, text, tooltip }];
    });
    if (first) placed.push(first);
    else if (!places.some((path) => locate(analysis.yaml, splitPath(path)))) inherited.push(hint);
  }
  return [...placed, ...inheritedHint(analysis, inherited, placed)].sort((a, b) => a.offset - b.offset);
}

interface Unplaced extends Omit<Hint, 'offset'> {
  /** May be several keys, parted by blanks: the first that the text has takes the hint. */
  path: string;
  /** The number with its name, for where its key is not written. */
  brief?: string;
}

/** What the editor shows of a line's hints. */
const mostCharacters = 43;

/** Behind `extends`: numbers of keys that the text leaves to what it extends, which other keys change all the same. */
function inheritedHint(analysis: Analysis, left: readonly Unplaced[], placed: readonly Hint[]): Hint[] {
  const offset = analysis.kind === 'config' ? placeOfHint(analysis, 'extends') : undefined;
  if (offset === undefined) return [];
  let room = mostCharacters;
  for (const hint of placed) if (hint.path === 'extends') room -= hint.text.length + 1;
  const shown: string[] = [];
  for (const { brief } of left) {
    if (brief !== undefined && [...shown, brief].join(', ').length <= room) shown.push(brief);
  }
  if (shown.length === 0) return [];
  // Two hints say gamma's number once more.
  const told = left.filter(({ path }) => path !== 'loss.gammaFactor' && path !== 'loss.preset');
  const tooltip = told.map(({ path, text, brief }) => `${path}: ${brief ?? text}`).join('; ');
  return [
    { offset, path: 'extends', text: shown.join(', '), tooltip: `Of keys that are not written here: ${tooltip}.` },
  ];
}

function* configHints(config: ResolvedConfig | undefined, options: HintOptions): Iterable<Unplaced> {
  if (!config) return;
  const known = options.trainImages ?? knownTrainImages(config);
  const derived = derive(config, { trainImages: known ?? 0 });
  yield* lossHints(config, derived);
  yield* sizeHints(config, derived);
  yield* scheduleHints(config, derived, known);
  if (options.measured) yield* costHints(config, derived, options.measured);
}

function* lossHints(config: ResolvedConfig, derived: Derived): Iterable<Unplaced> {
  if (!config.dino) yield* gammaHints(config, derived);
  yield* codingRateHints(config, derived);
}

function* gammaHints({ method, loss, train, projector, crops }: ResolvedConfig, derived: Derived): Iterable<Unplaced> {
  const { gamma } = derived;
  const views = crops.global.count + crops.local.count;
  const factor = loss.gammaFactor === 1 ? '' : `${loss.gammaFactor} x `;
  const formula =
    loss.gamma === 'auto'
      ? `${factor}(1/d + 1/B), d ${projector.outputDim}, B ${train.batchSize}: the authors' code`
      : method === 'simdinov2'
        ? `${factor}eps (1/sqrt M + sqrt((1 - alpha)/N)) sqrt(B / (d min(d, B/groups))), M ${views} views: eq. (55), Theorem C.2`
        : `${factor}2 eps sqrt(B / (d M min(d, B/groups))), M ${views} views: eq. (54), Theorem C.1`;
  if (typeof loss.gamma === 'string') {
    const brief = `\u03b3 ${short(gamma)}`;
    yield { path: 'loss.gamma', text: `= ${short(gamma)}`, tooltip: `gamma = ${formula}`, brief };
    yield { path: 'loss.gammaFactor', text: `gamma = ${short(gamma)}`, tooltip: `gamma = ${formula}` };
  }
  const { on, normalise, groups } = loss.codingRate;
  yield {
    path: 'loss.preset',
    text: `\u03b3 ${short(gamma)}, ${loss.pairs} pairs, ${groups} ${groups === 1 ? 'group' : 'groups'}`,
    tooltip: `In force: pairs ${loss.pairs}; coding rate of ${on === 'student' ? 'the student' : 'the mean of student and teacher'}, ${groups} groups, each divided by ${normalise === 'group' ? 'its own size' : 'the whole batch'}.`,
  };
}

function* codingRateHints({ dino, loss, train, projector }: ResolvedConfig, derived: Derived): Iterable<Unplaced> {
  const { gamma, codingRateMax, codingRateCollapsed } = derived;
  const { groups } = loss.codingRate;
  const inForce = codingRateShape({ loss, train, projector }).epsilon;
  const differs = Math.abs(inForce / loss.eps - 1) > 1e-9;
  yield {
    path: 'loss.eps',
    text: `\u03b5\u00b2 = ${short(loss.eps ** 2)}${differs ? `, in force \u03b5 = ${short(inForce)}` : ''}`,
    tooltip: `\u03b5 = ${short(loss.eps)}; the authors' code calls \u03b5\u00b2 = ${short(loss.eps ** 2)} \`eps\`.${
      differs ? ` Dividing each of ${groups} groups by the whole batch makes it \u03b5 x sqrt(${groups}).` : ''
    }`,
  };
  const rewarded = dino === undefined;
  yield {
    path: 'loss',
    text: `R ${short(codingRateCollapsed, 3)} (collapse) to ${short(codingRateMax, 3)}${rewarded ? `, \u03b3R \u2264 ${short(gamma * codingRateMax, 3)}` : ' nats'}`,
    tooltip: `Coding rate in nats of features that are all one direction, and of features spread evenly, for B ${train.batchSize}, d ${projector.outputDim}, eps ${short(loss.eps)}, ${groups} ${groups === 1 ? 'group' : 'groups'}. ${
      rewarded
        ? `Their difference times gamma, ${short(gamma * (codingRateMax - codingRateCollapsed))}, is what keeps the features from collapsing.`
        : 'It is measured, not trained for.'
    }`,
  };
  yield {
    path: 'loss.codingRate.groups',
    text: `${derived.groupSize} images each`,
    tooltip: `The coding rate of a group has rank at most min(d, ${derived.groupSize}).`,
  };
}

function* sizeHints({ crops, model }: ResolvedConfig, derived: Derived): Iterable<Unplaced> {
  const { tokensGlobal, tokensLocal, tokensPerImage } = derived;
  const grid = (sizePx: number): string => {
    const side = Math.floor(sizePx / model.patchSizePx);
    return `${side} x ${side} patches of ${model.patchSizePx} px and the class token`;
  };
  yield { path: 'crops.global.sizePx', text: `${tokensGlobal} tokens`, tooltip: grid(crops.global.sizePx) };
  yield { path: 'crops.local.sizePx', text: `${tokensLocal} tokens`, tooltip: grid(crops.local.sizePx) };
  yield {
    path: 'crops',
    text: `${tokensPerImage} tokens per image`,
    tooltip: `The student sees ${crops.global.count} x ${tokensGlobal} + ${crops.local.count} x ${tokensLocal} tokens of an image, the teacher ${crops.global.count} x ${tokensGlobal}.`,
  };
  yield {
    path: 'model.architecture',
    text: `${amount(derived.parametersBackbone)} parameters`,
    tooltip: `Width ${model.width}, ${model.depth} blocks, ${model.heads} heads; ${derived.parametersBackbone.toLocaleString('en')} parameters without the projector.`,
  };
  yield {
    path: 'projector',
    text: `${amount(derived.parametersProjector)} parameters`,
    tooltip: `${derived.parametersProjector.toLocaleString('en')} parameters, not used after training.`,
  };
}

function* scheduleHints(config: ResolvedConfig, derived: Derived, trainImages: number | undefined): Iterable<Unplaced> {
  const { optim, train, teacher } = config;
  yield {
    path: 'optim.lr',
    text: `peak ${short(derived.effectiveLr)}`,
    brief: `peak lr ${short(derived.effectiveLr)}`,
    tooltip: `${optim.lr} x ${
      optim.lrScaling === 'sqrt1024' ? `sqrt(${train.batchSize} / 1024)` : `${train.batchSize} / 256`
    }, reached after the warm-up.`,
  };
  const { stepsPerEpoch, totalSteps, momentumHalfLifeSteps: halfLife } = derived;
  const inEpochs = stepsPerEpoch > 0 ? ` = ${short(halfLife / stepsPerEpoch)} epochs` : '';
  if (teacher.update === 'ema' && Number.isFinite(halfLife) && halfLife > 0) {
    const inSteps = `half-life ${halfLife < 10 ? Number(halfLife.toPrecision(2)) : Math.round(halfLife).toLocaleString('en')} steps`;
    yield {
      path: 'teacher.momentum',
      text: inSteps,
      brief: inSteps,
      tooltip: `A student's share in the teacher halves every ${short(halfLife)} steps${inEpochs} at first; the cosine to ${teacher.momentumEnd} makes it longer.`,
    };
  }
  if (trainImages === undefined || totalSteps === 0) return;
  const count = (value: number): string => value.toLocaleString('en');
  yield {
    path: 'train.epochs',
    text: `= ${count(totalSteps)} steps, ${amount(derived.imagesPerRun)} images`,
    brief: `${count(totalSteps)} steps`,
    tooltip: `${stepsPerEpoch} steps an epoch of ${count(trainImages)} training images; ${count(derived.imagesPerRun)} images in all.`,
  };
  yield {
    path: 'train.batchSize',
    text: `${count(stepsPerEpoch)} steps per epoch`,
    tooltip: `${count(trainImages)} training images; the last ${trainImages - stepsPerEpoch * train.batchSize} of an epoch are dropped.`,
  };
  yield {
    path: 'optim.warmupEpochs',
    text: `= ${count(derived.warmupSteps)} steps`,
    tooltip: `${short((100 * derived.warmupSteps) / totalSteps)} % of the run.`,
  };
}

/** Behind the first of these that the text has. */
const costPlaces = ['train', 'runtime', 'extends', 'method', 'data'];

function* costHints(config: ResolvedConfig, derived: Derived, measured: MeasuredRun): Iterable<Unplaced> {
  const { msPerStep, memoryBytes, isSame, isTelling } = estimateFrom(measured, config);
  if (!isTelling) return;
  const { stepsPerEpoch, totalSteps } = derived;
  const epoch =
    stepsPerEpoch > 0 ? `${duration(msPerStep * stepsPerEpoch)} per epoch` : `${duration(msPerStep)} per step`;
  const parts = [epoch, ...(memoryBytes === undefined ? [] : [memory(memoryBytes)])];
  const whole = totalSteps > 0 ? ` The run: ${duration(msPerStep * totalSteps)}.` : '';
  const basis = isSame
    ? `As ${measured.name} took on this machine`
    : `From ${measured.name}, the last run on this machine, in proportion to the work of a step`;
  yield {
    path: costPlaces.join(' '),
    text: `~ ${parts.join(', ')}`,
    tooltip: `${basis}: ${duration(msPerStep)} a step, evaluations included.${whole}${
      memoryBytes === undefined ? '' : ' Memory is that of trainer and executor together.'
    }`,
  };
}

function* sweepHints(sweep: Extract<Analysis, { kind: 'sweep' }>['read']['sweep']): Iterable<Unplaced> {
  if (!sweep) return;
  const runs = sweep.runs.length;
  const cells = runs / sweep.seeds.length;
  const text = `${cells} cells x ${sweep.seeds.length} ${sweep.seeds.length === 1 ? 'seed' : 'seeds'} = ${runs} runs`;
  const tooltip = sweep.axes.map(({ key, values }) => `${key}: ${values.length} values`).join('; ');
  yield { path: 'axes', text, tooltip };
  yield { path: 'cells', text, tooltip };
}

/** Behind the value, or behind the colon of a section; nothing where the value is faulty or written elsewhere. */
function placeOfHint(analysis: Analysis, path: string): number | undefined {
  const found = locate(analysis.yaml, splitPath(path));
  if (!found?.pair || found.throughAlias) return undefined;
  const section = analysis.catalogue.get(path)?.type === 'section' || path === 'cells';
  const key = rangeOf(found.pair.key);
  if (!key) return undefined;
  if (section) {
    const colon = analysis.text.indexOf(':', key[1]);
    return colon === -1 ? undefined : colon + 1;
  }
  const value = found.value && rangeOf(found.value);
  if (!value || value[1] <= value[0]) return undefined;
  const faulty = analysis.diagnostics.filter(({ start, end }) => start >= key[0] && end <= value[1]);
  return hasErrors(faulty) ? undefined : value[1];
}
