import { join } from 'node:path';
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron';
import { cacheFolder } from '../../runtime/data/datasets/cacheFolder.ts';
import { onPath } from './chromium.ts';
import { type Harness, readReport } from './harness.ts';
import { type Outcome, failed } from './outcome.ts';
import { mustRun } from './runCommand.ts';

export interface DesktopVsCode {
  executable: string;
  /** `xvfb-run` where there is no screen. */
  screen: string | undefined;
}

const releases = 'https://update.code.visualstudio.com/api/releases/stable';

/** The desktop VS Code, downloaded once into the cache; or why this machine can't have it. */
export async function desktopVsCode(): Promise<DesktopVsCode | { missing: string }> {
  const needsScreen = process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY'];
  const screen = needsScreen ? onPath('xvfb-run') : undefined;
  if (needsScreen && screen === undefined) return { missing: 'no screen and no xvfb-run' };
  try {
    await fetch(releases, { signal: AbortSignal.timeout(8_000) });
  } catch {
    return { missing: 'the download server of VS Code is out of reach' };
  }
  const executable = await downloadAndUnzipVSCode({ cachePath: join(cacheFolder(), 'host', 'desktop') });
  return { executable, screen };
}

export async function runInDesktop(
  { executable, screen }: DesktopVsCode,
  harness: Harness,
  { vsix, workspace, work, timeoutMs }: { vsix: string; workspace: string; work: string; timeoutMs: number },
): Promise<Outcome[]> {
  const folders = [`--extensions-dir=${join(work, 'extensions')}`, `--user-data-dir=${join(work, 'user-data')}`];
  const [cli = executable, ...cliArgs] = resolveCliArgsFromVSCodeExecutablePath(executable, {
    reuseMachineInstall: true,
  });
  await mustRun(cli, [...cliArgs, ...folders, '--install-extension', vsix, '--force'], {
    cwd: work,
    timeoutMs: 180_000,
  });

  // Root may not use Chromium's sandbox.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const launchArgs = [workspace, ...folders, '--disable-workspace-trust', '--skip-welcome', '--disable-gpu', ...asRoot];
  try {
    if (screen === undefined) {
      await runTests({
        vscodeExecutablePath: executable,
        extensionDevelopmentPath: harness.folder,
        extensionTestsPath: join(harness.folder, 'main.cjs'),
        extensionTestsEnv: harness.env,
        launchArgs,
        reuseMachineInstall: true,
      });
    } else {
      const tests = [
        `--extensionDevelopmentPath=${harness.folder}`,
        `--extensionTestsPath=${join(harness.folder, 'main.cjs')}`,
      ];
      await mustRun(screen, ['-a', executable, ...tests, ...launchArgs], {
        cwd: work,
        env: { ...process.env, ...harness.env },
        timeoutMs,
      });
    }
  } catch (error) {
    return [failed('the desktop VS Code runs the suites', String(error))];
  }
  return readReport(harness.resultPath) ?? [failed('the desktop VS Code runs the suites', 'it ended without a report')];
}
