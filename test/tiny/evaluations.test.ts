/** The evaluations after training as a user runs them, through the built command line, on folders of a few small images. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EvaluationFeed } from '../../experiments/store/evaluationSeries.ts';
import { isSimdinoError } from '../../protocol/errors.ts';
import { readSafetensors } from '../../runtime/checkpoint/safetensors.ts';
import { run as detect } from '../../runtime/commands/detect.ts';
import { run as evaluate } from '../../runtime/commands/eval.ts';
import { run as exportRun } from '../../runtime/commands/export.ts';
import { run as importFile } from '../../runtime/commands/import.ts';
import { run as segment } from '../../runtime/commands/segment.ts';
import { run as track } from '../../runtime/commands/track.ts';
import {
  maskOf,
  sidePx,
  squareOf,
  writeAde,
  writeClasses,
  writeCoco,
  writeDavis,
  writeImage,
  writeMask,
  writeVoc,
  type Square,
} from './annotatedFolders.ts';
import { lossesOf, simdino } from './simdino.ts';

const commands = { detect, segment, track, eval: evaluate, import: importFile, export: exportRun };

let root: string;
let runs: string;
let voc: string;
/** Where the objects of the VOC folder's test images are. */
let squares: Square[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'evaluations-'));
  runs = join(root, 'runs');
  voc = join(root, 'voc');
  squares = await writeVoc(voc);
  const trained = await simdino('train', 'tiny', '--runs-dir', runs, '--run-id', 'own').finished;
  expect(trained).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Figures = Record<string, number> & { path: string | null };

const command = (...args: string[]) => simdino(...args, '--runs-dir', runs).finished;

/** Runs an evaluation that must succeed; its figures. */
async function figuresOf(...args: string[]): Promise<Figures> {
  const { code, stdout, stderr } = await command(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Figures;
}

/** The sentence that refuses a command. The command is called here: most are refused before anything is computed. */
async function refusal(name: keyof typeof commands, ...args: string[]): Promise<string> {
  const error: unknown = await commands[name]([...args, '--runs-dir', runs]).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isSimdinoError(error), String(error)).toBe(true);
  return (error as Error).message.replaceAll(`${root}/`, '');
}

const evaluationsOf = (id: string) => {
  const folder = join(runs, id, 'evals');
  return existsSync(folder) ? readdirSync(folder) : [];
};
const pngBegin = '\x89PNG';
const beginOf = (path: string) => readFileSync(path, 'latin1').slice(0, 4);

