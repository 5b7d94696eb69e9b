import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { randomStream } from '../data/random.ts';
import { selectEngine } from '../engines/selectEngine.ts';
import { openBackbone } from '../eval/backbone.ts';
import { tinted } from '../eval/look/picture.ts';
import { pictureSheet, type SheetCell } from '../eval/look/sheet.ts';
import { ignoredClass } from '../eval/segmentation/linearSegmentation.ts';
import { openSegmentationFolder, readMasked } from '../eval/segmentation/maskFolders.ts';
import { segmentFolder } from '../eval/segmentation/segmentFolder.ts';
import {
  evaluatedRunOptions,
  networkTitle,
  openEvaluatedRun,
  percent,
  reportFigures,
  sideOfPatches,
  wholeNumber,
  writeOutput,
} from './evaluatedRun.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino segment RUN --data FOLDER [options]

Linear segmentation on frozen patch tokens: one layer is trained, pixels are counted (mIoU, mAcc).

  --data FOLDER      PASCAL VOC (JPEGImages/, SegmentationClass/, ImageSets/Segmentation/) or ADE20K (images/, annotations/);
                     without lists of train and val each image is tested after training on the others
  --size PX          shorter side and window (default: 512, as a multiple of the patch)
  --train-steps N    default: 400 (published: 160000 on ADE20K)
  --rate R           of AdamW (default: 8e-4, as published)
  -o FILE            a picture of the results
  --step N, --untrained, --runs-dir DIR, --json
`;

/** `simdino segment` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...evaluatedRunOptions,
      data: { type: 'string' },
      size: { type: 'string', default: '512' },
      'train-steps': { type: 'string', default: '400' },
      rate: { type: 'string', default: '0.0008' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id] = positionals;
  if (values.help || id === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (values.data === undefined)
    throw errors.usage('`simdino segment` needs --data with a folder of images and masks.');
  const rate = Number(values.rate);
  if (!(rate > 0)) throw errors.usage(`--rate takes a number above 0, got '${values.rate}'.`);
  const folder = openSegmentationFolder(resolve(values.data));
  const evaluated = await openEvaluatedRun(id, values);
  const { config } = evaluated;
  const patchPx = config.model.patchSizePx;
  const sizePx = sideOfPatches(values.size, patchPx);
  const backbone = await openBackbone(config, evaluated.state);
  const { engine } = await selectEngine(config.runtime.engine);
  const stream = randomStream({ seed: 0, purpose: 'probe', image: 7 });
  const rows: { cells: SheetCell[] }[] = [];
  try {
    const figures = await segmentFolder(backbone, engine, folder, {
      sizePx,
      steps: wholeNumber('train-steps', values['train-steps']),
      rate,
      classes: folder.kind === 'ade' ? 150 : await classCount(folder.train.concat(folder.test), folder.classes),
      random: () => stream.uniform(0, 1),
      ...(values.output === undefined
        ? {}
        : {
            onSegmented: async ({ name, picture, truth, prediction }) => {
              const shown = (mask: Uint8Array) =>
                tinted(
                  picture,
                  mask.map((value) => (value === ignoredClass ? 0 : value)),
                );
              rows.push({
                cells: [
                  { picture, caption: name },
                  { picture: shown(truth), caption: 'annotated' },
                  { picture: shown(prediction), caption: 'segmented' },
                ],
              });
              await Promise.resolve();
            },
          }),
    });
    reportFigures(
      evaluated,
      {
        evaluation: 'segmentation',
        split: folder.isSplit ? 'validation' : 'leaveOneOut',
        segmentationIou: figures.meanIou,
        segmentationAccuracy: figures.meanAccuracy,
        pixelAccuracy: figures.pixelAccuracy,
        images: figures.images,
        data: resolve(values.data),
      },
      {
        json: values.json,
        text: `mIoU ${percent(figures.meanIou)}, mAcc ${percent(figures.meanAccuracy)}, pixels ${percent(figures.pixelAccuracy)} (${figures.images} images${folder.isSplit ? '' : ', each after training on the others'})`,
      },
    );
    if (values.output !== undefined) {
      const title = `${networkTitle(evaluated)}: linear segmentation, mIoU ${percent(figures.meanIou)}`;
      await writeOutput('picture', values.output, await pictureSheet(title, rows));
    }
  } finally {
    await backbone.close();
    await engine.dispose();
  }
  return exitCodes.success;
}

/** As many as are named, or as the masks number. */
async function classCount(
  images: Parameters<typeof readMasked>[0][],
  named: readonly string[] | null,
): Promise<number> {
  if (named) return named.length;
  let most = 0;
  for (const one of images)
    for (const value of (await readMasked(one)).mask) if (value !== ignoredClass) most = Math.max(most, value);
  return most + 1;
}
