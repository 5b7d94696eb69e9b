import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { listCheckpoints } from '../checkpoint/checkpoint.ts';
import { FaultyImage, type Dataset, type RawImage } from '../data/dataset.ts';
import { decodeFile } from '../data/decode.ts';
import { randomStream, shuffled } from '../data/random.ts';
import { openBackbone, type Backbone } from '../eval/backbone.ts';
import { lookAtImages, lookKinds, type Looked, type LookKind } from '../eval/look/lookAtImages.ts';
import { covarianceSpectrum } from '../eval/look/principalComponents.ts';
import { resized } from '../eval/look/picture.ts';
import { classTokens, retrieve } from '../eval/look/retrieval.ts';
import { pictureSheet, type SheetCell } from '../eval/look/sheet.ts';
import { spectrumPicture } from '../eval/look/spectrumPicture.ts';
import { writeLook } from '../eval/look/writeLook.ts';
import { readTrainedRun } from '../run/openRun.ts';
import {
  evaluatedRunOptions,
  openEvaluatedRun,
  openRunData,
  wholeNumber,
  writeOutput,
  type EvaluatedRun,
} from './evaluatedRun.ts';
import { exitCodes } from './exitCodes.ts';

const allKinds = [...lookKinds, 'neighbours', 'spectrum'] as const;

const usage = `Usage: simdino look RUN [IMAGE...] [options]

Pictures of what a run's teacher sees, as PNG in the run's artifacts/look/: the panel shows them with a slider over steps.
Without IMAGE files, images of the run's own data.

  --kinds LIST       ${allKinds.join(', ')} (default: all)
  --images N         how many images of the data (default: 4)
  --split SPLIT      test (default), validation or train
  --steps STEPS      last (default), all, or numbers separated by commas
  --untrained        the network before the first step, as the seed draws it
  --size PX          side that images are brought to (default: the crop's x 480/224)
  --mass SHARE       attention that the mask holds (default: 0.6)
  --tau T --masks N  of MaskCut (default: 0.15 and 3)
  -o FILE            the sheet of the last step as well
  --runs-dir DIR, --json
`;

interface Source {
  name: string;
  image: RawImage;
}

/** `simdino look`: attention, principal components, objects, neighbours and spectrum as pictures. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...evaluatedRunOptions,
      kinds: { type: 'string', default: allKinds.join(',') },
      images: { type: 'string', default: '4' },
      split: { type: 'string', default: 'test' },
      steps: { type: 'string', default: 'last' },
      size: { type: 'string' },
      mass: { type: 'string', default: '0.6' },
      tau: { type: 'string', default: '0.15' },
      masks: { type: 'string', default: '3' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id, ...files] = positionals;
  if (values.help || id === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const kinds = values.kinds.split(',').map((name) => {
    const kind = allKinds.find((known) => known === name);
    if (!kind) throw errors.usage(`--kinds takes ${allKinds.join(', ')}, got '${name}'.`);
    return kind;
  });
  const mass = share('mass', values.mass);
  const tau = Number(values.tau);
  if (!(tau > -1 && tau < 1)) throw errors.usage(`--tau takes a number between -1 and 1, got '${values.tau}'.`);
  const cut = { tau, masks: wholeNumber('masks', values.masks) };

  const runsDir = values['runs-dir'];
  const { folder, config } = readTrainedRun(resolve(runsDir), id);
  const kept = listCheckpoints(join(folder, runFiles.checkpoints)).map(({ record }) => record.step);
  const steps = stepsOf(values.steps, kept);
  if (steps.length === 0 && !values.untrained) throw errors.runNotEvaluable(id, 'it has no checkpoint yet');
  const opened = [
    ...(values.untrained ? [() => openEvaluatedRun(id, { 'runs-dir': runsDir, untrained: true })] : []),
    ...(values.untrained && values.steps === 'last'
      ? []
      : steps.map((step) => () => openEvaluatedRun(id, { 'runs-dir': runsDir, step: String(step), untrained: false }))),
  ];

  const patchPx = config.model.patchSizePx;
  const wantedPx =
    values.size === undefined ? (config.crops.global.sizePx * 480) / 224 : wholeNumber('size', values.size);
  const sizePx = patchPx * Math.max(2, Math.round(wantedPx / patchPx));
  let dataset: Dataset | undefined;
  let sources: Source[] | undefined;
  for (const open of opened) {
    const evaluated = await open();
    if (files.length === 0 || kinds.includes('neighbours') || kinds.includes('spectrum'))
      dataset ??= await dataOf(evaluated, files.length > 0);
    sources ??=
      files.length > 0
        ? await readFiles(files)
        : await imagesOf(dataset!, values.split, wholeNumber('images', values.images));
    const backbone = await openBackbone(evaluated.config, evaluated.state);
    try {
      const ofImages = lookKinds.filter((kind): kind is LookKind => (kinds as readonly string[]).includes(kind));
      const looked = await lookAtImages(
        backbone,
        sources.map(({ image }) => image),
        { sizePx, mass, kinds: ofImages, maskCut: cut },
      );
      const name = evaluated.state === null ? 'untrained' : `step ${evaluated.step}`;
      const title = `${id}, ${name}: what the teacher sees (${sizePx} px, patches of ${patchPx} px)`;
      const rows = looked.map((pictures, index) => ({ heading: sources![index]!.name, cells: cellsOf(pictures) }));
      const sheets = [
        { kind: 'sheet', png: await pictureSheet(title, rows) },
        ...(dataset && dataset.train.size > 1 ? await dataSheets(backbone, evaluated, dataset, kinds, name) : []),
      ];
      const path = await writeLook(evaluated.folder, {
        step: evaluated.step,
        time: Date.now(),
        network: 'teacher',
        sizePx,
        images: looked.map((pictures, index) => ({ name: sources![index]!.name, pictures })),
        sheets,
      });
      if (values.output !== undefined) await writeOutput('picture', values.output, sheets[0]!.png);
      if (values.json) process.stdout.write(`${JSON.stringify({ id, step: evaluated.step, path })}\n`);
      else process.stdout.write(`${path}\n`);
    } finally {
      await backbone.close();
    }
  }
  return exitCodes.success;
}

/** Neighbours and spectrum, for which features of many images are taken. */
async function dataSheets(
  backbone: Backbone,
  { id, config }: EvaluatedRun,
  dataset: Dataset,
  kinds: readonly string[],
  name: string,
): Promise<{ kind: string; png: Buffer }[]> {
  if (!kinds.includes('neighbours') && !kinds.includes('spectrum')) return [];
  const gallery = await classTokens(backbone, dataset.train, galleryImages, config);
  const sheets: { kind: string; png: Buffer }[] = [];
  const queried = dataset.test ?? dataset.validation;
  if (kinds.includes('neighbours') && queried) {
    const queries = await classTokens(backbone, queried, queryImages, config);
    const { classes } = dataset.train;
    const rows = await Promise.all(
      retrieve(gallery, queries, shownNeighbours).map(async ({ query, nearest }) => {
        const own = queried.label(query);
        const cells: SheetCell[] = [
          { picture: await thumbnail(await queried.image(query)), caption: className(classes, own) },
        ];
        for (const { image, cosine } of nearest) {
          const label = dataset.train.label(image);
          cells.push({
            picture: await thumbnail(await dataset.train.image(image)),
            caption: `${cosine.toFixed(2)} ${className(classes, label)}`,
            ...(own === null || label === null
              ? {}
              : { frame: label === own ? ('right' as const) : ('wrong' as const) }),
          });
        }
        return { cells };
      }),
    );
    const title = `${id}, ${name}: query, then its nearest of ${gallery.rows} training images by cosine`;
    sheets.push({ kind: 'neighbours', png: await pictureSheet(title, rows, { cellPx: 84 }) });
  }
  if (kinds.includes('spectrum'))
    sheets.push({
      kind: 'spectrum',
      png: await spectrumPicture(`${id}, ${name}: spectrum of class tokens of ${gallery.rows} images`, [
        { name: 'class tokens', eigenvalues: covarianceSpectrum(gallery) },
      ]),
    });
  return sheets;
}