describe('detect', () => {
  const size = ['--size', String(sidePx)];

  test('writes the twelve figures of boxes and masks, which follow from the detections that it writes', async () => {
    const results = join(root, 'detections.json');
    const picture = join(root, 'objects.png');
    const args = ['detect', 'own', '--data', voc, ...size, '--results', results, '-o', picture];
    const figures = await figuresOf(...args);
    expect(Object.keys(figures).filter((name) => /^(box|mask)A[PR]/.test(name))).toHaveLength(24);
    expect(figures).toMatchObject({ evaluation: 'maskCut', step: 16, images: 4, data: voc });
    expect(JSON.parse(readFileSync(figures.path!, 'utf8'))).toMatchObject({ maskAP: figures['maskAP'], step: 16 });
    expect(beginOf(picture)).toBe(pngBegin);

    const detections = readDetections(results);
    expect(detections.length).toBeGreaterThan(3);
    const truth = squares.map(maskOf);
    const thresholds = Array.from({ length: 10 }, (_, index) => 0.5 + 0.05 * index);
    for (const [kind, overlap] of [
      ['mask', maskOverlap],
      ['box', boxOverlap],
    ] as const) {
      const precisions = thresholds.map((threshold) => averagePrecision(detections, truth, overlap, threshold));
      expect(figures[`${kind}AP50`], kind).toBeCloseTo(precisions[0]!, 10);
      expect(figures[`${kind}AP`], kind).toBeCloseTo(precisions.reduce((sum, one) => sum + one, 0) / 10, 10);
    }
    // A network that finds nothing would agree with any evaluator.
    expect(figures['boxAP50']).toBeGreaterThan(0);
  });

  test('gives the same figures for the same objects in a file of COCO\u2019s', async () => {
    const annotations = join(root, 'instances.json');
    writeCoco(annotations, squares, ['6.png', '7.png', '8.png', '9.png']);
    const ofVoc = await figuresOf('detect', 'own', '--data', voc, ...size, '--untrained');
    const images = join(voc, 'JPEGImages');
    const before = evaluationsOf('own');
    const args = ['detect', 'own', '--data', images, '--annotations', annotations, ...size, '--untrained'];
    const ofCoco = await figuresOf(...args);
    const shared = (figures: Figures) =>
      Object.fromEntries(Object.entries(figures).filter(([name]) => /^(box|mask|images)/.test(name)));
    expect(shared(ofCoco)).toEqual(shared(ofVoc));
    // The untrained network is no point of the run's curve.
    expect([ofCoco.path, evaluationsOf('own')]).toEqual([null, before]);
    expect(await figuresOf(...args, '--images', '2', '--crf')).toMatchObject({ images: 2, crf: 'yes' });
  });

  test('says that there was nothing to find, without a figure', async () => {
    const empty = join(root, 'empty-voc');
    await writeImage(join(empty, 'JPEGImages', 'a.png'), squares[0]!);
    await writeMask(join(empty, 'SegmentationClass', 'a.png'), new Uint8Array(sidePx ** 2));
    const { stdout } = await command('detect', 'own', '--data', empty, ...size, '--untrained');
    expect(stdout).toMatch(/boxes AP -, AP50 -, AR100 -; masks AP -, AP50 -, AR100 - \(1 images\)/);
  });

  test('refuses folders, annotations and options that can\u2019t be used', async () => {
    const broken = join(root, 'broken.json');
    const refused = (content: unknown) => {
      writeFileSync(broken, typeof content === 'string' ? content : JSON.stringify(content));
      return refusal('detect', 'own', '--data', join(voc, 'JPEGImages'), '--annotations', broken, ...size);
    };
    const image = { id: 1, file_name: '6.png', width: sidePx, height: sidePx };
    const object = { image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], segmentation: [[0, 0, 4, 0, 4, 4]] };
    expect([
      await refusal('detect', 'own', '--data', join(root, 'nowhere')),
      await refusal('detect', 'own', '--data', voc, '--annotations', join(root, 'nowhere.json')),
      await refusal('detect', 'own', '--data', voc, '--tau', '2'),
      await refusal('detect', 'own', '--data', voc, '--step', '99'),
      await refusal('detect', 'nobody', '--data', voc),
      await refused('{'),
      await refused({ images: [image] }),
      await refused({ images: [null], annotations: [] }),
      await refused({ images: [{ ...image, width: 50 }], annotations: [] }),
      await refused({ images: [image], annotations: [{ ...object, bbox: undefined }] }),
      await refused({ images: [image], annotations: [{ ...object, segmentation: undefined }] }),
      await refused({ images: [image], annotations: [{ ...object, segmentation: { size: [4, 4], counts: [16] } }] }),
    ]).toMatchInlineSnapshot(`
      [
        "No images found at nowhere; expected JPEGImages/ and SegmentationClass/ (VOC), or images/ and annotations/ (ADE20K). Check data.kind and data.path.",
        "The data at nowhere.json can't be read: ENOENT: no such file or directory, open 'nowhere.json'. Check permissions and that the file is complete.",
        "--tau takes a number between -1 and 1, got '2'. See \`simdino --help\`.",
        "Run 'own' can't be evaluated: it has no checkpoint of step 99; it has 8, 16. Wait for its first checkpoint, or ask for one.",
        "No run 'nobody' in runs. List the runs with \`simdino runs\`.",
        "The data at broken.json can't be read: Expected property name or '}' in JSON at position 1. Check permissions and that the file is complete.",
        "The data at broken.json can't be read: it has no lists \`images\` and \`annotations\`. Check permissions and that the file is complete.",
        "The data at broken.json can't be read: images[0] lacks one of id, file_name, width and height. Check permissions and that the file is complete.",
        "The data at voc/JPEGImages/6.png can't be read: it has 48 x 48 pixels, its annotations 50 x 48. Check permissions and that the file is complete.",
        "The data at broken.json can't be read: annotations[0] lacks one of image_id, category_id, bbox (four numbers) and segmentation (polygons or run lengths). Check permissions and that the file is complete.",
        "The data at broken.json can't be read: annotations[0] lacks one of image_id, category_id, bbox (four numbers) and segmentation (polygons or run lengths). Check permissions and that the file is complete.",
        "The data at broken.json can't be read: a mask of 4 x 4 pixels belongs to an image of 48 x 48. Check permissions and that the file is complete.",
      ]
    `);
  });
});

