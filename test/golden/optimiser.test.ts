import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../configs/resolve.ts';
import { configSchema } from '../../configs/schema.ts';
import { adamw, biasCorrections } from '../../runtime/optim/adamw.ts';
import { clipByNorm, clipFactor, globalNorm, gradientNorms } from '../../runtime/optim/clip.ts';
import { ema } from '../../runtime/optim/ema.ts';
import { parameterRules } from '../../runtime/optim/parameterRules.ts';
import type { Precision } from '../../runtime/engines/engine.ts';
import { updateSettings } from '../../runtime/updateSettings.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions } from './compute.ts';
import { golden } from './reference.ts';

interface AdamCase {
  betas: [number, number];
  eps: number;
  lr_per_step: number[];
  wd_per_step_group0: number[];
  weight0: ReferenceTensor;
  bias0: ReferenceTensor;
  grads: { weight: ReferenceTensor; bias: ReferenceTensor }[];
  f64: {
    after_each_step: { weight: ReferenceTensor; bias: ReferenceTensor }[];
    exp_avg_weight: ReferenceTensor;
    exp_avg_sq_weight: ReferenceTensor;
  };
}
interface MissingGradientCase {
  kind: 'zero_and_missing_gradient';
  lr: number;
  weight_decay: number;
  steps: number;
  w0: ReferenceTensor;
  f64: { zero_grad_param: ReferenceTensor; no_grad_param: ReferenceTensor };
}

const toleranceOf = (precision: Precision) => (precision === 'float64' ? tolerances.double : tolerances.singleLoss);
/** As in v1; for names outside the blocks the depth makes no difference. */
const allAtFullRate = parameterRules({ depth: 1, layerDecay: 1, patchEmbedding: 1 });
const scalar = (value: number): ReferenceTensor => ({ shape: [], data: [value] });

/** One update computed alone, as a run computes it. */
async function adamStep(
  precision: Precision,
  tensors: { parameter: ReferenceTensor; gradient: ReferenceTensor; first: ReferenceTensor; second: ReferenceTensor },
  numbers: { lr: number; weightDecay?: number; update: number; gate?: number },
  options: { beta1: number; beta2: number; epsilon: number },
) {
  const { biasCorrection1, biasCorrection2 } = biasCorrections(numbers.update, options);
  const inputs = {
    ...tensors,
    lr: scalar(numbers.lr),
    weightDecay: scalar(numbers.weightDecay ?? 0),
    biasCorrection1: scalar(biasCorrection1),
    biasCorrection2: scalar(biasCorrection2),
    gate: scalar(numbers.gate ?? 1),
  };
  return compute(precision, inputs, (given) => {
    const { parameter, gradient, first, second, weightDecay, ...scalars } = given as Record<string, tf.Scalar>;
    const result = adamw(
      parameter!,
      gradient!,
      { first: first!, second: second! },
      scalars as unknown as Parameters<typeof adamw>[3],
      { ...options, ...(numbers.weightDecay === undefined ? {} : { weightDecay: weightDecay! }) },
    );
    return { parameter: result.parameter, ...result.moments };
  });
}

golden<{ cases: (AdamCase | MissingGradientCase)[] }>('adamw', ({ cases }) => {
  for (const precision of precisions) {
    for (const c of cases) {
      if ('kind' in c) {
        it(`${c.kind}, ${precision}`, async () => {
          const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
          const zeros = { shape: c.w0.shape, data: c.w0.data.map(() => 0) };
          for (const [gate, expected] of [
            [1, c.f64.zero_grad_param],
            [0, c.f64.no_grad_param],
          ] as const) {
            let parameter = c.w0;
            for (let update = 1; update <= c.steps; update++) {
              const got = await adamStep(
                precision,
                { parameter, gradient: zeros, first: zeros, second: zeros },
                { lr: c.lr, weightDecay: c.weight_decay, update, gate },
                options,
              );
              parameter = { shape: c.w0.shape, data: Array.from(got['parameter']!) };
            }
            expectClose(gate ? 'zero gradient: decays' : 'no gradient: untouched', parameter.data, expected, toleranceOf(precision));
          }
        });
        continue;
      }
      it(`eps ${c.eps}, ${c.grads.length} steps, ${precision}`, async () => {
        const options = { beta1: c.betas[0], beta2: c.betas[1], epsilon: c.eps };
        for (const name of ['weight', 'bias'] as const) {
          const { shape, data } = name === 'weight' ? c.weight0 : c.bias0;
          let parameter: ArrayLike<number> = data;
          let first: ArrayLike<number> = data.map(() => 0);
          let second: ArrayLike<number> = first;
          for (const [step, gradients] of c.grads.entries()) {
            const tensor = (values: ArrayLike<number>) => ({ shape, data: Array.from(values) });
            const got = await adamStep(
              precision,
              { parameter: tensor(parameter), gradient: gradients[name], first: tensor(first), second: tensor(second) },
              {
                lr: c.lr_per_step[step]!,
                update: step + 1,
                ...(allAtFullRate(`head.mlp.0.${name}`).decays ? { weightDecay: c.wd_per_step_group0[step]! } : {}),
              },
              options,
            );
            parameter = got['parameter']!;
            first = got['first']!;
            second = got['second']!;
            expectClose(`${name} after step ${step}`, parameter, c.f64.after_each_step[step]![name], toleranceOf(precision));
          }
          if (name === 'weight') {
            expectClose('first moment', first, c.f64.exp_avg_weight, toleranceOf(precision));
            expectClose('second moment', second, c.f64.exp_avg_sq_weight, toleranceOf(precision));
          }
        }
      });
    }
  }
});

