import { parseArgs } from 'node:util';
import { fastest } from '../engines/selectEngine.ts';
import { isUsable, type EngineReport } from '../engines/devices/engineReport.ts';
import { machineReports } from '../engines/devices/machineReports.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

/** `simdino devices`: every engine, what it computes on here, and whether it can train; tried now, not remembered. */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false } },
  });
  const reports = await machineReports({
    refresh: true,
    onProbe: (engine) => process.stderr.write(`trying ${engine} ...\n`),
  });
  const usable = reports.some(isUsable);
  if (values.json) process.stdout.write(`${JSON.stringify({ engines: reports }, null, 2)}\n`);
  else {
    process.stdout.write(`${formatTable([['ENGINE', 'DEVICE', 'VERDICT', 'GFLOP/S'], ...reports.map(row)])}\n\n`);
    for (const { engine, adapter, reason } of reports) {
      if (adapter) {
        const { maxBindingBytes, maxBufferBytes } = adapter.limits;
        process.stdout.write(
          `${engine}: arrays up to ${mebibytes(maxBindingBytes)}, buffers up to ${mebibytes(maxBufferBytes)}\n`,
        );
      }
      if (reason) process.stdout.write(`${engine}: ${reason}\n`);
    }
    if (usable) {
      const { report, reason } = fastest(reports);
      process.stdout.write(`\nengine: auto takes ${report.engine}: ${reason}.\n`);
    }
  }
  return usable ? exitCodes.success : exitCodes.failed;
}

function row({ engine, device, verdict, gflops }: EngineReport): string[] {
  return [engine, device, verdict, gflops === undefined ? '-' : gflops.toFixed(gflops < 10 ? 1 : 0)];
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