describe('segment', () => {
  const options = ['--size', String(sidePx), '--rate', '0.02'];

  test('learns VOC\u2019s classes from images in which others are told by the same colours', async () => {
    const picture = join(root, 'segmented.png');
    const args = ['segment', 'own', '--data', voc, ...options];
    const untaught = await figuresOf(...args, '--train-steps', '0');
    const figures = await figuresOf(...args, '--train-steps', '200', '-o', picture);
    const { segmentationIou: meanIou, segmentationAccuracy: meanAccuracy, pixelAccuracy } = figures;
    // A class's intersection over its union is at most its share that was found; all ground would be right of 8 in 9 pixels.
    expect(meanIou).toBeLessThanOrEqual(meanAccuracy!);
    expect(meanAccuracy).toBeLessThanOrEqual(1);
    expect(pixelAccuracy).toBeGreaterThan(8 / 9);
    expect(meanIou).toBeGreaterThan(1.5 * untaught['segmentationIou']!);
    expect(figures).toMatchObject({ evaluation: 'segmentation', split: 'validation', images: 4, step: 16 });
    expect(beginOf(picture)).toBe(pngBegin);
    expect(evaluationsOf('own').filter((name) => name.startsWith('segmentation-validation-000016'))).toHaveLength(2);
  });

  test('counts no pixel of ADE20K\u2019s class 0', async () => {
    const ade = join(root, 'ade');
    // There is one class beside it, so that every pixel that counts is right.
    await writeAde(ade);
    const figures = await figuresOf('segment', 'own', '--data', ade, ...options, '--train-steps', '60');
    expect(figures).toMatchObject({ segmentationIou: 1, segmentationAccuracy: 1, pixelAccuracy: 1, images: 1 });
  });

  test('refuses what can\u2019t be trained on', async () => {
    const folder = join(root, 'odd-voc');
    const refused = () => refusal('segment', 'own', '--data', folder, ...options, '--train-steps', '1');
    await writeImage(join(folder, 'JPEGImages', 'a.png'), squares[0]!);
    await writeMask(join(folder, 'SegmentationClass', 'a.png'), maskOf(squares[0]!));
    const alone = await refused();
    await writeImage(join(folder, 'JPEGImages', 'b.png'), squares[0]!);
    await writeMask(join(folder, 'SegmentationClass', 'b.png'), new Uint8Array(16 * 16));
    const small = await refused();
    const ignored = new Uint8Array(sidePx ** 2).fill(255);
    for (const name of ['a', 'b']) await writeMask(join(folder, 'SegmentationClass', `${name}.png`), ignored);
    const unlabelled = await refused();
    await writeMask(join(folder, 'SegmentationClass', 'a.png'), maskOf(squares[0]!));
    await writeMask(join(folder, 'SegmentationClass', 'b.png'), new Uint8Array(sidePx ** 2).fill(7));
    writeFileSync(join(folder, 'class_names.txt'), 'ground\nred\nblue\n');
    const unnamed = await refused();
    truncateSync(join(folder, 'SegmentationClass', 'b.png'), 60);
    const cut = await refused();
    const lists = join(folder, 'ImageSets', 'Segmentation');
    mkdirSync(lists, { recursive: true });
    writeFileSync(join(lists, 'train.txt'), 'x\n');
    writeFileSync(join(lists, 'val.txt'), 'a\n');
    const unlisted = await refused();
    expect([
      ...[alone, small, unlabelled, unnamed, cut, unlisted],
      await refusal('segment', 'own', '--data', join(root, 'nowhere')),
      await refusal('segment', 'own', '--data', voc, '--rate', '0'),
      await refusal('segment', 'own', '--data', voc, '--step', 'last'),
    ]).toMatchInlineSnapshot(`
      [
        "The annotations at odd-voc are not enough: one image alone has no others to train on, and there are no lists. Add images with masks, or correct the lists beside them.",
        "The mask odd-voc/SegmentationClass/b.png can't be used: it has 16 x 16 pixels, its image 48 x 48. Give a PNG of its image’s size whose pixels are class numbers.",
        "The annotations at odd-voc are not enough: no pixel of its test images has a class. Add images with masks, or correct the lists beside them.",
        "The mask odd-voc/SegmentationClass/b.png can't be used: it has pixels of class 7, and the folder has 3 classes. Give a PNG of its image’s size whose pixels are class numbers.",
        "The mask odd-voc/SegmentationClass/b.png can't be used: its content does not unpack to its size. Give a PNG of its image’s size whose pixels are class numbers.",
        "The annotations at odd-voc are not enough: its lists name 0 of its images to train on and 1 to test. Add images with masks, or correct the lists beside them.",
        "No images found at nowhere; expected JPEGImages/ and SegmentationClass/ (VOC), or images/ and annotations/ (ADE20K). Check data.kind and data.path.",
        "--rate takes a number above 0, got '0'. See \`simdino --help\`.",
        "--step takes a whole number, got 'last'. See \`simdino --help\`.",
      ]
    `);
  });
});

