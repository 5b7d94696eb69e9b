import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type * as vscode from 'vscode';
import { registerCommands } from './commands.ts';
import { announceCudaEngine } from './engines/cudaEngine.ts';
import { offerVerification } from './launch/paperManifests.ts';
import { registerLanguageFeatures } from './language/registerLanguageFeatures.ts';
import { log } from './log.ts';
import { registerAnnotations } from './run/annotate.ts';
import { notifyEnds } from './run/notifyEnd.ts';
import { registerOpenFiles } from './run/openFiles.ts';
import { createRunView, createStatusBar } from './run/runView.ts';
import { RunWatch } from './run/runWatch.ts';

/** What other extensions and tests may ask of this one. */
export interface SimdinoApi {
  activationMs: number;
  watch: RunWatch;
}

/** A table of contents. What needs the schema or the panels is loaded when it is first used. */
export function activate(context: vscode.ExtensionContext): SimdinoApi {
  const startedMs = performance.now();
  const watch = new RunWatch();
  context.subscriptions.push(watch, log());

  const { reveal } = createRunView(context, watch);
  createStatusBar(context, watch);
  notifyEnds(context, watch);
  registerOpenFiles(context, watch);
  registerAnnotations(context, watch);
  registerCommands(context, watch, reveal);
  announceCudaEngine(context);
  offerVerification(context);

  registerLanguageFeatures(context, {
    presetsFolder: join(context.extensionPath, 'configs'),
    watch,
  });

  const activationMs = performance.now() - startedMs;
  log().info(`activated in ${activationMs.toFixed(1)} ms`);
  return { activationMs, watch };
}
