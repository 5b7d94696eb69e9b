/** Colours as numbers: reading CSS colours, contrast as WCAG 2 defines it, mixing. */
export interface Colour {
  r: number;
  g: number;
  b: number;
  /** 0 to 1. */
  a: number;
}

/** `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb()` and `rgba()`; undefined for anything else. */
export function parseColour(css: string): Colour | undefined {
  const text = css.trim();
  const hex = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(text)?.[1];
  if (hex) {
    const full = hex.length <= 4 ? hex.replace(/./g, '$&$&') : hex;
    const at = (i: number) => parseInt(full.slice(i, i + 2), 16);
    return { r: at(0), g: at(2), b: at(4), a: full.length === 8 ? at(6) / 255 : 1 };
  }
  const parts = /^rgba?\(([^)]+)\)$/i
    .exec(text)?.[1]
    ?.split(/[\s,/]+/)
    .filter(Boolean);
  if (!parts || parts.length < 3) return undefined;
  const [r, g, b, a] = parts.map((part) => (part.endsWith('%') ? parseFloat(part) / 100 : parseFloat(part)));
  return { r: r!, g: g!, b: b!, a: a ?? 1 };
}

export function cssColour({ r, g, b, a }: Colour): string {
  return `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${a})`;
}

export function withAlpha(css: string, alpha: number): string {
  const colour = parseColour(css);
  return colour ? cssColour({ ...colour, a: alpha }) : css;
}

/** `(1 - share) x from + share x to`. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  const between = (a: number, b: number) => a + (b - a) * share;
  return { r: between(from.r, to.r), g: between(from.g, to.g), b: between(from.b, to.b), a: 1 };
}

/** WCAG contrast ratio, 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The colour, moved towards black or white until it stands out from the background by `ratio`. */
export function ensureContrast(colour: Colour, background: Colour, ratio: number): Colour {
  const pole = luminance(background) > 0.18 ? { r: 0, g: 0, b: 0, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
  let result = { ...colour, a: 1 };
  for (let step = 0; step < 20 && contrast(result, background) < ratio; step++) result = mix(result, pole, 0.1);
  return result;
}

function luminance({ r, g, b }: Colour): number {
  const channel = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}