describe('track', () => {
  const options = ['--size', String(sidePx)];
  const square = squareOf(3);

  test('keeps an object that rests, and loses one that is said to be elsewhere', async () => {
    const picture = join(root, 'frames.png');
    await writeDavis(join(root, 'resting'), 'box', square, () => maskOf(square));
    const resting = await figuresOf('track', 'own', '--data', join(root, 'resting'), ...options, '-o', picture);
    expect(resting).toMatchObject({ evaluation: 'video', videoJRecall: 1, videoFRecall: 1, objects: 1 });
    expect(resting['videoJ']).toBeGreaterThan(0.8);
    expect(resting['videoJ']).toBeLessThanOrEqual(1);
    expect(resting['videoJF']).toBeCloseTo((resting['videoJ']! + resting['videoF']!) / 2, 12);
    expect(beginOf(picture)).toBe(pngBegin);

    const elsewhere = { ...square, left: (square.left + 24) % 32, top: (square.top + 24) % 32 };
    await writeDavis(join(root, 'moved'), 'box', square, (frame) => maskOf(frame === 0 ? square : elsewhere));
    const moved = await figuresOf('track', 'own', '--data', join(root, 'moved'), ...options);
    expect(moved).toMatchObject({ videoJ: 0, videoJRecall: 0, videoJDecay: 0 });
    expect(evaluationsOf('own').filter((name) => name.startsWith('video-validation-000016'))).toHaveLength(2);
  });

  test('refuses videos without what is needed', async () => {
    const folder = join(root, 'odd-video');
    const refused = () => refusal('track', 'own', '--data', folder, ...options);
    await writeDavis(folder, 'box', square, (frame) => (frame === 2 ? new Uint8Array(16) : maskOf(square)));
    const small = await refused();
    await writeDavis(folder, 'box', square, () => new Uint8Array(sidePx ** 2));
    const empty = await refused();
    rmSync(join(folder, 'Annotations', '480p', 'box', '00000.png'));
    const maskless = await refused();
    await writeMask(join(folder, 'Annotations', '480p', 'box', '00000.png'), maskOf(square));
    for (const frame of [1, 2, 3]) rmSync(join(folder, 'Annotations', '480p', 'box', `0000${frame}.png`));
    const unjudged = await refused();
    expect([small, empty, maskless, unjudged, await refusal('track', 'own', '--data', join(root, 'nowhere'))])
      .toMatchInlineSnapshot(`
      [
        "The mask odd-video/Annotations/480p/box/00002.png can't be used: it has 4 x 4 pixels, its image 48 x 48. Give a PNG of its image’s size whose pixels are class numbers.",
        "The annotations at odd-video/Annotations/480p/box/00000.png are not enough: it has no object to follow. Add images with masks, or correct the lists beside them.",
        "No images found at odd-video/Annotations/480p/box; expected a mask of the first frame. Check data.kind and data.path.",
        "The annotations at odd-video/Annotations/480p/box/00000.png are not enough: of the 5 frames of 'box' none between the first and the last has a mask. Add images with masks, or correct the lists beside them.",
        "No images found at nowhere; expected JPEGImages/480p/ and Annotations/480p/ (DAVIS), or JPEGImages/ and SegmentationClass/. Check data.kind and data.path.",
      ]
    `);
  });
});

