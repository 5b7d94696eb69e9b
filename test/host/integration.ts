import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser } from './browser.ts';
import { findChromium } from './chromium.ts';
import { CodeServer } from './codeServer.ts';
import { desktopVsCode, runInDesktop } from './desktop.ts';
import { endRuns } from './endRuns.ts';
import { eventually } from './eventually.ts';
import { type Harness, buildHarness, readReport } from './harness.ts';
import { type Outcome, skipped } from './outcome.ts';
import { copyWorkspace } from './testWorkspace.ts';
import { Workbench } from './workbench.ts';

const timeoutMs = 300_000;

/**
 * Runs the integration suites against the packaged extension, inside a VS Code that this machine can have: the desktop's
 * where it can be downloaded and shown, else the browser's.
 */
export async function runIntegration(vsix: string, log: (line: string) => void): Promise<Outcome[]> {
  const work = mkdtempSync(join(tmpdir(), 'simdino-integration-'));
  try {
    const harness = await buildHarness(work, process.env['SIMDINO_GREP']);
    const workspace = copyWorkspace('studio', work);
    const desktop = await desktopVsCode();
    if (!('missing' in desktop)) return await runInDesktop(desktop, harness, { vsix, workspace, work, timeoutMs });

    const without = skipped('integration in the desktop VS Code', desktop.missing);
    const browser = await findChromium(log);
    if (typeof browser !== 'string') return [without, skipped('integration in the browser VS Code', browser.missing)];
    return [without, ...(await runInBrowser(browser, harness, { vsix, workspace, work, log }))];
  } finally {
    endRuns(join(work, 'studio', 'runs'));
    if (process.env['SIMDINO_KEEP'] === undefined) rmSync(work, { recursive: true, force: true });
    else log(`kept ${work}`);
  }
}

/** The extension host of the browser's VS Code lives as long as a window is open. */
async function runInBrowser(
  executable: string,
  harness: Harness,
  { vsix, workspace, work, log }: { vsix: string; workspace: string; work: string; log: (line: string) => void },
): Promise<Outcome[]> {
  const stateFolder = join(work, 'server');
  const server = await CodeServer.start({
    workspace,
    stateFolder,
    extensions: [vsix, harness.vsix],
    env: { ...harness.env, SIMDINO_SUITES_ON_START: '1' },
    log,
  });
  const browser = await launchBrowser(executable);
  try {
    const workbench = await Workbench.open(browser, server.url);
    const report = await eventually('the report of the integration suites', timeoutMs, async () =>
      readReport(harness.resultPath),
    );
    await workbench.close();
    return report;
  } finally {
    await browser.close();
    await server.stop();
  }
}
