import { describe, expect, it } from 'vitest';
import { cleanEnvironment, resolveRuntimeNode } from '../../../extension/launch/runtimeNode.ts';

const editor = { path: '/editor/node', version: '22.1.0' };
const machine = (versions: Record<string, string>) => (path: string) => Promise.resolve(versions[path]);

describe('resolveRuntimeNode', () => {
  it('takes the Node that was set, and no other in its place', async () => {
    const versionOf = machine({ '/my/node': 'v22.0.0', '/old/node': 'v18.19.0', node: 'v24.0.0' });
    expect(await resolveRuntimeNode({ configured: '/my/node', editor, versionOf })).toMatchObject({
      path: '/my/node',
      source: 'setting',
    });
    await expect(resolveRuntimeNode({ configured: '/old/node', editor, versionOf })).rejects.toThrow(
      'The training runtime needs Node 20 or newer; /old/node is v18.19.0. Set simdino.runtime.nodePath.',
    );
    await expect(resolveRuntimeNode({ configured: '/none', editor, versionOf })).rejects.toThrow(
      "/none can't be started. Set simdino.runtime.nodePath to a Node executable.",
    );
  });

  it('takes node on the PATH when it is new enough, else the editor as Node', async () => {
    const on = (version: string | undefined) =>
      resolveRuntimeNode({ configured: '', editor, versionOf: () => Promise.resolve(version) });
    expect(await on('v20.9.0')).toMatchObject({ path: 'node', environment: {}, source: 'path' });
    const asNode = { path: '/editor/node', environment: { ELECTRON_RUN_AS_NODE: '1' }, source: 'editor' };
    expect(await on('v18.0.0')).toMatchObject(asNode);
    expect(await on(undefined)).toMatchObject(asNode);
  });

  it('finds the Node that runs this test', async () => {
    const node = await resolveRuntimeNode({ configured: process.execPath, editor });
    expect(node.version).toBe(process.version);
  });
});

describe('cleanEnvironment', () => {
  it('keeps what belongs to the person and drops what belongs to the editor', () => {
    const environment = {
      PATH: '/bin',
      VSCODE_PID: '1',
      ELECTRON_RUN_AS_NODE: '1',
      NODE_OPTIONS: '--inspect',
      CUDA: '0',
    };
    expect(cleanEnvironment(environment)).toEqual({ PATH: '/bin', CUDA: '0' });
  });
});
