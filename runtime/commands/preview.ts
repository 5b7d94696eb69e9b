import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { parseOverrides, readConfigFile } from '../configFile.ts';
import { contactSheet } from '../preview/contactSheet.ts';
import { describeView } from '../preview/describeView.ts';
import { imagesInOrder, previewOfFile, previewOfSplit, type PreviewImage } from '../preview/previewImages.ts';
import { openConfiguredData } from './configuredData.ts';
import { exitCodes } from './exitCodes.ts';

const maxImages = 32;

/**
 * `simdino preview`: the crops that training would see, as one PNG. Without `--image` or `--file` these are the first
 * images of an epoch, from place `--skip` on.
 */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      image: { type: 'string' },
      file: { type: 'string' },
      images: { type: 'string', default: '4' },
      skip: { type: 'string', default: '0' },
      epoch: { type: 'string', default: '0' },
      seed: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'preview.png' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const [file] = positionals;
  if (file === undefined) throw errors.usage('`simdino preview` needs a configuration.');
  const { config, path } = readConfigFile(file, parseOverrides(values.set));
  const epoch = wholeNumber('epoch', values.epoch);
  const seed = values.seed === undefined ? config.seed : wholeNumber('seed', values.seed);
  const previews: PreviewImage[] = [];
  if (values.file !== undefined) {
    previews.push(await previewOfFile(resolve(values.file), config.crops, { seed, epoch, image: 0 }));
  } else {
    const { train } = await openConfiguredData(config.data, path);
    const count = wholeNumber('images', values.images, maxImages);
    const first = wholeNumber('skip', values.skip);
    const images =
      values.image === undefined
        ? imagesInOrder(train, { seed, epoch, first, count })
        : [wholeNumber('image', values.image, train.size - 1)];
    for (const image of images) previews.push(await previewOfSplit(train, config.crops, { seed, epoch, image }));
  }
  if (previews.length === 0) throw errors.usage('--images 0 leaves nothing to show.');
  const output = resolve(values.output);
  const title = `${basename(path)}: crops of epoch ${epoch}, seed ${seed}`;
  await writeFile(output, await contactSheet(previews, title)).catch((error: unknown) => {
    throw errors.usage(`The picture can't be written to ${output}: ${(error as Error).message}.`);
  });
  const lines = previews.flatMap(({ name, className, views }) => [
    className === null ? name : `${name} (${className})`,
    ...views.map((_, index) => `  ${describeView(views, index)}`),
  ]);
  process.stdout.write(`${[...lines, output].join('\n')}\n`);
  return exitCodes.success;
}

function wholeNumber(option: string, value: string, largest = 2 ** 32 - 1): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > largest)
    throw errors.usage(`--${option} takes a whole number up to ${largest}, got '${value}'.`);
  return number;
}
