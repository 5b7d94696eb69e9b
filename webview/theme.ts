/** The editor's theme as values a canvas can draw with, read at run time and read again when it changes. */
import { signal } from '@preact/signals';
import type { Colour } from './colour.ts';
import { cssColour, ensureContrast, mix, parseColour } from './colour.ts';

export type ThemeKind = 'light' | 'dark' | 'highContrast' | 'highContrastLight';

export interface Theme {
  kind: ThemeKind;
  dark: boolean;
  highContrast: boolean;
  background: string;
  foreground: string;
  muted: string;
  border: string;
  good: string;
  bad: string;
  warning: string;
  accent: string;
  /** Line colours, each with a contrast of 3 or more against the card that they are drawn on. */
  lines: string[];
  fontFamily: string;
  reducedMotion: boolean;
}

/** Hues beyond the six that the editor's themes define; contrast is ensured per theme. */
const furtherHues = ['#17becf', '#e377c2', '#8c6d31', '#7f7fff'];

export const theme = signal<Theme>(readTheme());

/** Keeps `theme` current for the life of the page. */
export function watchTheme(): void {
  let pending = false;
  const reread = (): void => {
    if (pending) return;
    pending = true;
    // The editor changes a hundred properties one after the other; read once they are all there.
    requestAnimationFrame(() => {
      pending = false;
      theme.value = readTheme();
    });
  };
  const attributes = { attributes: true, attributeFilter: ['class', 'style', 'data-vscode-theme-id'] };
  const observer = new MutationObserver(reread);
  observer.observe(document.documentElement, attributes);
  observer.observe(document.body, attributes);
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']) {
    matchMedia(query).addEventListener('change', reread);
  }
  reread();
}

function readTheme(): Theme {
  const style = getComputedStyle(document.body ?? document.documentElement);
  const read = (names: string[], fallback: string): string => {
    for (const name of names) {
      const value = style.getPropertyValue(name).trim();
      if (parseColour(value)) return value;
    }
    return fallback;
  };
  const kind = themeKind();
  const dark = kind === 'dark' || kind === 'highContrast';
  const background = read(['--vscode-editor-background'], dark ? '#1f1f1f' : '#ffffff');
  const foreground = read(['--vscode-foreground', '--vscode-editor-foreground'], dark ? '#cccccc' : '#3b3b3b');
  const highContrast = kind === 'highContrast' || kind === 'highContrastLight';
  // The stylesheet's `--raised`: charts stand on cards.
  const ground = mix(parseColour(background) as Colour, parseColour(foreground) as Colour, highContrast ? 0 : 0.04);
  const visible = (css: string): string => cssColour(ensureContrast(parseColour(css) as Colour, ground, 3));
  const chart = (name: string, fallback: string) => visible(read([`--vscode-charts-${name}`], fallback));
  const blue = chart('blue', dark ? '#3794ff' : '#1a85ff');
  return {
    kind,
    dark,
    highContrast,
    background,
    foreground,
    muted: read(['--vscode-descriptionForeground'], dark ? '#9d9d9d' : '#5f5f5f'),
    border: read(
      ['--vscode-contrastBorder', '--vscode-widget-border', '--vscode-panel-border'],
      dark ? '#3c3c3c' : '#d4d4d4',
    ),
    good: chart('green', dark ? '#89d185' : '#388a34'),
    bad: chart('red', dark ? '#f14c4c' : '#e51400'),
    warning: chart('yellow', dark ? '#cca700' : '#bf8803'),
    accent: blue,
    lines: [
      blue,
      chart('orange', '#d18616'),
      chart('green', dark ? '#89d185' : '#388a34'),
      chart('purple', dark ? '#b180d7' : '#652d90'),
      chart('red', dark ? '#f14c4c' : '#e51400'),
      chart('yellow', dark ? '#cca700' : '#bf8803'),
      ...furtherHues.map(visible),
    ],
    fontFamily: style.getPropertyValue('--vscode-font-family').trim() || 'system-ui, sans-serif',
    reducedMotion: matchMedia('(prefers-reduced-motion: reduce)').matches,
  };
}

function themeKind(): ThemeKind {
  const { classList } = document.body ?? document.documentElement;
  if (classList.contains('vscode-high-contrast-light')) return 'highContrastLight';
  if (classList.contains('vscode-high-contrast')) return 'highContrast';
  if (classList.contains('vscode-light')) return 'light';
  if (classList.contains('vscode-dark')) return 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
