import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import { parseOverrides, readConfigFile } from '../configFile.ts';
import { engineNames, isUsable, type EngineName, type EngineReport } from '../engines/devices/engineReport.ts';
import { machineReports } from '../engines/devices/machineReports.ts';
import { startExecutor } from '../engines/executor/startExecutor.ts';
import { productOperations } from '../engines/graph/arithmetic.ts';
import { record } from '../engines/trace/record.ts';
import { builtFile } from '../installation.ts';
import { buildTrainStep, type TrainStep } from '../trainStep.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

const usage = `Usage: simdino bench [CONFIG] [options]

Times the training step of CONFIG (a YAML file or a preset's name; default: quickstart) on random crops, on every engine that works here.
The share of the peak is of the speed that the same device reaches at a product of large matrices.

  --engine NAME      one engine alone: ${engineNames.join(', ')}
  --steps N          steps timed after two that are not (default: 10)
  --set KEY=VALUE    changes one value; may be repeated
  --json             prints one JSON object instead of a table
`;

interface Timing {
  engine: EngineName;
  device: string;
  medianMs: number;
  minMs: number;
  imagesPerSecond: number;
  gflops: number;
  /** Of the product's speed on the same device. */
  shareOfPeak: number | null;
  /** From nothing to the first step's result. */
  firstStepMs: number;
}

/** `simdino bench` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      engine: { type: 'string' },
      steps: { type: 'string', default: '10' },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return exitCodes.success;
  }
  const steps = Number(values.steps);
  if (!Number.isInteger(steps) || steps < 1)
    throw errors.usage(`--steps must be a whole number from 1, got ${values.steps}.`);
  const { config, path } = readConfigFile(positionals[0] ?? 'quickstart', parseOverrides(values.set));
  const trainStep = buildTrainStep(config, totals);
  const gflop = productOperations(record(trainStep.program).graph) / 1e9;

  const timings: Timing[] = [];
  for (const report of await enginesToTime(values.engine)) {
    process.stderr.write(`timing ${report.engine} on ${report.device} ...\n`);
    timings.push(await timeEngine(report, config, trainStep, { gflop, steps }));
  }
  const { crops, train } = config;
  const step = { config: path, gflop, batchSize: train.batchSize, crops: crops.global.count + crops.local.count };
  if (values.json) process.stdout.write(`${JSON.stringify({ step, steps, engines: timings }, null, 2)}\n`);
  else {
    process.stdout.write(
      `A step of ${path}: ${step.batchSize} images, ${step.crops} crops each, ${gflop.toFixed(1)} GFLOP in products.\n\n`,
    );
    process.stdout.write(`${formatTable([header, ...timings.map(row)])}\n`);
  }
  return exitCodes.success;
}

/** Schedules need a length; the time of a step does not depend on it. */
const totals = { stepsPerEpoch: 100, totalSteps: 1000, warmupSteps: 10 };
const warmUps = 2;

async function enginesToTime(name: string | undefined): Promise<EngineReport[]> {
  const onProbe = (engine: string) => process.stderr.write(`trying ${engine} ...\n`);
  if (name === undefined) return (await machineReports({ onProbe })).filter(isUsable);
  const engine = engineNames.find((known) => known === name);
  if (!engine) throw errors.usage(`There is no engine '${name}'; the engines are ${engineNames.join(', ')}.`);
  const reports = await machineReports({ engines: [engine], onProbe });
  for (const report of reports)
    if (!isUsable(report)) throw errors.engineUnavailable(engine, report.reason, ['auto', 'onnx']);
  return reports;
}

async function timeEngine(
  { engine, device, gflops: peak }: EngineReport,
  config: ResolvedConfig,
  trainStep: TrainStep,
  { gflop, steps }: { gflop: number; steps: number },
): Promise<Timing> {
  const startedMs = performance.now();
  const { threads } = config.runtime;
  const executor = await startExecutor({
    entry: builtFile('executor.mjs'),
    engine,
    ...(threads > 0 ? { threads } : {}),
    spec: { config, totals },
  });
  try {
    const crops = randomCrops(trainStep);
    const times: number[] = [];
    let firstStepMs = 0;
    for (let index = 0; index < warmUps + steps; index++) {
      const beganMs = performance.now();
      await executor.run('train', { ...crops, ...trainStep.inputsAt(index) });
      const endedMs = performance.now();
      if (index === 0) firstStepMs = endedMs - startedMs;
      if (index >= warmUps) times.push(endedMs - beganMs);
    }
    times.sort((a, b) => a - b);
    const medianMs = times[times.length >> 1]!;
    const gflops = gflop / (medianMs / 1000);
    return {
      engine,
      device,
      medianMs,
      minMs: times[0]!,
      imagesPerSecond: (1000 * config.train.batchSize) / medianMs,
      gflops,
      shareOfPeak: peak === undefined ? null : gflops / peak,
      firstStepMs,
    };
  } finally {
    await executor.close();
  }
}

/** Arithmetic takes as long on noise as on pictures. */
function randomCrops({ program }: TrainStep): Record<string, Uint8Array> {
  let state = 1;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  return Object.fromEntries(
    Object.entries(program.inputs)
      .filter(([, { dtype }]) => dtype === 'uint8')
      .map(([name, { shape }]) => [name, Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, noise)]),
  );
}

const header = ['ENGINE', 'DEVICE', 'MS/STEP', 'BEST', 'IMAGES/S', 'GFLOP/S', 'OF PEAK', 'FIRST STEP'];

function row({ engine, device, medianMs, minMs, imagesPerSecond, gflops, shareOfPeak, firstStepMs }: Timing): string[] {
  return [
    engine,
    device,
    medianMs.toFixed(1),
    minMs.toFixed(1),
    imagesPerSecond.toFixed(imagesPerSecond < 10 ? 2 : 0),
    gflops.toFixed(gflops < 10 ? 2 : 0),
    shareOfPeak === null ? '-' : `${(100 * shareOfPeak).toFixed(0)} %`,
    `${(firstStepMs / 1000).toFixed(1)} s`,
  ];
}