interface EmaReference {
  momenta: number[];
  teacher0: ReferenceTensor[];
  student_each_step: ReferenceTensor[][];
  f64: { teacher_after_each: ReferenceTensor[][] };
}

golden<EmaReference>('ema', (reference) => {
  for (const precision of precisions) {
    it(`${reference.momenta?.length} updates, ${precision}`, async () => {
      let teacher: ReferenceTensor[] = reference.teacher0;
      for (const [step, momentum] of reference.momenta.entries()) {
        const expected = reference.f64.teacher_after_each[step]!;
        const next: ReferenceTensor[] = [];
        for (const [index, before] of teacher.entries()) {
          const inputs = {
            teacher: before,
            student: reference.student_each_step[step]![index]!,
            momentum: scalar(momentum),
          };
          const got = await compute(precision, inputs, ({ teacher, student, momentum }) => ({
            teacher: ema(teacher!, student!, { momentum: momentum as tf.Scalar }),
          }));
          expectClose(`tensor ${index} after step ${step}`, got['teacher']!, expected[index]!, toleranceOf(precision));
          next.push({ shape: before.shape, data: Array.from(got['teacher']!) });
        }
        teacher = next;
      }
    });
  }
});

interface ClipCase {
  max_norm: number;
  grads: ReferenceTensor[];
  f64: {
    per_parameter_norms: ReferenceTensor;
    per_parameter_clipped: ReferenceTensor[];
    global_norm: number;
    global_clipped: ReferenceTensor[];
  };
}

golden<{ cases: ClipCase[] }>('grad_clip', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      it(`to ${c.max_norm}, ${precision}`, async () => {
        const inputs = Object.fromEntries(c.grads.map((gradient, index) => [`g${index}`, gradient]));
        const got = await compute(precision, inputs, (gradients) => {
          const options = { maxNorm: c.max_norm };
          const norms_T = gradientNorms(Object.values(gradients));
          const norms = tf.unstack(norms_T) as tf.Scalar[];
          const all = globalNorm(norms_T);
          const entries = Object.entries(gradients);
          return {
            norms: norms_T,
            global: all,
            ...Object.fromEntries(entries.map(([name, g], index) => [`${name}.own`, clipByNorm(g, norms[index]!, options)])),
            ...Object.fromEntries(entries.map(([name, g]) => [`${name}.global`, tf.mul(g, clipFactor(all, options))])),
          };
        });
        const tolerance = toleranceOf(precision);
        expectClose('norms', got['norms']!, c.f64.per_parameter_norms, tolerance);
        expectClose('global norm', got['global']!, c.f64.global_norm, tolerance);
        for (const index of c.grads.keys()) {
          expectClose(`tensor ${index}`, got[`g${index}.own`]!, c.f64.per_parameter_clipped[index]!, tolerance);
          expectClose(`tensor ${index}, globally`, got[`g${index}.global`]!, c.f64.global_clipped[index]!, tolerance);
        }
      });
    }
  }
});

interface GroupEntry {
  name: string;
  group: 'decay' | 'no_decay' | 'frozen';
}

interface MultiplierEntry {
  name: string;
  lr_multiplier: number;
  wd_multiplier: number;
}
interface GroupReference {
  v1_dino: GroupEntry[];
  v1_simdino: GroupEntry[];
  v2_backbone: { depth: number; layerwise_decay: number; patch_embed_lr_mult: number; params: MultiplierEntry[] };
  v2_head_simdino: { params: MultiplierEntry[] };
  v2_head_dinov2: { params: MultiplierEntry[] };
}

golden<GroupReference>('param_groups', (reference) => {
  for (const [name, method] of [
    ['v1_dino', 'dino'],
    ['v1_simdino', 'simdino'],
  ] as const) {
    it(name, () => {
      const entries = reference[name];
      const config = configSchema.parse({ method, data: { kind: 'synthetic' } });
      const { rules, frozen = new Set() } = updateSettings(resolveConfig(config));
      expect(entries.length).toBeGreaterThan(0);
      for (const { name, group } of entries) {
        const { lrMultiplier, decays } = rules(name);
        expect(lrMultiplier, name).toBe(1);
        expect(frozen.has(name) ? 'frozen' : decays ? 'decay' : 'no_decay', name).toBe(group);
      }
    });
  }

  for (const name of ['v2_backbone', 'v2_head_simdino', 'v2_head_dinov2'] as const) {
    it(name, () => {
      const { depth, layerwise_decay, patch_embed_lr_mult } = reference.v2_backbone;
      const rules = parameterRules({ depth, layerDecay: layerwise_decay, patchEmbedding: patch_embed_lr_mult });
      // The authors cut the blocks into chunks, whose number comes before the block's.
      const ownName = (official: string) =>
        name === 'v2_backbone' ? `backbone.${official.replace(/^blocks\.\d+\.(\d+)\./, 'blocks.$1.')}` : `head.${official}`;
      expect(reference[name].params.length).toBeGreaterThan(0);
      for (const { name: official, lr_multiplier, wd_multiplier } of reference[name].params) {
        const { lrMultiplier, decays } = rules(ownName(official));
        expect(lrMultiplier, official).toBeCloseTo(lr_multiplier, 12);
        expect(decays ? 1 : 0, official).toBe(wd_multiplier);
      }
    });
  }
});
