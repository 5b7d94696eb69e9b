/** What a configuration makes of the update: its networks, objective, optimiser, and what is trained when. */
import type { ResolvedConfig } from '../configs/schema.ts';
import { dinoSection, objectiveOf } from './losses/index.ts';
import { networkConfig } from './models/network.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import { biasCorrections } from './optim/adamw.ts';
import { parameterRules } from './optim/parameterRules.ts';
import { cosineScheduleV2, teacherTemperature } from './optim/schedules.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import type { UpdateSettings } from './studentTeacherUpdate.ts';

/** @param share the part of the batch that this process takes, where several take a step together */
export function updateSettings(config: ResolvedConfig, share?: OwnShare): UpdateSettings {
  const { model, optim, teacher, train, runtime } = config;
  const isMixed = runtime.precision !== 'float32';
  return {
    network: { ...networkConfig(config), mixedPrecision: isMixed },
    lossScaling: isMixed,
    objective: objectiveOf(config),
    adam: { beta1: optim.beta1, beta2: optim.beta2, epsilon: optim.epsilon },
    clipGradNorm: optim.clipGradNorm,
    clipBy: optim.clipBy,
    rules: parameterRules({
      depth: model.depth,
      layerDecay: optim.layerDecay,
      patchEmbedding: optim.patchEmbeddingRate,
    }),
    teacherUpdate: teacher.update,
    batch: train.batchSize / (share?.ranks ?? 1),
    ...(share ? { share } : {}),
    ...(config.dino ? prototypeTraining(config) : {}),
  };
}

/** The prototypes are trained from a later step on, their norms perhaps never. */
function prototypeTraining(config: ResolvedConfig): Pick<UpdateSettings, 'frozen' | 'delayed'> {
  const heads = config.dinov2?.patchHead === 'separate' ? ['head', 'ibot_head'] : ['head'];
  const ofHeads = (name: string) => heads.map((head) => `${head}.last_layer.${name}`);
  const [directions, magnitudes] = [ofHeads('weight_v'), ofHeads('weight_g')];
  const until = config.method === 'dinov2' ? 'zeroRate' : 'skipped';
  return dinoSection(config).prototypeNorm === 'fixed'
    ? { frozen: new Set(magnitudes), delayed: { names: new Set(directions), until } }
    : { delayed: { names: new Set([...directions, ...magnitudes]), until } };
}

/** The teacher's temperature, and whether the prototypes are trained; DINO's have their own count of updates. */
export function dinoScalars(
  step: number,
  config: ResolvedConfig,
  { stepsPerEpoch }: ScheduleTotals,
): Record<string, number> {
  const dino = dinoSection(config);
  const delay = Math.round(dino.freezePrototypesEpochs * stepsPerEpoch);
  const { biasCorrection1, biasCorrection2 } = biasCorrections(Math.max(1, step + 1 - delay), config.optim);
  const own = { delayedBiasCorrection1: biasCorrection1, delayedBiasCorrection2: biasCorrection2 };
  return {
    teacherTemperature: temperatureAt(step, config, stepsPerEpoch),
    delayedGate: step < delay ? 0 : 1,
    ...(config.method === 'dino' ? own : {}),
  };
}

/** DINO warms its teacher up epoch by epoch, DINOv2 step by step. */
function temperatureAt(step: number, config: ResolvedConfig, stepsPerEpoch: number): number {
  const {
    teacherTemperature: final,
    teacherTemperatureStart: warmup,
    teacherTemperatureWarmupEpochs: warmupEpochs,
  } = dinoSection(config);
  if (config.method === 'dino') {
    return teacherTemperature(Math.floor(step / stepsPerEpoch), { warmup, final, warmupEpochs });
  }
  const warmupSteps = warmupEpochs * stepsPerEpoch;
  return cosineScheduleV2(step, {
    base: final,
    final,
    totalSteps: warmupSteps,
    warmupSteps,
    warmupStart: warmup,
    warmupReachesBase: config.optim.schedule === 'v2' ? 'no' : 'yes',
  });
}
