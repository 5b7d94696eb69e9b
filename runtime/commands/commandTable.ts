/** The commands of `simdino`, each in a module of its own. */
export interface Command {
  summary: string;
  /** Imported on use, so that `simdino runs` never loads an engine. */
  load: () => Promise<CommandModule>;
  /** What is loaded instead where the first argument is one of these words. */
  variants?: Record<string, () => Promise<CommandModule>>;
}

interface CommandModule {
  run(args: string[]): Promise<number>;
}

export const commands: Record<string, Command> = {
  train: { summary: 'CONFIG  train from a configuration file or a preset', load: () => import('./train.ts') },
  resume: { summary: 'RUN     continue a run from its last checkpoint', load: () => import('./resume.ts') },
  fork: { summary: 'RUN     start a run from another with changes', load: () => import('./fork.ts') },
  checkpoints: {
    summary: 'RUN  list what a run has kept, delete one of them, or ask for one now',
    load: () => import('./checkpoints.ts'),
  },
  stop: {
    summary: 'RUN     ask a run to write a checkpoint and stop, or end it by force',
    load: () => import('./stop.ts'),
  },
  runs: {
    summary: '        list the runs and what they are doing; filter, sort, group, find the best, export',
    load: () => import('./runs.ts'),
  },
  grids: { summary: '[GRID]  list the ablation grids, or the cells of one', load: () => import('./grids.ts') },
  curve: { summary: 'RUN...  draw a metric of runs as SVG', load: () => import('./curve.ts') },
  eval: {
    summary: 'RUN     evaluate a checkpoint of a run by k-NN and linear classification',
    load: () => import('./eval.ts'),
  },
  look: {
    summary: 'RUN     pictures of what it learned: attention, components, objects, neighbours, spectrum',
    load: () => import('./look.ts'),
  },
  detect: {
    summary: 'RUN     objects without labels (MaskCut), by COCO\u2019s figures',
    load: () => import('./detect.ts'),
  },
  segment: {
    summary: 'RUN     linear segmentation of a folder with masks',
    load: () => import('./segment.ts'),
  },
  track: { summary: 'RUN     objects of a video from their first frame', load: () => import('./track.ts') },
  report: { summary: 'RUN...  write one self-contained HTML file', load: () => import('./report.ts') },
  paper: { summary: 'make|verify tables that can be checked', load: () => import('./paper.ts') },
  sweep: { summary: 'FILE    run the cells of an ablation grid', load: () => import('./sweep.ts') },
  jobs: {
    summary: '        runs that were given to a cluster, and what it says',
    load: () => import('./jobs.ts'),
  },
  export: {
    summary: 'RUN     a network as .pth or .safetensors; tensorboard|csv|parquet RUN...: metrics for other tools',
    load: () => import('./export.ts'),
    variants: {
      tensorboard: () => import('./exportMetrics.ts'),
      csv: () => import('./exportMetrics.ts'),
      parquet: () => import('./exportMetrics.ts'),
    },
  },
  import: {
    summary:
      'FILE    a checkpoint of DINO, DINOv2, SimDINO or timm into a run; log|tensorboard PATH: somebody\u2019s curves',
    load: () => import('./import.ts'),
    variants: {
      log: () => import('./importLog.ts'),
      tensorboard: () => import('./importLog.ts'),
    },
  },
  annotate: { summary: 'RUN... name, star, tag, note or archive runs', load: () => import('./annotate.ts') },
  queue: { summary: 'add|list|... let runs wait for a device', load: () => import('./queue.ts') },
  config: { summary: 'check|resolve|diff FILE  look at a configuration', load: () => import('./config.ts') },
  data: { summary: 'CONFIG  check a data set: images, classes, faults', load: () => import('./data.ts') },
  preview: {
    summary: 'CONFIG  write a picture of the crops that training would see',
    load: () => import('./preview.ts'),
  },
  devices: {
    summary: '        list engines and devices, and which works',
    load: () => import('./devices.ts'),
  },
  bench: { summary: '[CONFIG] time the training step on each engine', load: () => import('./bench.ts') },
  quickstart: {
    summary: '        train the quick start and report on it',
    load: () => import('./quickstart.ts'),
  },
};
