import sharp from 'sharp';
import { text } from './sheet.ts';

const widthPx = 640;
const heightPx = 360;
const frame = { left: 60, right: 20, top: 44, bottom: 40 };
const decades = 6;

export interface Spectrum {
  name: string;
  /** Largest first. */
  eigenvalues: ArrayLike<number>;
}

/** exp of the entropy of the eigenvalues' shares: how many directions the features spread over. */
export function effectiveDirections(eigenvalues: ArrayLike<number>): number {
  const values = Array.from(eigenvalues);
  const total = values.reduce((sum, value) => sum + value, 0);
  const entropy = values.reduce((sum, value) => (value > 0 ? sum - (value / total) * Math.log(value / total) : sum), 0);
  return Math.exp(entropy);
}

/** Eigenvalues of features' covariance over their largest, on a logarithmic axis, as a PNG. */
export async function spectrumPicture(title: string, spectra: readonly Spectrum[]): Promise<Buffer> {
  const colours = ['#d1570a', '#0a69da', '#1a7f37', '#8250df'];
  const innerWidth = widthPx - frame.left - frame.right;
  const innerHeight = heightPx - frame.top - frame.bottom;
  const longest = Math.max(...spectra.map(({ eigenvalues }) => eigenvalues.length));
  const x = (index: number) => frame.left + (innerWidth * index) / Math.max(1, longest - 1);
  const y = (share: number) =>
    frame.top + innerHeight * Math.min(1, -Math.log10(Math.max(share, 10 ** -decades)) / decades);
  const lines = spectra.map(({ name, eigenvalues }, index) => {
    const largest = eigenvalues[0]! || 1;
    const points = Array.from(eigenvalues, (value, at) => `${x(at).toFixed(1)},${y(value / largest).toFixed(1)}`);
    const colour = colours[index % colours.length]!;
    const label = `${name}: effective rank ${effectiveDirections(eigenvalues).toFixed(1)} of ${eigenvalues.length}`;
    return (
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${index > 0 ? ' stroke-dasharray="6 3"' : ''}/>` +
      text(widthPx / 2, frame.top + 16 + 17 * index, 12, label, colour, 'bold')
    );
  });
  const grid = Array.from({ length: decades + 1 }, (_, decade) => {
    const at = y(10 ** -decade);
    return (
      `<line x1="${frame.left}" x2="${widthPx - frame.right}" y1="${at}" y2="${at}" stroke="#d1d9e0"/>` +
      text(8, at + 4, 11, decade === 0 ? '1' : `10^-${decade}`, '#59636e')
    );
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}"><rect width="100%" height="100%" fill="#ffffff"/>` +
    text(12, 22, 14, title, '#1f2328', 'bold') +
    grid.join('') +
    lines.join('') +
    text(widthPx / 2 - 90, heightPx - 10, 11, 'eigenvalue of the covariance, by size', '#59636e') +
    '</svg>';
  return sharp(Buffer.from(svg)).png().toBuffer();
}
