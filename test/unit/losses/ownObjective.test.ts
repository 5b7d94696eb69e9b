/** An objective of one's own, as the README adds one: a file, a line in the registry, a preset. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { resolveConfig } from '../../../configs/resolve.ts';
import { readConfig } from '../../../configs/readConfig.ts';
import { configSchema, type ResolvedConfig } from '../../../configs/schema.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { ownObjectives } from '../../../runtime/losses/index.ts';
import { buildTrainStep } from '../../../runtime/trainStep.ts';
import { repository } from '../../host/repository.ts';
import { loadFromRepository } from '../configs/presetFiles.ts';
import { alignmentObjective } from './alignment.ts';

const [objectiveFile, registryLine, presetFile] = codeBlocks(sectionOf('Add a loss in three files'));
const totals = { stepsPerEpoch: 4, totalSteps: 4, warmupSteps: 0 };

afterEach(() => {
  delete ownObjectives['alignment'];
});

test('the objective in the README is the one that is compiled and run here', () => {
  const here = readFileSync(join(import.meta.dirname, 'alignment.ts'), 'utf8')
    .replaceAll("'../../../runtime/losses/", "'./")
    .replaceAll("'../../../configs/", "'../../configs/");
  expect(objectiveFile).toBe(here);
  expect(registryLine).toContain(
    'export const ownObjectives: Record<string, (config: ResolvedConfig) => Objective> = {\n',
  );
  expect(registryLine).toContain('  alignment: alignmentObjective,\n');
});

test("the README's preset trains by it, and its terms are measured like any other\u2019s", async () => {
  ownObjectives['alignment'] = alignmentObjective;
  const { config, diagnostics } = readConfig(presetFile!, { path: 'my_alignment.yaml', load: loadFromRepository });
  expect(diagnostics).toEqual([]);
  const step = buildTrainStep(config!, totals);
  const engine = createOnnxEngine({ threads: 1 });
  const compiled = await engine.compile(step.program);
  const state = engine.createState(step.program.state, step.initialState());
  const { loss, distance, updated } = await compiled.run(state, { ...noise(config!), ...step.inputsAt(0) });
  expect(updated![0]).toBe(1);
  expect(loss![0]).toBeCloseTo(distance![0]! ** 2, 6);
  await compiled.dispose();
  await state.dispose();
});

test('a name that nobody added is one sentence', () => {
  expect(() => buildTrainStep(configWith({ own: 'alignment' }), totals)).toThrowErrorMatchingInlineSnapshot(
    `[SimdinoError: loss.own is 'alignment', but runtime/losses/index.ts has no objective of your own. Add it to \`ownObjectives\` there and build, or remove loss.own.]`,
  );
  ownObjectives['alignment'] = alignmentObjective;
  expect(() => buildTrainStep(configWith({ own: 'toString' }), totals)).toThrowErrorMatchingInlineSnapshot(
    `[SimdinoError: loss.own is 'toString', but runtime/losses/index.ts has only alignment. Add it to \`ownObjectives\` there and build, or remove loss.own.]`,
  );
});

function configWith(loss: object): ResolvedConfig {
  return resolveConfig(configSchema.parse({ data: { kind: 'synthetic' }, loss }));
}

function noise({ train, crops }: ResolvedConfig): Record<string, Uint8Array> {
  const stack = ({ count, sizePx }: { count: number; sizePx: number }) =>
    Uint8Array.from({ length: count * train.batchSize * sizePx ** 2 * 3 }, (_, at) => (at * 37) % 251);
  return { globalCrops: stack(crops.global), localCrops: stack(crops.local) };
}

function sectionOf(heading: string): string {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`The README has no section '${heading}'.`);
  return section;
}

/** What stands between fences, without the indentation of its list. */
function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^( *)```\w+\n(.*?)^\1```/gms)].map(([, indent, code]) =>
    code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}
