/** The sweeps that ship: each is valid, and the desk experiments are what docs/results says of them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasErrors } from '../../../configs/diagnostic.ts';
import { readSweep } from '../../../configs/readSweep.ts';
import { configsFolder, loadFromRepository, yamlFiles } from './presetFiles.ts';

const sweeps = yamlFiles(join(configsFolder, 'sweeps')).map(({ path, text }) => ({
  name: path.slice(path.lastIndexOf('/') + 1, -'.yaml'.length),
  text,
  read: readSweep(text, { path, load: loadFromRepository }),
}));

test.each(sweeps)('$name can be run', ({ text, read }) => {
  expect(hasErrors(read.diagnostics)).toBe(false);
  expect(read.sweep!.runs.length).toBeGreaterThan(0);
  expect(text).toMatch(/^# .+\.$/m);
});

const desk = sweeps.filter(({ name }) => name.startsWith('desk_'));

test('three seeds for SimDINO against DINO and for Table 6, one for the others', () => {
  expect(desk.map(({ name, read }) => [name, read.sweep!.seeds.length, read.sweep!.runs.length])).toEqual([
    ['desk_dino_rates', 1, 15],
    ['desk_dino_vs_simdino', 3, 6],
    ['desk_table5', 1, 4],
    ['desk_table6', 3, 18],
    ['desk_table7', 1, 5],
    ['desk_table9', 1, 4],
  ]);
});

test.each(desk)('$name: every run starts from the quick start and sees the same images', ({ text, read }) => {
  expect(text).toContain('base: quickstart\n');
  for (const { config } of read.sweep!.runs) {
    expect(config.data.maxTrainImages).toBe(8000);
    expect(config.train.epochs).toBe(6);
    expect(config.runtime.threads).toBe(1);
  }
});

test('a cell that two experiments share is the same run', () => {
  const configOf = (name: string, index: number) =>
    desk.find((sweep) => sweep.name === name)!.read.sweep!.runs[index]!.config;
  expect(configOf('desk_table6', 0)).toEqual(configOf('desk_dino_vs_simdino', 3));
});
