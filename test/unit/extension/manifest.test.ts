import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { panelKinds } from '../../../protocol/panelMessages.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  activationEvents: string[];
  contributes: { menus: Record<string, { command: string; when?: string }[]> };
};

test('every kind of panel is built, and wakes the extension when the editor brings it back', async () => {
  const entries = (await import(pathToFileURL(resolve('scripts/entries.mjs')).href)) as { WEBVIEW_ENTRIES: object };
  expect(Object.keys(entries.WEBVIEW_ENTRIES).sort()).toEqual([...panelKinds].sort());
  const woken = manifest.activationEvents.flatMap((event) => /^onWebviewPanel:simdino\.(.*)$/.exec(event)?.[1] ?? []);
  expect(woken.sort()).toEqual([...panelKinds].sort());
});

test('only manifests of paper tables are offered to be verified, not every file of that name', () => {
  const offered = manifest.contributes.menus['explorer/context']!.find(({ command }) =>
    command.includes('verifyPaper'),
  );
  expect(offered!.when).toContain('resourcePath in simdino.paperManifests');
});
