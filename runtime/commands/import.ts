import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { openForeignFile } from '../checkpoint/foreign/foreignFile.ts';
import { namings, recogniseVit, type ForeignVit } from '../checkpoint/foreign/foreignVit.ts';
import { importedKeys, importIntoRun } from '../checkpoint/importRun.ts';
import { parseOverrides, readConfigFile, type ConfigFile } from '../configFile.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino import FILE (--config CONFIG | --data FOLDER) [options]

FILE is a .pth or .safetensors of DINO, DINOv2, SimDINO, SimDINOv2 or timm. Nothing in it is executed.

  --config CONFIG    a configuration or preset: data, crops and recipe; the file decides \`model\`
  --data FOLDER      a folder of images instead, with the paper's recipe
  --network NAME     which network of the file (default: teacher, else what there is)
  --heads N          attention heads, where 64 channels a head is wrong
  --names NAMES      ${namings.join(', ')}: whose network it is, where its names don't tell
  --runs-dir DIR, --run-id ID, --set KEY=VALUE, --json
`;

/** `simdino import`: somebody else's checkpoint into a run. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      network: { type: 'string' },
      heads: { type: 'string' },
      names: { type: 'string' },
      'runs-dir': { type: 'string', default: 'runs' },
      'run-id': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [path] = positionals;
  if (values.help || path === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if ((values.config === undefined) === (values.data === undefined))
    throw errors.usage('`simdino import` needs --config with a configuration, or --data with a folder of images.');
  const naming = namings.find((name) => name === values.names);
  if (values.names !== undefined && naming === undefined)
    throw errors.usage(`--names takes ${namings.join(', ')}, got '${values.names}'.`);
  const heads = values.heads === undefined ? undefined : Number(values.heads);
  if (heads !== undefined && !(Number.isInteger(heads) && heads > 0))
    throw errors.usage(`--heads takes a whole number, got '${values.heads}'.`);

  const file = openForeignFile(resolve(path));
  try {
    const options = { ...(heads === undefined ? {} : { heads }), ...(naming ? { naming } : {}) };
    const teacher = recogniseVit(file, { ...options, ...(values.network ? { network: values.network } : {}) });
    const student =
      teacher.network === 'teacher' ? studentOf(() => recogniseVit(file, { ...options, network: 'student' })) : null;
    const configured = configure(teacher, values.config, values.data, parseOverrides(values.set));
    const { config, dataset } = await openTrainingData(configured.config, dirname(configured.path), (text) =>
      process.stderr.write(`${text}\n`),
    );
    const now = new Date();
    const runsFolder = resolve(values['runs-dir']);
    const stem = basename(path)
      .replace(/\.(pth|pt|bin|safetensors)$/, '')
      .replace(/[^\p{L}\p{N}._-]/gu, '-');
    const imported = await importIntoRun(
      file,
      { teacher, student },
      {
        id: values['run-id'] ?? { from: stem },
        runsFolder,
        config,
        configSource: configured.path,
        trainImages: dataset.train.size,
        command: ['simdino', 'import', ...args],
        sweep: null,
        parent: null,
        createdAt: now.toISOString(),
      },
    );
    const { vit } = teacher;
    if (values.json) process.stdout.write(`${JSON.stringify({ ...imported, naming: teacher.naming, vit })}\n`);
    else
      process.stdout.write(
        [
          `${imported.folder}: ${teacher.naming} names, width ${vit.width}, ${vit.depth} blocks, ${vit.heads} heads, patches of ${vit.patchSizePx} px`,
          ...imported.notes,
          `Next: simdino eval ${imported.id}, simdino look ${imported.id}, or simdino resume ${imported.id} to train on.`,
          '',
        ].join('\n'),
      );
    return exitCodes.success;
  } finally {
    file.close();
  }
}

/** A file without a student of the same kind has none to take. */
function studentOf(recognise: () => ForeignVit): ForeignVit | null {
  try {
    return recognise();
  } catch {
    return null;
  }
}

function configure(
  found: ForeignVit,
  config: string | undefined,
  data: string | undefined,
  set: Record<string, string>,
): ConfigFile {
  const isV2 = found.naming === 'dinov2' || found.vit.registers > 0;
  const base = config ?? (isV2 ? 'simdinov2_vitb16' : 'simdino_vits16');
  const { patchSizePx } = found.vit;
  const fromFolder: Record<string, string> =
    data === undefined
      ? {}
      : {
          'data.kind': 'imagefolder',
          'data.path': JSON.stringify(resolve(data)),
          // Whole patches: 224 and 96 px for patches of 16, 224 and 98 for those of 14.
          'crops.global.sizePx': String(patchSizePx * Math.round(224 / patchSizePx)),
          'crops.local.sizePx': String(patchSizePx * Math.round(96 / patchSizePx)),
          'train.batchSize': '8',
          'loss.codingRate.groups': '1',
        };
  const globalCropPx = readConfigFile(base, { ...fromFolder, ...set }).config.crops.global.sizePx;
  return readConfigFile(base, { ...fromFolder, ...importedKeys(found, globalCropPx), ...set });
}
