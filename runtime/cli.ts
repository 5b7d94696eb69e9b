#!/usr/bin/env node
/** `simdino`: everything the editor does, from a terminal. */
import { isSimdinoError, errors } from '../protocol/errors.ts';
import { exitCodes } from './commands/exitCodes.ts';

interface Command {
  summary: string;
  /** Imported on use, so that `simdino runs` never loads an engine. */
  load: () => Promise<CommandModule>;
  /** What is loaded instead where the first argument is one of these words. */
  variants?: Record<string, () => Promise<CommandModule>>;
}

interface CommandModule {
  run(args: string[]): Promise<number>;
}

const commands: Record<string, Command> = {
  train: { summary: 'CONFIG  train from a configuration file or a preset', load: () => import('./commands/train.ts') },
  resume: { summary: 'RUN     continue a run from its last checkpoint', load: () => import('./commands/resume.ts') },
  fork: { summary: 'RUN     start a run from another with changes', load: () => import('./commands/fork.ts') },
  checkpoints: {
    summary: 'RUN  list what a run has kept, or delete one of them',
    load: () => import('./commands/checkpoints.ts'),
  },
  stop: { summary: 'RUN     ask a run to write a checkpoint and stop', load: () => import('./commands/stop.ts') },
  runs: { summary: '        list the runs and what they are doing', load: () => import('./commands/runs.ts') },
  eval: { summary: 'RUN     evaluate a run\u2019s checkpoint by k-NN', load: () => import('./commands/eval.ts') },
  look: {
    summary: 'RUN     pictures of what it learned: attention, components, objects, neighbours, spectrum',
    load: () => import('./commands/look.ts'),
  },
  detect: {
    summary: 'RUN     objects without labels (MaskCut), by COCO\u2019s figures',
    load: () => import('./commands/detect.ts'),
  },
  segment: {
    summary: 'RUN     linear segmentation of a folder with masks',
    load: () => import('./commands/segment.ts'),
  },
  track: { summary: 'RUN     objects of a video from their first frame', load: () => import('./commands/track.ts') },
  report: { summary: 'RUN...  write one self-contained HTML file', load: () => import('./commands/report.ts') },
  paper: { summary: 'make|verify tables that can be checked', load: () => import('./commands/paper.ts') },
  sweep: { summary: 'FILE    run the cells of an ablation grid', load: () => import('./commands/sweep.ts') },
  jobs: {
    summary: '        runs that were given to a cluster, and what it says',
    load: () => import('./commands/jobs.ts'),
  },
  export: {
    summary: 'RUN     a network as .pth or .safetensors; tensorboard|csv|parquet RUN...: metrics for other tools',
    load: () => import('./commands/export.ts'),
    variants: {
      tensorboard: () => import('./commands/exportMetrics.ts'),
      csv: () => import('./commands/exportMetrics.ts'),
      parquet: () => import('./commands/exportMetrics.ts'),
    },
  },
  import: {
    summary:
      'FILE    a checkpoint of DINO, DINOv2, SimDINO or timm into a run; log|tensorboard PATH: somebody\u2019s curves',
    load: () => import('./commands/import.ts'),
    variants: {
      log: () => import('./commands/importLog.ts'),
      tensorboard: () => import('./commands/importLog.ts'),
    },
  },
  annotate: { summary: 'RUN... name, star, tag, note or archive runs', load: () => import('./commands/annotate.ts') },
  queue: { summary: 'add|list|... let runs wait for a device', load: () => import('./commands/queue.ts') },
  config: { summary: 'check|resolve|diff FILE  look at a configuration', load: () => import('./commands/config.ts') },
  data: { summary: 'CONFIG  check a data set: images, classes, faults', load: () => import('./commands/data.ts') },
  preview: {
    summary: 'CONFIG  write a picture of the crops that training would see',
    load: () => import('./commands/preview.ts'),
  },
  devices: {
    summary: '        list engines and devices, and which works',
    load: () => import('./commands/devices.ts'),
  },
  bench: { summary: '[CONFIG] time the training step on each engine', load: () => import('./commands/bench.ts') },
  quickstart: {
    summary: '        train the quick start and report on it',
    load: () => import('./commands/quickstart.ts'),
  },
};

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return name === undefined ? exitCodes.usage : exitCodes.success;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw errors.usage(`There is no command '${name}'; the commands are ${Object.keys(commands).join(', ')}.`);
  const [word = ''] = rest;
  const variant = Object.hasOwn(command.variants ?? {}, word) ? command.variants?.[word] : undefined;
  return (await (variant ?? command.load)()).run(rest);
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `simdino - self-supervised vision pretraining by coding rate

Usage: simdino COMMAND [ARGUMENTS]

${lines.join('\n')}

Options of most commands: --runs-dir DIR (default: runs), --json, --help.
Exit codes: 0 done, 1 internal fault, 2 wrong usage or configuration, 3 the run failed, 4 stopped on request.
`;
}

// A reader that has seen enough, such as `head`, is no fault of this command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.success);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isSimdinoError(error)) {
    process.stderr.write(`simdino: ${error.message}\n`);
    process.exitCode = exitCodes.usage;
  } else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`simdino: ${error.message}. See \`simdino --help\`.\n`);
    process.exitCode = exitCodes.usage;
  } else {
    process.stderr.write(
      `simdino: internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = exitCodes.internal;
  }
}
