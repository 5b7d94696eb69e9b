/**
 * A panel in a real browser without the editor: the built bundle under the same policy that the extension sets, a
 * stand-in for the editor's API, a theme's variables. Messages with typed arrays travel as a report's text.
 */
import * as esbuild from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { pagePolicy } from '../../../experiments/htmlPage.ts';
import { encodeReport } from '../../../experiments/reportData.ts';
import type {
  FromPanelMessage,
  GridData,
  LookedRun,
  PanelKind,
  PanelState,
  RunSummary,
  Series,
  TableRow,
} from '../../../protocol/panelMessages.ts';
import { panelKinds } from '../../../protocol/panelMessages.ts';
import { toWire } from '../../../protocol/panelTransport.ts';
import type { MadeRun } from './fixtures.ts';
import { themes } from './themes.ts';

export type ThemeName = keyof typeof themes;

/** Built panels: `curves.js`, `curves.css`, ... */
export async function buildPanels(): Promise<Map<string, string>> {
  const shared: esbuild.BuildOptions = {
    bundle: true,
    write: false,
    minify: process.env['READABLE'] === undefined,
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  };
  const entries = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, `webview/${name}/main.tsx`]));
  const panels = await esbuild.build({
    ...shared,
    entryPoints: entries(panelKinds),
    format: 'esm',
    splitting: true,
    chunkNames: 'chunk-[hash]',
    outdir: 'webview',
  });
  const report = await esbuild.build({
    ...shared,
    entryPoints: entries(['report']),
    format: 'iife',
    outdir: 'webview',
  });
  const decoder = await esbuild.build({
    ...shared,
    stdin: { contents: "export { decodeReport } from './experiments/reportData.ts';", resolveDir: process.cwd() },
    format: 'iife',
    globalName: 'fixture',
    outfile: 'webview/fixture.js',
  });
  const files = [...(panels.outputFiles ?? []), ...(report.outputFiles ?? []), ...(decoder.outputFiles ?? [])];
  return new Map(files.map((file) => [file.path.replace(/^.*[\\/]/, ''), file.text]));
}

export class PanelPage {
  private constructor(
    readonly page: Page,
    /** Errors of the page and violations of its policy. */
    readonly faults: string[],
  ) {}

  static async open(
    browser: Browser,
    files: ReadonlyMap<string, string>,
    kind: PanelKind,
    options: {
      theme?: ThemeName;
      width?: number;
      height?: number;
      state?: PanelState;
      scale?: number;
      reducedMotion?: boolean;
    } = {},
  ): Promise<PanelPage> {
    const { theme = 'dark', width = 1240, height = 900, state, scale = 1, reducedMotion = true } = options;
    const context = await browser.newContext({
      viewport: { width, height },
      deviceScaleFactor: scale,
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.stack ?? String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.addInitScript((saved) => {
      const sent: unknown[] = [];
      let kept: unknown = saved;
      Object.assign(globalThis, {
        sent,
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => sent.push(message),
          getState: () => kept,
          setState: (next: unknown) => {
            kept = next;
            Object.assign(globalThis, { kept });
          },
        }),
      });
    }, state);
    await page.route('http://panel.test/**', (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const body = name === '' ? html(kind, theme) : files.get(name);
      if (body === undefined) return route.fulfill({ status: 404 });
      const contentType = name === '' ? 'text/html' : name.endsWith('.css') ? 'text/css' : 'text/javascript';
      return route.fulfill({ body, contentType: `${contentType}; charset=utf-8` });
    });
    await page.goto('http://panel.test/');
    return new PanelPage(page, faults);
  }

  async showCurves(made: readonly MadeRun[], missing: string[] = []): Promise<void> {
    await this.#post(
      made.map(({ summary }) => summary),
      made.flatMap(({ series }) => series),
      [],
      { type: 'curves/snapshot', missing },
    );
  }

  async appendCurves(runs: RunSummary[], series: Series[], removed: string[] = []): Promise<void> {
    const froms = series.map(({ from }) => from);
    await this.#post(runs, series, froms, { type: 'curves/append', removed });
  }

  async showComparison(made: readonly MadeRun[], baseId: string | null = null): Promise<void> {
    await this.#post(
      made.map(({ summary }) => summary),
      made.flatMap(({ series }) => series),
      [],
      { type: 'comparison/snapshot', missing: [], baseId },
    );
  }

  async showGrid(grid: GridData): Promise<void> {
    await this.post({ type: 'grid/snapshot', grid });
  }

  async showTable(rows: readonly TableRow[], read = rows.length): Promise<void> {
    await this.post(toWire({ type: 'table/snapshot', rows: [...rows], progress: { read, total: rows.length } }));
  }

  async showLooks(runs: readonly LookedRun[], busy = false): Promise<void> {
    await this.post({ type: 'look/snapshot', runs, busy });
  }

  /** Any message that JSON can say. */
  async post(message: unknown): Promise<void> {
    await this.page.evaluate((data) => window.postMessage(data, '*'), message);
    await this.settle();
  }

  async sent(): Promise<FromPanelMessage[]> {
    return this.page.evaluate(() => (globalThis as unknown as { sent: FromPanelMessage[] }).sent);
  }

  async kept(): Promise<PanelState> {
    return this.page.evaluate(() => (globalThis as unknown as { kept: PanelState }).kept);
  }

  /** Waits until what was asked for is drawn. */
  async settle(): Promise<void> {
    await this.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          let frames = 12;
          const next = (): void => {
            if (frames-- > 0) requestAnimationFrame(next);
            else resolve();
          };
          next();
        }),
    );
  }

  async setTheme(name: ThemeName): Promise<void> {
    const { bodyClass, variables } = themes[name];
    await this.page.evaluate(
      ([className, entries]) => {
        document.body.className = className;
        for (const [key, value] of entries) document.documentElement.style.setProperty(`--vscode-${key}`, value);
      },
      [bodyClass, Object.entries(variables)] as const,
    );
    await this.settle();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async #post(runs: RunSummary[], series: Series[], froms: number[], rest: Record<string, unknown>): Promise<void> {
    const text = encodeReport({ title: '', createdAtMs: 0, studioVersion: '', runs, series, grids: [], baseId: null });
    await this.page.evaluate(
      ([encoded, starts, message]) => {
        const { fixture } = globalThis as unknown as {
          fixture: { decodeReport(text: string): { runs: unknown; series: { from: number }[] } };
        };
        const decoded = fixture.decodeReport(encoded);
        for (const [i, from] of starts.entries()) decoded.series[i]!.from = from;
        window.postMessage({ ...message, runs: decoded.runs, series: decoded.series }, '*');
      },
      [text, froms, rest] as const,
    );
    await this.settle();
  }
}

/** The page that the extension makes for a panel, with a theme's variables where the editor puts them. */
function html(kind: PanelKind, theme: ThemeName): string {
  const { bodyClass, variables } = themes[theme];
  const style = Object.entries(variables)
    .map(([key, value]) => `--vscode-${key}: ${value};`)
    .join(' ');
  const nonce = 'test1234test1234';
  const policy = pagePolicy({ nonce, source: 'http://panel.test' });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${kind}</title>
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style nonce="${nonce}">:root { ${style} }</style>
<link rel="stylesheet" href="/${kind}.css"></head>
<body class="${bodyClass}"><div id="app"></div>
<script nonce="${nonce}" src="/fixture.js"></script><script type="module" nonce="${nonce}" src="/${kind}.js"></script></body></html>`;
}
