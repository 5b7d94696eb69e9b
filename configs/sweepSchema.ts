/** Sweep files: one base configuration, some keys that vary, and how to compare the runs. */
import { z } from 'zod';
import { metricCatalogue, type MetricName } from '../protocol/metrics.ts';
import type { FieldInfo } from './schema.ts';

function field<T extends z.ZodType>(type: T, info: FieldInfo & { expected?: string }): T {
  return type.meta({ ...info });
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const metricNames = Object.keys(metricCatalogue) as [MetricName, ...MetricName[]];

export const sweepSchema = z.strictObject({
  base: field(z.string().min(1), {
    description: 'A preset\u2019s name or the path of a configuration that every run starts from.',
    expected: 'the name of a preset or the path of a configuration',
  }),
  set: field(z.record(z.string(), z.unknown()).prefault({}), {
    description: 'Values that replace the base\u2019s in every run, by dotted key: `train.epochs: 1`.',
  }),
  axes: field(z.record(z.string(), z.array(scalar).min(1)).prefault({}), {
    description: 'Keys that vary, each with its list of values: every combination becomes a cell.',
    expected: 'dotted keys, each with a list of one or more values',
  }),
  cells: field(z.array(z.record(z.string(), scalar)).min(1).optional(), {
    description: 'The cells one by one, in place of `axes`: each a map of dotted keys to values.',
    expected: 'a list of maps from dotted keys to values',
  }),
  seeds: field(z.array(z.number().int().min(0)).min(1).default([0]), {
    description: 'Every cell runs once with each seed.',
    expected: 'a list of whole numbers, each 0 or more',
  }),
  metric: field(z.enum(metricNames).default('knnTop1'), { description: 'The metric that cells are compared by.' }),
  goal: field(z.enum(['maximise', 'minimise']).optional(), {
    description: 'Which way the metric is better; follows from the metric unless told.',
  }),
  devices: field(z.array(z.union([z.number().int().min(0), z.string().min(1)])).default([]), {
    description:
      'GPUs that the runs are spread over, as CUDA and ROCm number them: with as many `slots`, each has one run at a time. Left out, every run sees all of them. Vulkan has no such choice: the engines `dawn` and `webgpu` take the fastest GPU that the system shows them, whatever the number.',
    expected: 'a list of numbers of GPUs',
  }),
  slots: field(z.number().int().min(1).max(64).default(1), { description: 'Runs that train at the same time.' }),
});

export type SweepFile = z.output<typeof sweepSchema>;
