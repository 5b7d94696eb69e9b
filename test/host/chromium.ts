import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './runCommand.ts';

/** Why this machine has no browser to test with. */
export interface NoBrowser {
  missing: string;
}

/**
 * A Chromium-based browser: SIMDINO_CHROME, else one on the PATH or in its usual place, else Debian's package where this
 * process may install packages.
 */
export async function findChromium(log: (line: string) => void): Promise<string | NoBrowser> {
  const named = process.env['SIMDINO_CHROME'];
  if (named !== undefined)
    return existsSync(named) ? named : { missing: `SIMDINO_CHROME names ${named}, which does not exist` };
  const found = installedBrowser();
  if (found !== undefined) return found;

  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !isRoot || onPath('apt-get') === undefined) {
    return {
      missing: 'no Chromium or Chrome is installed, and this process may not install one (or set SIMDINO_CHROME)',
    };
  }
  log("Installing Debian's chromium ...");
  const apt = { cwd: '/', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  await runCommand('apt-get', ['update', '-qq'], apt);
  const install = await runCommand(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'],
    apt,
  );
  return installedBrowser() ?? { missing: `apt-get could not install chromium:\n${install.output.slice(-1000)}` };
}

function installedBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
  const places = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ];
  return names.map(onPath).find((path) => path !== undefined) ?? places.find((path) => existsSync(path));
}

/** The executable `name` on the PATH. */
export function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
