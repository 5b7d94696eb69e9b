import { execFile } from 'node:child_process';
import { errors } from '../../protocol/errors.ts';

/** The oldest Node that the runtime works on. */
const oldestMajor = 20;

/** How to start the runtime: an executable, what to add to its environment, and why it was chosen. */
export interface RuntimeNode {
  path: string;
  version: string;
  environment: Record<string, string>;
  source: 'setting' | 'path' | 'editor';
}

export interface Candidates {
  /** From the setting; empty when not set. */
  configured: string;
  /** The executable that this code runs in, and its Node version. */
  editor: { path: string; version: string };
  /** Asks an executable for its version; undefined when it can't be started. */
  versionOf?: (path: string) => Promise<string | undefined>;
}

/**
 * The Node that trains: the one that was set, else `node` on the PATH when it is new enough, else the editor's own
 * executable as Node.
 *
 * @throws nodeTooOld, nodeMissing when the one that was set can't be used: another is not taken behind a person's back
 */
export async function resolveRuntimeNode({
  configured,
  editor,
  versionOf = askVersion,
}: Candidates): Promise<RuntimeNode> {
  if (configured !== '') {
    const version = await versionOf(configured);
    if (version === undefined) throw errors.nodeMissing(configured);
    if (majorOf(version) < oldestMajor) throw errors.nodeTooOld(configured, version);
    return { path: configured, version, environment: {}, source: 'setting' };
  }
  const onPath = await versionOf('node');
  if (onPath !== undefined && majorOf(onPath) >= oldestMajor) {
    return { path: 'node', version: onPath, environment: {}, source: 'path' };
  }
  if (majorOf(editor.version) < oldestMajor) throw errors.nodeTooOld(editor.path, editor.version);
  return { path: editor.path, version: editor.version, environment: { ELECTRON_RUN_AS_NODE: '1' }, source: 'editor' };
}

/**
 * The environment of a process that must not notice the editor: without the editor's own variables, and without options
 * for Node that were meant for the extension host.
 */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(VSCODE_|ELECTRON_|CODE_SERVER_|NODE_OPTIONS$|APPLICATION_INSIGHTS)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}

/** Major version of `v20.9.0`; 0 for anything else. */
function majorOf(version: string): number {
  return Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
}

function askVersion(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: 10_000, env: cleanEnvironment(process.env), windowsHide: true };
    execFile(path, ['--version'], options, (error, stdout) => resolve(error ? undefined : stdout.trim()));
  });
}
