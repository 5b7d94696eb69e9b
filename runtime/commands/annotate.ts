import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { changeAnnotations } from '../../experiments/store/annotationsFile.ts';
import { errors } from '../../protocol/errors.ts';
import type { Annotations } from '../../protocol/records.ts';
import { isRunId } from '../../protocol/runFolder.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino annotate RUN... [options]   what people say about runs

  --name TEXT       what the run is called; empty shows its folder's name again
  --star, --no-star
  --tags A,B        replaces the tags; empty removes them
  --note TEXT
  --archive, --no-archive
  --runs-dir DIR    where run folders are (default: runs)
`;

/** `simdino annotate`: names, stars, tags, notes and the archive, in a file that the trainer never touches. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    allowNegative: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      name: { type: 'string' },
      star: { type: 'boolean' },
      tags: { type: 'string' },
      note: { type: 'string' },
      archive: { type: 'boolean' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const changes: Annotations = {
    ...(values.name === undefined ? {} : { name: values.name.trim() }),
    ...(values.star === undefined ? {} : { star: values.star }),
    ...(values.tags === undefined ? {} : { tags: tagsOf(values.tags) }),
    ...(values.note === undefined ? {} : { notes: values.note }),
    ...(values.archive === undefined ? {} : { archived: values.archive }),
  };
  if (values.help || positionals.length === 0) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  if (Object.keys(changes).length === 0)
    throw errors.usage('`simdino annotate` needs something to change: --name, --star, --tags, --note or --archive.');
  const runsFolder = resolve(values['runs-dir']);
  for (const id of positionals)
    if (!isRunId(id) || !existsSync(join(runsFolder, id))) throw errors.runMissing(id, runsFolder);
  for (const id of positionals) await changeAnnotations(join(runsFolder, id), changes);
  return exitCodes.success;
}

function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}