describe('eval on other images', () => {
  test('keeps folders of the same name apart', async () => {
    const [same, swapped] = [join(root, 'one', 'photos'), join(root, 'two', 'photos')];
    await writeClasses(same);
    // Each image stands in `val/` under the other class: its own copy is its nearest neighbour, and wrong.
    await writeClasses(swapped, ['b', 'a']);
    const args = ['eval', 'own', '--split', 'validation', '--k', '1'];
    expect(await figuresOf(...args, '--data', same)).toMatchObject({ knnTop1: 1, data: same, queryImages: 8 });
    expect(await figuresOf(...args, '--data', swapped)).toMatchObject({ knnTop1: 0, data: swapped });
    const { last } = await new EvaluationFeed(join(runs, 'own'), 'own').read(4);
    expect(last).toMatchObject({
      [`validationKnnTop1 on ${same}`]: 1,
      [`validationKnnTop1 on ${swapped}`]: 0,
    });
    // A folder of train/ and val/ has no test split: without being told, validation.
    expect(await figuresOf('eval', 'own', '--k', '1', '--data', same)).toMatchObject({
      split: 'validation',
      knnTop1: 1,
    });
    expect(await refusal('eval', 'own', '--split', 'test', '--data', same)).toMatch(/no test split.*validation/);
    // The data of a configuration are those of the folder that it names, from wherever it is run.
    const config = join(root, 'one', 'photos.yaml');
    writeFileSync(config, 'extends: tiny\ndata: { kind: imagefolder, path: photos }\n');
    expect(await figuresOf(...args, '--data', config)).toMatchObject({ knnTop1: 1, data: same });
    expect(await refusal('eval', ...args.slice(1), '--data', join(root, 'nowhere'))).toMatchInlineSnapshot(
      `"There is neither a folder nor a configuration file at nowhere, nor a preset 'nowhere'. Give --data a folder with train/ and val/, a YAML file whose data is meant, or a preset (\`simdino config list\`)."`,
    );
  });
});

