/** What hovers and completions call the paper's value is what Table 4 has in the column of the method. */
import { expect, test } from 'vitest';
import { fieldCatalogue, paperValue } from '../../../configs/fieldCatalogue.ts';
import type { Method } from '../../../configs/schema.ts';
import tables from '../../../experiments/paperTables.json' with { type: 'json' };

const columns: readonly Method[] = ['simdinov2', 'dinov2', 'simdino', 'dino'];
const keys: Record<string, string> = {
  patch_size: 'model.patchSizePx',
  register_tokens: 'model.registers',
  init_layer_scale: 'model.layerScale',
  drop_path_rate: 'model.dropPathRate',
  output_prototypes_K: 'dino.prototypes',
  init_ema_momentum: 'teacher.momentum',
  centering_temperature: 'dino.teacherTemperature',
  warmup_temperature: 'dino.teacherTemperatureStart',
  warmup_temperature_epochs: 'dino.teacherTemperatureWarmupEpochs',
  ibot_sample_prob: 'masking.share',
  ibot_mask_ratio: 'masking.ratio',
  koleo_loss_weight: 'dinov2.koleoWeight',
  global_crops_scale: 'crops.global.scale',
  local_crops_scale: 'crops.local.scale',
  local_crops_number: 'crops.local.count',
  global_crops_size: 'crops.global.sizePx',
  local_crops_size: 'crops.local.sizePx',
  batch_size: 'train.batchSize',
  epochs: 'train.epochs',
  warmup_epochs: 'optim.warmupEpochs',
  freeze_last_layer_epochs: 'dino.freezePrototypesEpochs',
  learning_rate: 'optim.lr',
  layerwise_lr_decay: 'optim.layerDecay',
  weight_decay: 'optim.weightDecay',
  weight_decay_end: 'optim.weightDecayEnd',
  gradient_clip: 'optim.clipGradNorm',
};

/** `128x8` is a product; `[0.05, 0.4]` and `0.002 (for ...)` begin with their numbers. */
const numbersOf = (cell: unknown): number[] =>
  typeof cell === 'string'
    ? [cell.split('x').reduce((product, factor) => product * Number(factor), 1)]
    : ([cell].flat() as number[]);

test.each(Object.entries(keys))('Table 4: %s is `%s`', (name, key) => {
  const found = tables.table4_hyperparameters.rows.find(([row]) => row === name);
  const row = fieldCatalogue().get(key);
  const cells = (found ?? []).slice(1);
  expect(cells).toHaveLength(columns.length);
  columns.forEach((method, column) => {
    const cell = cells[column];
    if (cell === null || cell === 'removed') return;
    const value = paperValue(row!, method) ?? '';
    const shown = (value.startsWith('[') ? value : (value.split(' ')[0] ?? '')).match(/\d[\d.]*(?:e-?\d+)?/g) ?? [];
    expect(shown.map(Number), method).toEqual(numbersOf(cell));
  });
});
