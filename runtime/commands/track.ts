import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { openBackbone } from '../eval/backbone.ts';
import { tinted } from '../eval/look/picture.ts';
import { pictureSheet, type SheetCell } from '../eval/look/sheet.ts';
import { openVideoFolder } from '../eval/segmentation/maskFolders.ts';
import { trackSequence, type TrackedObject } from '../eval/video/trackSequence.ts';
import {
  evaluatedRunOptions,
  networkTitle,
  openEvaluatedRun,
  percent,
  reportFigures,
  sideOfPatches,
  writeOutput,
} from './evaluatedRun.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino track RUN --data FOLDER [options]

Video object segmentation by carrying the first frame's labels through the video (DAVIS: J, F, recall, decay).

  --data FOLDER      DAVIS (JPEGImages/480p/, Annotations/480p/), or one video as JPEGImages/ and SegmentationClass/
  --size PX          shorter side of frames (default: 480, as a multiple of the patch)
  -o FILE            a picture of the frames
  --step N, --untrained, --runs-dir DIR, --json
`;

/** `simdino track` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...evaluatedRunOptions,
      data: { type: 'string' },
      size: { type: 'string', default: '480' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id] = positionals;
  if (values.help || id === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (values.data === undefined) throw errors.usage('`simdino track` needs --data with a folder of videos.');
  const sequences = openVideoFolder(resolve(values.data));
  const evaluated = await openEvaluatedRun(id, values);
  const patchPx = evaluated.config.model.patchSizePx;
  const sizePx = sideOfPatches(values.size, patchPx);
  const backbone = await openBackbone(evaluated.config, evaluated.state);
  const tracked: TrackedObject[] = [];
  const rows: { heading: string; cells: SheetCell[] }[] = [];
  try {
    for (const sequence of sequences) {
      const cells: SheetCell[] = [];
      const objects = await trackSequence(backbone, sequence, {
        sizePx,
        onFrame: ({ picture, prediction }, index) => {
          if (values.output !== undefined && cells.length < 6)
            cells.push({ picture: tinted(picture, prediction), caption: index === 0 ? 'given' : `frame ${index}` });
        },
      });
      tracked.push(...objects);
      rows.push({ heading: sequence.name, cells });
    }
  } finally {
    await backbone.close();
  }
  const mean = (of: (one: TrackedObject) => number) => tracked.reduce((sum, one) => sum + of(one), 0) / tracked.length;
  const region = mean((one) => one.region.mean);
  const boundary = mean((one) => one.boundary.mean);
  const both = (region + boundary) / 2;
  reportFigures(
    evaluated,
    {
      evaluation: 'video',
      split: 'validation',
      videoJF: both,
      videoJ: region,
      videoF: boundary,
      videoJRecall: mean((one) => one.region.recall),
      videoJDecay: mean((one) => one.region.decay),
      videoFRecall: mean((one) => one.boundary.recall),
      videoFDecay: mean((one) => one.boundary.decay),
      objects: tracked.length,
      data: resolve(values.data),
    },
    {
      json: values.json,
      text: `J&F ${percent(both)}, J ${percent(region)}, F ${percent(boundary)} (${tracked.length} objects in ${sequences.length} videos)`,
    },
  );
  if (values.output !== undefined) {
    const title = `${networkTitle(evaluated)}: labels carried from the first frame, J&F ${percent(both)}`;
    await writeOutput('picture', values.output, await pictureSheet(title, rows));
  }
  return exitCodes.success;
}