describe('import and export', () => {
  test('bring a network out and in again: same tensors, same figures; the imported run is looked at and trained on', async () => {
    const [out, again] = [join(root, 'own.safetensors'), join(root, 'again.safetensors')];
    const exported = await figuresOf('export', 'own', '-o', out);
    expect(exported).toMatchObject({ naming: 'dino', path: out });
    const imported = await command('import', out, '--config', 'tiny', '--run-id', 'theirs');
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout).toMatch(/dino names, width 16, 2 blocks, 2 heads, patches of 4 px/);
    expect(imported.stdout).toContain('student: none in the file; it starts as the teacher');
    await figuresOf('export', 'theirs', '-o', again, '--network', 'student');
    const [first, second] = [readSafetensors(out), readSafetensors(again)];
    expect([...second.keys()]).toEqual([...first.keys()]);
    for (const [name, { shape, data }] of first) expect(second.get(name), name).toEqual({ shape, data });

    const neighbours = (id: string) => figuresOf('eval', id, '--split', 'validation', '--what', 'knn');
    const [own, theirs] = [await neighbours('own'), await neighbours('theirs')];
    expect(theirs['knnTop1']).toBe(own['knnTop1']);
    expect(theirs['step']).toBe(0);
    expect(evaluationsOf('theirs')).toHaveLength(1);

    const looked = await command('look', 'theirs', '--images', '1', '--split', 'train');
    expect(looked).toMatchObject({ code: 0, stderr: '' });
    const pictures = readdirSync(looked.stdout.trim());
    expect(pictures).toContain('look.json');
    expect(pictures.filter((name) => name.endsWith('.png')).length).toBeGreaterThan(4);

    const resumed = await command('resume', 'theirs');
    expect(resumed).toMatchObject({ code: 0 });
    const losses = lossesOf(join(runs, 'theirs'), '002');
    expect(losses.size).toBe(16);
    for (const loss of losses.values()) expect(loss).toBeTypeOf('number');
  });

  test('go through PyTorch\u2019s format, where the number of heads is not told by the file', async () => {
    const file = join(root, 'own.pth');
    await figuresOf('export', 'own', '-o', file, '--names', 'timm');
    expect(await refusal('import', file, '--config', 'tiny')).toMatch(/its width 16 does not tell .* with --heads/);
    const { code, stdout } = await command('import', file, '--config', 'tiny', '--run-id', 'torch', '--heads', '2');
    expect([code, stdout]).toEqual([0, expect.stringContaining('width 16, 2 blocks, 2 heads')]);
  });

  test('refuse files, steps and names that can\u2019t be used', async () => {
    const out = join(root, 'refused.safetensors');
    const torn = join(root, 'torn.pth');
    writeFileSync(torn, 'PK\x03\x04 and no more');
    const taken = ['taken.pth', 'taken.safetensors'].map((name) => join(root, name));
    for (const path of taken) writeFileSync(path, 'of somebody else');
    expect([
      await refusal('export', 'own', '-o', out, '--step', '99'),
      await refusal('export', 'own', '-o', out, '--step', 'last'),
      await refusal('export', 'own', '-o', out, '--names', 'mae'),
      await refusal('export', 'own', '-o', out, '--network', 'ema'),
      await refusal('export', 'own', '-o', join(root, 'own.bin')),
      ...(await Promise.all(taken.map((path) => refusal('export', 'own', '-o', path)))),
      await refusal('export', 'own', '-o', join(root, 'nowhere', 'own.pth')),
      await refusal('import', torn, '--config', 'tiny'),
      await refusal('import', join(root, 'nowhere.pth'), '--config', 'tiny'),
      await refusal('import', torn),
    ]).toMatchInlineSnapshot(`
      [
        "Run 'own' can't be evaluated: it has no checkpoint of step 99; it has 8, 16. Wait for its first checkpoint, or ask for one.",
        "--step takes a whole number, got 'last'. See \`simdino --help\`.",
        "--names takes dino, dinov2, timm, got 'mae'. See \`simdino --help\`.",
        "--network takes teacher or student, got 'ema'. See \`simdino --help\`.",
        "-o takes a name that ends in .pth or .safetensors, got 'own.bin'. See \`simdino --help\`.",
        "taken.pth can't be exported: there is a file of that name. Choose other names with --names, or another file with -o.",
        "taken.safetensors can't be exported: there is a file of that name. Choose other names with --names, or another file with -o.",
        "nowhere/own.pth can't be exported: ENOENT. Choose other names with --names, or another file with -o.",
        "torn.pth can't be imported: it is a zip file without an end: it was cut short. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "nowhere.pth can't be imported: it can't be opened (ENOENT). Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "\`simdino import\` needs --config with a configuration, or --data with a folder of images. See \`simdino --help\`.",
      ]
    `);
    expect(existsSync(out)).toBe(false);
    for (const path of taken) expect(readFileSync(path, 'utf8')).toBe('of somebody else');
  });
});

