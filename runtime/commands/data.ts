import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { readConfigFile } from '../configFile.ts';
import { checkDataset } from '../data/checkDataset.ts';
import { openConfiguredData } from './configuredData.ts';
import { exitCodes } from './exitCodes.ts';

/** Faults printed in full; the rest are counted. */
const faultsShown = 20;

/** `simdino data`: decodes every image of a configuration's data set and counts images, classes and faults. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [file] = positionals;
  if (file === undefined) throw errors.usage('`simdino data` needs a configuration.');
  const { config, path } = readConfigFile(file);
  const dataset = await openConfiguredData(config.data, path);
  const reports = await checkDataset(dataset);
  const { leftOut = [] } = dataset;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ path: dataset.path, splits: reports, leftOut }, null, 2)}\n`);
  else {
    process.stdout.write(`${dataset.kind} at ${dataset.path}\n`);
    for (const { name, images, perClass, sizesPx, faults } of reports) {
      const sizes = sizesPx ? `, ${sizesPx.smallest.join(' x ')} to ${sizesPx.largest.join(' x ')} px` : '';
      const classes = perClass === null ? 'no labels' : `${perClass.length} classes`;
      process.stdout.write(`${name}: ${images} images, ${classes}, ${faults.length} faulty${sizes}\n`);
      for (const { name: label, images: count } of perClass ?? []) process.stdout.write(`  ${label}: ${count}\n`);
      for (const { image, reason } of faults.slice(0, faultsShown))
        process.stdout.write(`  faulty ${image}: ${reason}\n`);
      if (faults.length > faultsShown) process.stdout.write(`  and ${faults.length - faultsShown} more\n`);
    }
    for (const { reason, files, first } of leftOut)
      process.stdout.write(`left out: ${files === 1 ? '1 file' : `${files} files`} ${reason}, such as ${first}\n`);
  }
  return reports.some(({ faults }) => faults.length > 0) ? exitCodes.failed : exitCodes.success;
}
