/** What a training run tells about itself while it goes on. */
export interface TrainProgress {
  step: number;
  totalSteps: number;
  epoch: number;
  totalEpochs: number;
  loss: number;
  distance: number;
  codingRate: number;
  codingRateMax: number;
  imagesPerSecond: number;
  /** Last k-NN accuracy, 0 to 1. */
  knnTop1: number | null;
  etaMs: number;
}

interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Draws a progress line that rewrites itself on a terminal, and one line every `everyMs` in a pipe or a log, where
 * rewriting would leave garbage.
 */
export function createProgressDisplay(
  stream: ProgressStream,
  { now, everyMs = 10_000 }: { now: () => number; everyMs?: number },
): { update(progress: TrainProgress): void; message(text: string): void; end(): void } {
  const interactive = stream.isTTY === true;
  let drawnAt = -Infinity;
  let shown = false;
  const clear = () => {
    if (shown) stream.write('\r\u001b[2K');
    shown = false;
  };
  return {
    update: (progress) => {
      const last = progress.step >= progress.totalSteps;
      if (!last && now() - drawnAt < (interactive ? 100 : everyMs)) return;
      drawnAt = now();
      if (interactive) {
        stream.write(`\r\u001b[2K${formatProgress(progress, stream.columns ?? 100)}`);
        shown = true;
      } else stream.write(`${formatProgress(progress, Infinity)}\n`);
    },
    message: (text) => {
      clear();
      stream.write(`${text}\n`);
    },
    end: () => {
      if (shown) stream.write('\n');
      shown = false;
    },
  };
}

/** One line: bar, share, epoch, losses, throughput, time left; shortened from the right to fit. */
export function formatProgress(progress: TrainProgress, columns: number): string {
  const done = progress.totalSteps === 0 ? 1 : progress.step / progress.totalSteps;
  const cells = 20;
  const filled = Math.round(done * cells);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}`;
  const parts = [
    `${bar} ${(100 * done).toFixed(0).padStart(3)} %`,
    `epoch ${progress.epoch.toFixed(1)}/${trim(progress.totalEpochs)}`,
    `loss ${progress.loss.toFixed(4)}`,
    `distance ${progress.distance.toFixed(4)}`,
    `rate ${progress.codingRate.toFixed(1)}/${progress.codingRateMax.toFixed(1)}`,
    `${progress.imagesPerSecond.toFixed(0)} images/s`,
    ...(progress.knnTop1 === null ? [] : [`k-NN ${(100 * progress.knnTop1).toFixed(1)} %`]),
    `ETA ${formatDuration(progress.etaMs)}`,
  ];
  let line = parts.join('  ');
  // The time left is what people look for; drop from the middle instead.
  while (line.length > columns && parts.length > 3) {
    parts.splice(parts.length - 2, 1);
    line = parts.join('  ');
  }
  return line.slice(0, columns === Infinity ? undefined : columns);
}

/** `75_000` is `1:15`, `3_700_000` is `1:01:40`. */
export function formatDuration(elapsedMs: number): string {
  if (!Number.isFinite(elapsedMs)) return '--:--';
  const seconds = Math.max(0, Math.round(elapsedMs / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const trim = (value: number) => String(Number(value.toFixed(2)));