test('figures are kept when the picture of them can\u2019t be written', async () => {
  const before = evaluationsOf('own').length;
  const { code, stdout, stderr } = await command(
    ...['segment', 'own', '--data', voc, '--size', String(sidePx), '--train-steps', '1'],
    ...['-o', join(root, 'nowhere', 'picture.png')],
  );
  expect([code, stderr]).toEqual([2, expect.stringMatching(/picture can't be written to .*nowhere.*ENOENT/)]);
  expect(stdout).toMatch(/own, step 16: mIoU/);
  expect(evaluationsOf('own')).toHaveLength(before + 1);
});

interface Detection {
  image: number;
  score: number;
  mask: Uint8Array;
}

/** COCO's result file, its run lengths unpacked by column. */
function readDetections(path: string): Detection[] {
  const stored = JSON.parse(readFileSync(path, 'utf8')) as {
    image_id: number;
    score: number;
    segmentation: { size: [number, number]; counts: string };
  }[];
  return stored.map(({ image_id: id, score, segmentation }) => {
    expect(segmentation.size).toEqual([sidePx, sidePx]);
    const mask = new Uint8Array(sidePx ** 2);
    let at = 0;
    countsOf(segmentation.counts).forEach((length, index) => {
      for (let end = at + length; at < end; at++)
        if (index % 2 === 1) mask[(at % sidePx) * sidePx + Math.floor(at / sidePx)] = 1;
    });
    expect(at).toBe(sidePx ** 2);
    return { image: id - 1, score, mask };
  });
}

/** Six bits a character, five of them of the number, from the third on as differences to the number before the last. */
function countsOf(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let bits = 0;
    let code: number;
    do {
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << bits;
      bits += 5;
    } while (code & 32);
    if (code & 16) value |= -1 << bits;
    counts.push(counts.length > 2 ? value + counts.at(-2)! : value);
  }
  return counts;
}

type Overlap = (a: Uint8Array, b: Uint8Array) => number;

const maskOverlap: Overlap = (a, b) => {
  const both = a.filter((inside, at) => inside && b[at]).length;
  return both / (a.filter(Boolean).length + b.filter(Boolean).length - both);
};
const boxOverlap: Overlap = (a, b) => maskOverlap(filledBox(a), filledBox(b));

function filledBox(mask: Uint8Array): Uint8Array {
  const inside = [...mask.keys()].filter((at) => mask[at]);
  const [xs, ys] = [inside.map((at) => at % sidePx), inside.map((at) => Math.floor(at / sidePx))];
  const within = (value: number, of: number[]) => value >= Math.min(...of) && value <= Math.max(...of);
  return mask.map((_, at) => (within(at % sidePx, xs) && within(Math.floor(at / sidePx), ys) ? 1 : 0));
}

/** Average precision of one threshold where every image has one object: the surest detection that meets it finds it. */
function averagePrecision(detections: Detection[], truth: Uint8Array[], overlap: Overlap, threshold: number): number {
  const found = new Set<number>();
  const points: { recall: number; precision: number }[] = [];
  [...detections]
    .sort((a, b) => b.score - a.score)
    .forEach(({ image, mask }, index) => {
      if (overlap(mask, truth[image]!) >= threshold) found.add(image);
      points.push({ recall: found.size / truth.length, precision: found.size / (index + 1) });
    });
  const at = (recall: number) => points.filter((point) => point.recall >= recall).map(({ precision }) => precision);
  const levels = Array.from({ length: 101 }, (_, index) => index / 100);
  return levels.reduce((sum, recall) => sum + Math.max(0, ...at(recall)), 0) / levels.length;
}
