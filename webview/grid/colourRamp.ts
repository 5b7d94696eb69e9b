import type { Colour } from '../colour.ts';
import { contrast, cssColour, mix, parseColour } from '../colour.ts';
import type { Theme } from '../theme.ts';

/**
 * Sequential colours of even lightness steps: low values stay near the background, high ones stand out, on dark and
 * light themes alike, and in grey as well as in colour.
 */
const onDark = ['#1d2a44', '#23466f', '#226b8f', '#2a9296', '#5cb88c', '#b5d77a', '#f3ee8f'];
const onLight = ['#f4f7e4', '#d3ebc4', '#9fd6bd', '#62b8bd', '#3490b6', '#2563a0', '#1c3674'];

/** Fill and text colour for a share from 0 (low) to 1 (high). */
export function rampColours(share: number, theme: Theme): { fill: string; text: string } {
  const stops = (theme.dark ? onDark : onLight).map((css) => parseColour(css) as Colour);
  const position = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(position));
  const fill = mix(stops[index]!, stops[index + 1]!, position - index);
  const black = { r: 0, g: 0, b: 0, a: 1 };
  const white = { r: 255, g: 255, b: 255, a: 1 };
  return { fill: cssColour(fill), text: contrast(black, fill) >= contrast(white, fill) ? '#000000' : '#ffffff' };
}