const galleryImages = 2000;
const queryImages = 6;
const shownNeighbours = 8;

function className(classes: readonly string[] | null, label: number | null): string {
  return label === null ? '' : (classes?.[label] ?? String(label));
}

async function thumbnail(image: RawImage) {
  const factor = 96 / image.heightPx;
  return resized(image, {
    widthPx: Math.max(1, Math.round(image.widthPx * Math.min(factor, 1))),
    heightPx: Math.round(image.heightPx * Math.min(factor, 1)),
  });
}

function cellsOf(pictures: Looked): SheetCell[] {
  return [...pictures].map(([kind, picture]) => ({ picture, caption: kind }));
}

/** Images that were given as files need no data set; it is taken along for neighbours where it is there. */
async function dataOf(evaluated: EvaluatedRun, isOptional: boolean): Promise<Dataset | undefined> {
  if (!isOptional) return openRunData(evaluated);
  try {
    return await openRunData(evaluated);
  } catch (error) {
    process.stderr.write(`No neighbours and no spectrum: ${(error as Error).message}\n`);
    return undefined;
  }
}

async function readFiles(files: readonly string[]): Promise<Source[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return { name: basename(file), image: await decodeFile(resolve(file)) };
      } catch (error) {
        if (error instanceof FaultyImage) throw errors.dataUnreadable(file, error.message);
        throw error;
      }
    }),
  );
}

/** The same images for every run on the same data. */
async function imagesOf(dataset: Dataset, split: string, count: number): Promise<Source[]> {
  const names = ['test', 'validation', 'train'] as const;
  const name = names.find((known) => known === split);
  if (!name) throw errors.usage(`--split takes ${names.join(', ')}, got '${split}'.`);
  const from = dataset[name] ?? dataset.train;
  const order = shuffled(from.size, randomStream({ seed: 0, purpose: 'subset', image: 1 })).slice(0, count);
  return Promise.all(
    Array.from(order, async (image) => {
      const label = from.label(image);
      const known = from.classes && label !== null ? ` (${from.classes[label]})` : '';
      return { name: `${basename(from.nameOf(image))}${known}`, image: await from.image(image) };
    }),
  );
}

function stepsOf(text: string, kept: readonly number[]): readonly number[] {
  if (text === 'last') return kept.slice(-1);
  return text === 'all' ? kept : text.split(',').map((step) => wholeNumber('steps', step));
}

function share(option: string, value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1))
    throw errors.usage(`--${option} takes a share above 0 and up to 1, got '${value}'.`);
  return number;
}
