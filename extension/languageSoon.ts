import { join } from 'node:path';
import type * as vscode from 'vscode';
import { inBackground } from './log.ts';
import type { RunWatch } from './run/runWatch.ts';

/**
 * Loads what the editor does with YAML right after activation: the schema that it needs is the largest part of the
 * extension, and nothing that a person sees first waits for it.
 */
export function registerLanguageSoon(context: vscode.ExtensionContext, watch: RunWatch): void {
  const load = async (): Promise<void> => {
    const { registerLanguageFeatures } = await import('./language/registerLanguageFeatures.ts');
    registerLanguageFeatures(context, {
      presetsFolder: join(context.extensionPath, 'configs'),
      trainImages: (_config, path) => newestRunOf(watch, path)?.record?.trainImages,
    });
  };
  const timer = setTimeout(() => inBackground('language features', load()), 0);
  context.subscriptions.push({ dispose: () => clearTimeout(timer) });
}

/** The newest run that was started from a configuration file. */
export function newestRunOf(watch: RunWatch, configPath: string) {
  const runs = [...(watch.collection?.runs.values() ?? [])].filter(({ record }) => record?.configSource === configPath);
  return runs.sort((a, b) => ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1))[0];
}
