import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { evaluateCoco, type CocoAnnotation, type CocoDetection } from '../eval/coco/cocoEvaluator.ts';
import { countsToText, encodeMask, maskArea, maskBox } from '../eval/coco/runLengths.ts';
import { openBackbone, type Backbone } from '../eval/backbone.ts';
import { enlarged, resized, tinted, type Picture } from '../eval/look/picture.ts';
import { pictureSheet, type SheetCell } from '../eval/look/sheet.ts';
import { denseCrf, holesFilled } from '../eval/maskCut/denseCrf.ts';
import { maskCut, overlap, type MaskCutOptions } from '../eval/maskCut/maskCut.ts';
import { openSegmentationFolder, readMasked } from '../eval/segmentation/maskFolders.ts';
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
import { readCoco, type CocoImage } from '../eval/coco/cocoFile.ts';

const usage = `Usage: simdino detect RUN --data FOLDER [--annotations FILE.json] [options]

Objects without labels (MaskCut), and COCO's twelve figures of them, boxes and masks, all classes as one.

  --data FOLDER      images; with --annotations those of COCO, else a VOC folder whose class masks are the objects
  --annotations F    COCO's instances file
  --images N         only the first so many
  --size PX          side that images are brought to (default: 480, as a multiple of the patch)
  --tau T, --masks N (default: 0.15 and 3)
  --crf              refine masks by a dense random field
  --results FILE     the detections as COCO's result file
  -o FILE            a picture of the results
  --step N, --untrained, --runs-dir DIR, --json
`;

/** `simdino detect` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...evaluatedRunOptions,
      data: { type: 'string' },
      annotations: { type: 'string' },
      images: { type: 'string' },
      size: { type: 'string', default: '480' },
      tau: { type: 'string', default: '0.15' },
      masks: { type: 'string', default: '3' },
      crf: { type: 'boolean', default: false },
      results: { type: 'string' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id] = positionals;
  if (values.help || id === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (values.data === undefined) throw errors.usage('`simdino detect` needs --data with a folder of images.');
  const tau = Number(values.tau);
  if (!(tau > -1 && tau < 1)) throw errors.usage(`--tau takes a number between -1 and 1, got '${values.tau}'.`);
  const cut = { tau, masks: wholeNumber('masks', values.masks), crf: values.crf };
  const all =
    values.annotations === undefined
      ? await ofVoc(resolve(values.data))
      : await ofCoco(resolve(values.annotations), resolve(values.data));
  const images = values.images === undefined ? all : all.slice(0, wholeNumber('images', values.images));
  const evaluated = await openEvaluatedRun(id, values);
  const patchPx = evaluated.config.model.patchSizePx;
  const sizePx = sideOfPatches(values.size, patchPx);
  const backbone = await openBackbone(evaluated.config, evaluated.state);
  const annotations: CocoAnnotation[] = [];
  const detections: CocoDetection[] = [];
  const rows: { cells: SheetCell[] }[] = [];
  try {
    for (const image of images) {
      const loaded = await image.load();
      annotations.push(...loaded.annotations);
      const masks = await objectsOf(backbone, loaded.picture, sizePx, cut);
      const { widthPx, heightPx } = loaded.picture;
      masks.forEach((mask, index) => {
        const lengths = encodeMask(mask, heightPx, widthPx);
        if (maskArea(lengths) === 0) return;
        // Earlier cuts are surer; the protocol states no score.
        detections.push({ image: image.id, category: 1, score: 1 - index / 10, box: maskBox(lengths), mask: lengths });
      });
      if (values.output !== undefined && rows.length < 8) {
        const regions = new Uint8Array(widthPx * heightPx);
        masks.forEach((mask, index) => mask.forEach((inside, at) => inside && (regions[at] = index + 1)));
        rows.push({
          cells: [
            { picture: loaded.picture, caption: image.name },
            { picture: tinted(loaded.picture, regions), caption: `${masks.length} cuts` },
          ],
        });
      }
    }
  } finally {
    await backbone.close();
  }
  const boxes = evaluateCoco(annotations, detections, { kind: 'box', useCategories: false });
  const masks = evaluateCoco(annotations, detections, { kind: 'mask', useCategories: false });
  const named = (prefix: string, figures: Record<string, number>) =>
    Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}${name}`, value]));
  reportFigures(
    evaluated,
    {
      evaluation: 'maskCut',
      split: 'validation',
      ...named('box', boxes),
      ...named('mask', masks),
      images: images.length,
      tau,
      crf: values.crf ? 'yes' : 'no',
      data: resolve(values.data),
    },
    {
      json: values.json,
      text: `boxes ${ofPrecision(boxes)}; masks ${ofPrecision(masks)} (${images.length} images)`,
    },
  );
  if (values.results !== undefined) {
    const stored = detections.map(({ image, category, score, mask }) => ({
      image_id: image,
      category_id: category,
      score,
      segmentation: { size: [mask!.height, mask!.width], counts: countsToText(mask!.counts) },
    }));
    await writeOutput('list of detections', values.results, `${JSON.stringify(stored)}\n`);
  }
  if (values.output !== undefined) {
    const title = `${networkTitle(evaluated)}: objects by MaskCut, tau ${tau}, mask AP50 ${known(masks.AP50)}`;
    await writeOutput('picture', values.output, await pictureSheet(title, rows));
  }
  return exitCodes.success;
}

/** COCO's figures are -1 where there was no object to find. */
const known = (figure: number): string => (figure === -1 ? '-' : percent(figure));

