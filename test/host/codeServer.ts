import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CodeServerInstall, installCodeServer } from './codeServerInstall.ts';
import { type ProcessGroup, startProcessGroup } from './processGroup.ts';
import { mustRun } from './runCommand.ts';

export interface CodeServerOptions {
  /** Absolute path of the folder to open. */
  workspace: string;
  /** Where the server keeps settings, installed extensions and logs; a server started there later continues from it. */
  stateFolder: string;
  /** VSIX files to install before the server starts. */
  extensions?: readonly string[];
  /** Added to the user settings that keep VS Code quiet. */
  settings?: Record<string, unknown>;
  /** Added to the environment of the server, and thereby of the extension host. */
  env?: NodeJS.ProcessEnv;
  /** Opens the folder in Restricted Mode, as a workspace that nobody has trusted. */
  restricted?: boolean;
  log?: (line: string) => void;
}

/** VS Code in the browser, served on 127.0.0.1 by a process group of its own. */
export class CodeServer {
  private constructor(
    private readonly install: CodeServerInstall,
    private readonly options: CodeServerOptions,
    private readonly port: number,
    private group: ProcessGroup,
  ) {}

  static async start(options: CodeServerOptions): Promise<CodeServer> {
    const install = await installCodeServer(options.log ?? console.log);
    mkdirSync(options.stateFolder, { recursive: true });
    writeSettings(options);
    for (const vsix of options.extensions ?? []) {
      await mustRun(install.node, [install.entry, '--install-extension', vsix, '--force', ...folders(options)], {
        cwd: options.stateFolder,
        env: environment(options),
        timeoutMs: 180_000,
      });
    }
    const port = await freePort();
    return new CodeServer(install, options, port, await serve(install, options, port));
  }

  /** What a browser opens. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(this.options.workspace)}`;
  }

  /** The id of the process group that serves. */
  get groupId(): number {
    return this.group.pid;
  }

  /** Resolves when the server has ended by itself. */
  get exited(): Promise<number | null> {
    return this.group.exited;
  }

  /** Serves again, on the same port and from the same state, after `stop` or `kill`. */
  async startAgain(): Promise<void> {
    this.group = await serve(this.install, this.options, this.port);
  }

  /** Ends the server and all its processes. */
  async stop(): Promise<void> {
    await this.group.stop();
  }

  /** Kills the server with all its processes, extension host included, without a word. */
  async kill(): Promise<void> {
    await this.group.kill();
  }
}

async function serve(install: CodeServerInstall, options: CodeServerOptions, port: number): Promise<ProcessGroup> {
  const args = [
    install.entry,
    '--auth',
    'none',
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--config',
    join(options.stateFolder, 'config.yaml'),
  ];
  const quiet = [
    '--disable-telemetry',
    '--disable-update-check',
    ...(options.restricted ? [] : ['--disable-workspace-trust']),
    '--disable-getting-started-override',
  ];
  const logPath = join(options.stateFolder, 'server.log');
  const group = startProcessGroup(install.node, [...args, ...quiet, ...folders(options), options.workspace], {
    cwd: options.stateFolder,
    env: environment(options),
    logPath,
  });
  const deadline = Date.now() + 60_000;
  while (!(await answers(port))) {
    if (Date.now() > deadline) {
      await group.kill();
      throw new Error(`code-server did not answer on port ${port} within 60 s; see ${logPath}.`);
    }
    await sleep(200);
  }
  return group;
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch {
    return false; // not listening yet
  }
}

function folders(options: CodeServerOptions): string[] {
  return [
    '--user-data-dir',
    join(options.stateFolder, 'user-data'),
    '--extensions-dir',
    join(options.stateFolder, 'extensions'),
  ];
}

function writeSettings(options: CodeServerOptions): void {
  const folder = join(options.stateFolder, 'user-data', 'User');
  mkdirSync(folder, { recursive: true });
  const settings = {
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.tips.enabled': false,
    'workbench.enableExperiments': false,
    'chat.disableAIFeatures': true,
    'telemetry.telemetryLevel': 'off',
    'extensions.autoUpdate': false,
    'extensions.autoCheckUpdates': false,
    'extensions.ignoreRecommendations': true,
    'update.mode': 'none',
    'git.openRepositoryInParentFolders': 'never',
    'window.confirmBeforeClose': 'never',
    'remote.autoForwardPorts': false,
    'files.simpleDialog.enable': true,
    ...options.settings,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
}

/** A server started from a terminal inside VS Code must not think that it is that VS Code's command line. */
function environment(options: CodeServerOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|PORT$|PASSWORD$|npm_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...options.env };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('internal: no port')),
      );
    });
  });
}
