/** Metric values as people read them: the same words in panels, tables and the terminal. */
import { withoutData } from '../protocol/metrics.ts';

const percentages = new Set([
  'knnTop1',
  'knnTop5',
  'linearTop1',
  'linearTop5',
  'testKnnTop1',
  'validationKnnTop1',
  'testLinearTop1',
  'validationLinearTop1',
  'segmentationIou',
  'segmentationAccuracy',
  'pixelAccuracy',
  'videoJF',
  'videoJ',
  'videoF',
  'boxAP',
  'boxAP50',
  'boxAP75',
  'maskAP',
  'maskAP50',
  'maskAP75',
  'dataWaitShare',
  'gpuShare',
]);

/** `formatMetric('knnTop1', 0.7123)` is `71.2 %`; a value that is not finite is named. */
export function formatMetric(metric: string, value: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  if (percentages.has(withoutData(metric))) return `${(100 * value).toFixed(1)} %`;
  if (metric === 'memoryBytes' || metric === 'gpuMemoryBytes') return formatBytes(value);
  if (metric === 'imagesPerSecond' || metric === 'stepMs') return formatNumber(value, 3);
  return formatNumber(value);
}

/** The number that a table of results holds, and its unit apart: k-NN in per cent. */
export function tableValue(metric: string, value: number): { value: number; unit: string } {
  return percentages.has(withoutData(metric)) ? { value: 100 * value, unit: '%' } : { value, unit: '' };
}

/** Significant digits without trailing noise: 0.2236, 1.25e-4, 12 300. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '\u221e' : '\u2212\u221e';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  const sign = value < 0 ? '\u2212' : '';
  if (magnitude >= 1e6 || magnitude < 1e-3) {
    const [mantissa, exponent] = magnitude.toExponential(Math.max(0, digits - 2)).split('e');
    return `${sign}${trimZeros(mantissa!)}e${exponent!.replace('+', '').replace('-', '\u2212')}`;
  }
  if (Number.isInteger(magnitude)) return sign + groupThousands(String(magnitude));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude)));
  const [whole, fraction] = magnitude.toFixed(decimals).split('.');
  return sign + groupThousands(whole!) + (fraction ? trimFraction(fraction) : '');
}

/** The fewest significant digits, from `least` on, with which `formatNumber` tells apart all numbers among `values` that differ. */
export function digitsToDistinguish(values: readonly unknown[], least = 4): number {
  const numbers = [...new Set(values.filter((value) => typeof value === 'number'))];
  const most = 17; // enough for any two numbers of double precision
  for (let digits = least; digits < most; digits++)
    if (new Set(numbers.map((value) => formatNumber(value, digits))).size === numbers.length) return digits;
  return most;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `2 h 05 min`, `25 min`, `3 min 20 s`, `12 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function trimFraction(fraction: string): string {
  const trimmed = fraction.replace(/0+$/, '');
  return trimmed === '' ? '' : `.${trimmed}`;
}

function groupThousands(whole: string): string {
  return whole.length <= 4 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
