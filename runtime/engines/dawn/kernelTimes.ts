import { writeFileSync } from 'node:fs';
import type { DawnDevice } from './device.ts';
import type { PlannedKernel } from './plan/plan.ts';

/** Queries that a set may hold. */
const MOST_QUERIES = 4096;

interface KernelEvent {
  cat: 'Api';
  name: string;
  /** Microseconds. */
  ts: number;
  dur: number;
  args: { shapes: string };
}

/** The GPU's own times of kernels, for chrome://tracing, in the events that ONNX Runtime writes of its kernels. */
export class KernelTimes {
  readonly #events: KernelEvent[] = [];
  readonly #gpu: DawnDevice;
  readonly #path: string;

  /** @param profileTo the beginning of the trace's path */
  constructor(gpu: DawnDevice, profileTo: string) {
    this.#gpu = gpu;
    this.#path = `${profileTo}_dawn.json`;
  }

  /** Runs kernels, each in a pass of its own, and notes how long each took. */
  async run(
    kernels: readonly PlannedKernel[],
    encode: (pass: GPUComputePassEncoder, index: number) => void,
  ): Promise<void> {
    for (let first = 0; first < kernels.length; first += MOST_QUERIES / 2)
      await this.#runSome(kernels.slice(first, first + MOST_QUERIES / 2), (pass, index) => encode(pass, first + index));
  }

  write(): void {
    writeFileSync(this.#path, JSON.stringify(this.#events));
  }

  async #runSome(kernels: readonly PlannedKernel[], encode: (pass: GPUComputePassEncoder, index: number) => void) {
    const { device, lost } = this.#gpu;
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * kernels.length });
    const resolved = device.createBuffer({ size: 16 * kernels.length, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = device.createBuffer({ size: 16 * kernels.length, usage: COPY_DST | MAP_READ });
    const encoder = device.createCommandEncoder();
    kernels.forEach((_, index) => {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 },
      });
      encode(pass, index);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * kernels.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * kernels.length);
    device.queue.submit([encoder.finish()]);
    await Promise.race([staging.mapAsync(GPUMapMode.READ), lost]);
    const times = new BigUint64Array(staging.getMappedRange());
    kernels.forEach(({ label }, index) => {
      const [began, ended] = [times[2 * index]!, times[2 * index + 1]!];
      const bracket = label.indexOf(' [');
      this.#events.push({
        cat: 'Api',
        name: `step&${label.slice(0, bracket)}`,
        ts: Number(began) / 1000,
        dur: Number(ended - began) / 1000,
        args: { shapes: label.slice(bracket + 1) },
      });
    });
    for (const buffer of [resolved, staging]) buffer.destroy();
    querySet.destroy();
  }
}
