/** A preset for every row of the paper's tables and figures that can be trained here. */
import { describe, expect, test } from 'vitest';
import { documentKind } from '../../../configs/documentKind.ts';
import { isPreset } from '../../../configs/presets.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import type { ResolvedConfig } from '../../../configs/schema.ts';
import tables from '../../../experiments/paperTables.json' with { type: 'json' };
import { loadFromRepository, paperFiles } from './presetFiles.ts';

const files = paperFiles();
const configs = new Map(files.map(({ name, path, text }) => [name, resolved(path, text)]));

function resolved(path: string, text: string): ResolvedConfig {
  const { config, diagnostics } = readConfig(text, { path, load: loadFromRepository });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return config!;
}

function preset(name: string): { config: ResolvedConfig; header: string } {
  const file = files.find((file) => file.name === `paper/${name}`);
  if (!file) throw new Error(`there is no preset paper/${name}`);
  const header = file.text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => line.slice(2))
    .join(' ');
  return { config: configs.get(`paper/${name}`)!, header };
}

describe.each(files)('$name', ({ name, path, text }) => {
  test('can be extended by its name, and is recognised as a configuration', () => {
    expect(isPreset(name)).toBe(true);
    expect(documentKind('somewhere.yaml', `extends: ${name}\n`)).toBe('config');
    const extending = readConfig(`extends: ${name}\n`, { path: 'my.yaml', load: loadFromRepository });
    expect(extending.config).toEqual(configs.get(name));
    expect(documentKind(path, text)).toBe('config');
  });

  test('opens with command, hardware, the paper\u2019s result and which variant it is', () => {
    const [title, , command, hardware, result] = text.split('\n');
    expect(title).toMatch(/^# (Table|Figure) \d, .+\.$/);
    expect(command).toContain(`npx simdino train ${name} --set data.path=`);
    expect(hardware).toMatch(/^# {3}hardware {2}\S/);
    expect(result).toMatch(/^# {3}result {4}.*\(paper|not reported/);
    expect(text).toMatch(/^# Variant: /m);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
  });

  test('says only what differs from what it extends', () => {
    const written = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(written[0]).toMatch(/^extends: \S+$/);
    expect(written.length).toBeLessThanOrEqual(6);
  });
});

describe('every row has its preset, whose header has the row\u2019s figures', () => {
  const share = (value: unknown): string => (value as number).toFixed(1);
  const rowOf = (name: string, knn: unknown, linear?: unknown) => {
    const { header } = preset(name);
    if (knn === null) expect(header).toMatch(/collapsed|diverged/);
    else expect(header).toContain(`${share(knn)} %`);
    if (typeof linear === 'number') expect(header).toContain(share(linear));
  };

  test('Table 1', () => {
    for (const [method, model, , knn, linear] of tables.table1_imagenet1k.rows) {
      // SwAV and MoCo v3 are quoted from their papers.
      if (!String(method).includes('DINO')) continue;
      rowOf(`table1/${String(method).toLowerCase()}_${String(model).toLowerCase().replace('-', '')}16`, knn, linear);
    }
  });

  test('Table 1 is trained with the values of the authors\u2019 code, where it differs from Table 4 too', () => {
    const own = { train: { epochs: 100 }, model: { patchSizePx: 16 }, projector: { layers: 3, outputDim: 256 } };
    const optim = { minLr: 1e-6, warmupEpochs: 10, weightDecay: 0.04, weightDecayEnd: 0.4 };
    const crops = { global: { sizePx: 224, scale: [0.4, 1] }, local: { sizePx: 96, count: 10, scale: [0.05, 0.4] } };
    /** `--eps 0.05` is epsilon squared; `expa_type 1`, `reduce_cov 0`, one group per GPU. */
    const codingRate = { on: 'studentTeacherMean', normalise: 'batch', groups: 8 };
    const loss = { gamma: 'auto', pairs: 'crossView', codingRate };
    const families: Record<string, object> = {
      // main_dino's defaults, the published command's `--local_crops_number 10 --eps 0.05`, and the published log's peak.
      simdino: {
        ...own,
        crops: { ...crops, recipe: 'v1' },
        loss,
        model: { ...own.model, dropPathRate: 0.1, registers: 0 },
        optim: { ...optim, lr: 0.0005, lrScaling: 'linear256', schedule: 'v1', clipGradNorm: 3, clipBy: 'tensor' },
        teacher: { momentum: 0.996, momentumEnd: 1 },
        train: { ...own.train, batchSize: 512 },
      },
      // simdino_config.yaml over ssl_default_config.yaml.
      simdinov2: {
        ...own,
        crops: { ...crops, recipe: 'v2' },
        loss,
        masking: { share: 0.5, ratio: [0.1, 0.5] },
        model: {
          ...own.model,
          ...{
            dropPathRate: 0.2,
            dropPath: 'batchSubset',
            registers: 4,
            layerScale: 0.1,
            positionResize: 'antialiased',
          },
        },
        optim: {
          ...optim,
          ...{ lr: 0.004, lrScaling: 'sqrt1024', schedule: 'v2', layerDecay: 0.9, patchEmbeddingRate: 0.2 },
          ...{ clipGradNorm: 3, clipBy: 'module' },
        },
        teacher: { momentum: 0.9, momentumEnd: 1 },
        train: { ...own.train, batchSize: 1024 },
      },
    };
    for (const [method, expected] of Object.entries(families))
      for (const size of ['vitb16', 'vitl16']) {
        const { config } = preset(`table1/${method}_${size}`);
        expect(config, `${method}_${size}`).toMatchObject(expected);
        expect(config.loss.eps ** 2).toBeCloseTo(0.05, 12);
        expect(config.model.architecture).toBe(size === 'vitb16' ? 'vit_base' : 'vit_large');
      }
    // DINO's and DINOv2's own code with Table 4's values: prototypes, KoLeo and what DINOv2's code does besides.
    expect(preset('table1/dino_vitb16').config).toMatchObject({
      dino: { prototypes: 65536, prototypeNorm: 'fixed', studentTemperature: 0.1 },
      optim: { lr: 0.0005, clipGradNorm: 0.3, schedule: 'v1' },
    });
    expect(preset('table1/dinov2_vitb16').config).toMatchObject({
      crops: { global: { blur: [0, 0.9] } },
      dinov2: { centering: 'ema', koleoWeight: 0.1, koleoGroups: 8, patchHead: 'shared' },
      model: { dropPathRate: 0.3, layerScale: 1e-5 },
      optim: { schedule: 'v1', clipGradNorm: 3 },
      teacher: { momentum: 0.992 },
    });
  });

  test('Table 4', () => {
    const [simdinov2, dinov2, simdino, dino] = ['simdinov2', 'dinov2', 'simdino', 'dino'].map(
      (method) => preset(`table4/${method}`).config,
    ) as [ResolvedConfig, ResolvedConfig, ResolvedConfig, ResolvedConfig];
    const four = [simdinov2, dinov2, simdino, dino];
    const values: Record<string, (config: ResolvedConfig) => unknown> = {
      patch_size: ({ model }) => model.patchSizePx,
      register_tokens: ({ model }) => model.registers,
      pos_embed_antialias: ({ model }) => model.positionResize === 'antialiased',
      init_layer_scale: ({ model }) => model.layerScale ?? null,
      drop_path_rate: ({ model }) => model.dropPathRate,
      output_prototypes_K: ({ dino }) => dino?.prototypes ?? 'removed',
      init_ema_momentum: ({ teacher }) => teacher.momentum,
      centering_temperature: ({ dino }) => dino?.teacherTemperature ?? 'removed',
      warmup_temperature: ({ dino }) => dino?.teacherTemperatureStart ?? 'removed',
      warmup_temperature_epochs: ({ dino }) => dino?.teacherTemperatureWarmupEpochs ?? 'removed',
      ibot_sample_prob: ({ masking }) => masking?.share ?? null,
      ibot_mask_ratio: ({ masking }) => masking?.ratio ?? null,
      koleo_loss_weight: ({ method, dinov2 }) => dinov2?.koleoWeight ?? (method === 'simdinov2' ? 'removed' : null),
      global_crops_scale: ({ crops }) => crops.global.scale,
      local_crops_scale: ({ crops }) => crops.local.scale,
      local_crops_number: ({ crops }) => crops.local.count,
      global_crops_size: ({ crops }) => crops.global.sizePx,
      local_crops_size: ({ crops }) => crops.local.sizePx,
      batch_size: ({ train }) => `${train.batchSize / 8}x8`,
      epochs: ({ train }) => train.epochs,
      warmup_epochs: ({ optim }) => optim.warmupEpochs,
      freeze_last_layer_epochs: ({ dino }) => dino?.freezePrototypesEpochs ?? 'removed',
      learning_rate: ({ optim, train }) =>
        optim.lrScaling === 'sqrt1024'
          ? optim.lr * Math.sqrt(train.batchSize / 1024)
          : (optim.lr * train.batchSize) / 256,
      layerwise_lr_decay: ({ optim }) => (optim.layerDecay === 1 ? null : optim.layerDecay),
      weight_decay: ({ optim }) => optim.weightDecay,
      weight_decay_end: ({ optim }) => optim.weightDecayEnd,
      gradient_clip: ({ optim }) => optim.clipGradNorm,
    };
    for (const [row, ...expected] of tables.table4_hyperparameters.rows) {
      const value = values[String(row)];
      if (value) expect(four.map(value), String(row)).toEqual(expected);
    }
    expect(dinov2.dinov2?.patchHead).toBe('shared');
    expect(dinov2.dinov2?.centering).toBe('sinkhornKnopp');
    expect(tables.table4_hyperparameters.rows.filter(([row]) => !values[String(row)]).map(([row]) => row)).toEqual([
      'weight_normalize_last_layer',
      'ibot_head_untying',
    ]);
  });

  test('Table 5', () => {
    const names = ['contrastive', 'uniform', 'barlow_twins', 'coding_rate'];
    const regularisers = ['infoNce', 'uniformity', 'barlowTwins', 'codingRate'];
    for (const [index, [, knn, linear]] of tables.table5_loss_ablation_simdinov2_vitl_100ep.rows.entries()) {
      const name = `table5/${names[index]}`;
      rowOf(name, knn, linear);
      const { method, loss, model } = preset(name).config;
      expect([method, model.architecture, loss.regulariser]).toEqual(['simdinov2', 'vit_large', regularisers[index]]);
    }
  });

  test('Table 6: each row changes one thing', () => {
    const official = preset('table6/official').config;
    expect(preset('table6/official').header).toContain('76.1 %');
    const changes = {
      momentum_09: { ...official, teacher: { ...official.teacher, momentum: 0.9 } },
      no_normalisation: { ...official, dino: { ...official.dino, prototypeNorm: 'trained' } },
      temperature_007: {
        ...official,
        dino: { ...official.dino, teacherTemperatureStart: 0.07, teacherTemperatureWarmupEpochs: 0 },
      },
    };
    for (const [name, expected] of Object.entries(changes)) {
      expect(preset(`table6/${name}`).config).toEqual(expected);
      expect(preset(`table6/${name}`).header).toContain('NaN');
    }
  });

  test('Table 7', () => {
    for (const [batch, knn] of Object.entries(tables.table7_batch_size_simdino_vits_100ep_knn)) {
      rowOf(`table7/batch_${batch}`, knn);
      const { train, model, loss } = preset(`table7/batch_${batch}`).config;
      expect([train.batchSize, model.architecture, loss.codingRate.groups]).toEqual([Number(batch), 'vit_small', 8]);
    }
  });

  test('Table 8', () => {
    for (const [method, epochs, knn, linear] of tables.table8_epochs_vitb.rows) {
      const name = `table8/${String(method).toLowerCase().replace('*', '')}_${epochs}`;
      rowOf(name, knn, linear);
      expect(preset(name).config.train.epochs).toBe(epochs);
    }
  });

  test('Table 9', () => {
    for (const [method, , distilled, , knn, linear] of tables.table9_no_self_distillation.rows) {
      const name = `table9/${String(method).toLowerCase()}${distilled ? '' : '_no_distillation'}`;
      rowOf(name, knn, linear);
      expect(preset(name).config.teacher.update).toBe(distilled ? 'ema' : 'student');
    }
  });

  test('Figures 2 and 4', () => {
    for (const method of ['simdino', 'dino']) {
      expect(preset(`figure2/${method}`).config).toMatchObject({ method, model: { architecture: 'vit_base' } });
      expect(preset(`figure4/${method}`).config).toMatchObject({ method, data: { path: 'coco/train2017' } });
    }
  });
});
