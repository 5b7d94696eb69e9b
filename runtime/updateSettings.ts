/** What a configuration makes of the update: its networks, objective, optimiser, and what is trained when. */
import type { ResolvedConfig } from '../configs/schema.ts';
import { dinoSection, objectives } from './losses/index.ts';
import { networkConfig } from './models/network.ts';
import { biasCorrections } from './optim/adamw.ts';
import { layerwiseRules } from './optim/parameterGroups.ts';
import { teacherTemperature } from './optim/schedules.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import type { UpdateSettings } from './studentTeacherUpdate.ts';

export function updateSettings(config: ResolvedConfig): UpdateSettings {
  const { model, optim, teacher, train } = config;
  return {
    network: networkConfig(config),
    objective: objectives[config.method](config),
    adam: { beta1: optim.beta1, beta2: optim.beta2, epsilon: optim.epsilon },
    clipGradNorm: optim.clipGradNorm,
    clipBy: optim.clipBy,
    rules: layerwiseRules({
      depth: model.depth,
      layerDecay: optim.layerDecay,
      patchEmbedding: optim.patchEmbeddingRate,
    }),
    teacherUpdate: teacher.update,
    batch: train.batchSize,
    ...(config.method === 'dino' ? dinoPrototypes(config) : {}),
  };
}

/** The prototypes are trained from a later step on, their norms perhaps never. */
function dinoPrototypes(config: ResolvedConfig): Pick<UpdateSettings, 'frozen' | 'delayed'> {
  const [direction, magnitude] = ['head.last_layer.weight_v', 'head.last_layer.weight_g'];
  return dinoSection(config).prototypeNorm === 'fixed'
    ? { frozen: new Set([magnitude]), delayed: new Set([direction]) }
    : { delayed: new Set([direction, magnitude]) };
}

/** The teacher's temperature, and the prototypes' own count of updates. */
export function dinoScalars(
  step: number,
  config: ResolvedConfig,
  { stepsPerEpoch }: ScheduleTotals,
): Record<string, number> {
  const dino = dinoSection(config);
  const delay = Math.round(dino.freezePrototypesEpochs * stepsPerEpoch);
  const { biasCorrection1, biasCorrection2 } = biasCorrections(Math.max(1, step + 1 - delay), config.optim);
  return {
    teacherTemperature: teacherTemperature(Math.floor(step / stepsPerEpoch), {
      warmup: dino.teacherTemperatureStart,
      final: dino.teacherTemperature,
      warmupEpochs: dino.teacherTemperatureWarmupEpochs,
    }),
    delayedGate: step < delay ? 0 : 1,
    delayedBiasCorrection1: biasCorrection1,
    delayedBiasCorrection2: biasCorrection2,
  };
}