const ofPrecision = ({ AP, AP50, AR100 }: Record<'AP' | 'AP50' | 'AR100', number>): string =>
  `AP ${known(AP)}, AP50 ${known(AP50)}, AR100 ${known(AR100)}`;

async function ofCoco(path: string, folder: string): Promise<CocoImage[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw errors.dataUnreadable(path, (error as Error).message);
  });
  return readCoco(text, path, folder);
}

/** Masks of a picture's objects at its own size, without the cuts that were refused. */
async function objectsOf(
  backbone: Backbone,
  picture: Picture,
  sizePx: number,
  { crf, ...cut }: MaskCutOptions & { crf: boolean },
): Promise<Uint8Array[]> {
  const size = { widthPx: sizePx, heightPx: sizePx };
  const square = await resized({ ...picture, channels: 3 }, size);
  const grid = backbone.grid(sizePx, sizePx);
  const { keyCosines } = await backbone.run(square.data, { count: 1, ...size }, ['keyCosines']);
  const found: Uint8Array[] = [];
  for (const ofGrid of maskCut(keyCosines, grid, cut).masks) {
    if (!ofGrid.includes(1)) continue;
    let mask = enlarged(ofGrid, grid, backbone.vit.patchSizePx);
    if (crf) {
      const refined = holesFilled(denseCrf(square, mask), size);
      if (overlap(mask, refined) < 0.5) continue;
      mask = refined;
    }
    found.push(
      Uint8Array.from({ length: picture.widthPx * picture.heightPx }, (_, at) => {
        const row = Math.floor((Math.floor(at / picture.widthPx) * sizePx) / picture.heightPx);
        const column = Math.floor(((at % picture.widthPx) * sizePx) / picture.widthPx);
        return mask[row * sizePx + column]!;
      }),
    );
  }
  return found;
}

/** A VOC folder's regions of one class as objects. */
async function ofVoc(path: string): Promise<CocoImage[]> {
  const { test } = openSegmentationFolder(path);
  return Promise.resolve(
    test.map((source, index) => ({
      id: index + 1,
      name: source.name,
      load: async () => {
        const { image, mask } = await readMasked(source);
        const { widthPx, heightPx } = image;
        const classes = [...new Set(mask)].filter((value) => value !== 0 && value !== 255);
        const annotations = classes.map((value): CocoAnnotation => {
          const lengths = encodeMask(
            mask.map((pixel) => (pixel === value ? 1 : 0)),
            heightPx,
            widthPx,
          );
          return {
            image: index + 1,
            category: value,
            area: maskArea(lengths),
            isCrowd: false,
            box: maskBox(lengths),
            mask: lengths,
          };
        });
        return { picture: await resized(image, { widthPx, heightPx }), annotations };
      },
    })),
  );
}
