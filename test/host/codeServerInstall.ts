import { join } from 'node:path';
import { installOnce } from './installOnce.ts';
import { installNode, npmInstall } from './npmNode.ts';
import { runCommand } from './runCommand.ts';

export const codeServerVersion = '4.139.1';

export interface CodeServerInstall {
  node: string;
  /** What `node` runs. */
  entry: string;
}

/**
 * VS Code's server and workbench (code-server, from npm) in the cache: about 600 MB, under a minute when npm is near.
 *
 * Its own install scripts build all native parts, some of which need system libraries (kerberos) and none of which the
 * tests need. So no script runs; only the two parts without which the extension host logs errors are built, and where
 * there is no compiler the server runs without them.
 */
export async function installCodeServer(log: (line: string) => void): Promise<CodeServerInstall> {
  const { node, environment } = await installNode(24);
  const folder = await installOnce(`code-server-${codeServerVersion}`, async (partial) => {
    log(`Installing code-server ${codeServerVersion} from npm (once, about 600 MB) ...`);
    await npmInstall(partial, [`code-server@${codeServerVersion}`]);
    const vscode = join(partial, 'node_modules', 'code-server', 'lib', 'vscode');
    await npmInstall(vscode);
    await npmInstall(join(vscode, 'extensions'));
    const build = await runCommand(
      'npm',
      ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog', '--loglevel=error'],
      {
        cwd: vscode,
        env: environment,
        timeoutMs: 300_000,
      },
    );
    if (build.exitCode !== 0) log('code-server runs without its native logger (no compiler, or its build failed).');
  });
  return { node, entry: join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js') };
}
