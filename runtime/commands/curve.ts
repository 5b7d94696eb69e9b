import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { curveFigure } from '../../experiments/curveFigure.ts';
import { figureSvg } from '../../experiments/figureSvg.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { RunFeed } from '../../experiments/store/runFeed.ts';
import { xAxes } from '../../experiments/xAxis.ts';
import { errors } from '../../protocol/errors.ts';
import { metricMeant } from '../../protocol/metrics.ts';
import { isRunId, runFiles } from '../../protocol/runFolder.ts';
import { guard } from '../run/appendLines.ts';
import { exitCodes } from './exitCodes.ts';
import { sayMetricMeant } from './metricArguments.ts';
import { sayProblems } from './sayProblems.ts';

const usage = `Usage: simdino curve RUN... [options]   a metric of runs as a vector graphic

  --metric NAME      what to draw (default: loss); the data of a figure on others may be left out where there is but one
  -o, --out FILE     where the SVG goes (default: to the terminal)
  --axis AXIS        step (default), epoch or time
  --smoothing SHARE  of the moving average, 0 for none (default: 0.8)
  --log              a logarithmic vertical axis
  --size WxH         in pixels (default: 720x420)
  --runs-dir DIR     where run folders are (default: runs)
`;

/** `simdino curve`: what a chart's "Export SVG" saves. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals: ids } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      metric: { type: 'string', default: 'loss' },
      out: { type: 'string', short: 'o' },
      axis: { type: 'string', default: 'step' },
      smoothing: { type: 'string', default: '0.8' },
      log: { type: 'boolean', default: false },
      size: { type: 'string', default: '720x420' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || ids.length === 0) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const axis = xAxes.find((known) => known === values.axis);
  if (!axis) throw errors.usage(`--axis takes ${xAxes.join(', ')}, got '${values.axis}'.`);
  const beta = Number(values.smoothing);
  if (!(beta >= 0 && beta < 1)) throw errors.usage(`--smoothing takes 0 to below 1, got '${values.smoothing}'.`);
  const [, widthPx, heightPx] = (/^(\d{2,4})x(\d{2,4})$/.exec(values.size) ?? []).map(Number);
  if (widthPx === undefined || heightPx === undefined || widthPx < 200 || heightPx < 150)
    throw errors.usage(`--size takes a width and a height of at least 200x150, got '${values.size}'.`);

  const runsFolder = resolve(values['runs-dir']);
  const watch = new LivenessWatch();
  const runs = await Promise.all(
    ids.map(async (id) => {
      const folder = join(runsFolder, id);
      if (!isRunId(id) || !existsSync(join(folder, runFiles.record))) throw errors.runMissing(id, runsFolder);
      return new RunFeed(folder, id, watch).read(Date.now());
    }),
  );
  const logged = [...new Set(runs.flatMap(({ series }) => series.map((one) => one.metric)))].sort();
  const metric = metricMeant(values.metric, logged);
  if (metric === undefined)
    throw errors.usage(`Nothing was logged as '${values.metric}'; there are ${logged.join(', ') || 'no metrics yet'}.`);
  sayMetricMeant(values.metric, metric);
  for (const { summary, series } of runs)
    if (!series.some((one) => one.metric === metric)) process.stderr.write(`${summary.id} has no ${metric}\n`);

  sayProblems(runs.map(({ summary }) => summary));

  const svg = figureSvg(curveFigure(runs, { metric, axis, beta, logarithmicY: values.log, widthPx, heightPx }));
  if (values.out === undefined) process.stdout.write(svg);
  else {
    const path = resolve(values.out);
    guard(path, () => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, svg);
    });
    process.stdout.write(`${path}\n`);
  }
  return exitCodes.success;
}
