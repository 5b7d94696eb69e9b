import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installOnce } from './installOnce.ts';
import { mustRun } from './runCommand.ts';

/** A Node of a certain major version. */
export interface NpmNode {
  /** The executable. */
  node: string;
  /** Environment under which npm builds native parts for this Node, against its own headers. */
  environment: NodeJS.ProcessEnv;
}

/**
 * Node of the major version asked for, whatever this process runs on: npm carries its binaries and headers. The tests need
 * 24 for VS Code's server, and 20 as the product's floor.
 */
export async function installNode(major: 20 | 24): Promise<NpmNode> {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const packageName = `node-${platform}-${process.arch}`;
  const folder = await installOnce(`node${major}-${process.platform}-${process.arch}`, async (partial) => {
    await npmInstall(partial, [`${packageName}@${major}`]);
  });
  const distribution = join(folder, 'node_modules', packageName);
  return {
    node: join(distribution, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    environment: {
      ...cleanEnvironment(),
      PATH: `${join(distribution, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      // A user's npmrc may point at the headers of another Node.
      npm_config_nodedir: distribution,
    },
  };
}

/**
 * Installs packages into `folder` without running any of their scripts. No packages: those of the folder's own manifest.
 * npm runs on the Node that it came with: on another one it would not find its global settings (certificates, proxies).
 */
export async function npmInstall(folder: string, packages: readonly string[] = []): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (packages.length > 0) writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const quiet = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  await mustRun('npm', ['install', ...quiet, ...packages], {
    cwd: folder,
    env: cleanEnvironment(),
    timeoutMs: 600_000,
  });
}

/** Without what `npm run` tells its children about our own package, which would lead an inner npm astray. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own =
    /^npm_(package|lifecycle|command|execpath|node_execpath|config_(local_prefix|prefix|user_agent|node_gyp|npm_version))/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}
