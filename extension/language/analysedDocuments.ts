import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import * as vscode from 'vscode';
import { documentKind } from '../../configs/documentKind.ts';
import { knownTrainImages } from '../../configs/derive.ts';
import { analyse, type Analysis } from '../../configs/language/analyse.ts';
import type { HintOptions } from '../../configs/language/hints.ts';
import { textLoader, type LoadText } from '../../configs/presets.ts';
import type { ReadOptions } from '../../configs/readConfig.ts';
import type { RunWatch } from '../run/runWatch.ts';
import { KnownRuns } from './knownRuns.ts';
import { isYaml, pathOf } from './yamlDocuments.ts';

export interface LanguageOptions {
  /** Folder of the presets that ship with the extension. */
  presetsFolder: string;
  /** The workspace's runs. */
  watch: RunWatch;
}

/** Readings of open documents, one per version, shared by all features. */
export class AnalysedDocuments implements vscode.Disposable {
  readonly load: LoadText;
  readonly presetsFolder: string;
  readonly runs: KnownRuns;
  private readonly readings = new Map<string, { version: number; analysis: Analysis | undefined }>();
  private readonly staleEmitter = new vscode.EventEmitter<void>();
  /** What is known of documents may have changed although their text has not: a file they extend, or a setting. */
  readonly onDidBecomeStale = this.staleEmitter.event;
  private readonly subscriptions: vscode.Disposable[];

  constructor(options: LanguageOptions) {
    this.presetsFolder = options.presetsFolder;
    this.load = textLoader({
      presetsFolder: options.presetsFolder,
      besides: (from, reference) => (isAbsolute(reference) ? reference : resolve(dirname(from), reference)),
      readText,
    });
    this.runs = new KnownRuns(options.watch, this.load);
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.{yaml,yml}');
    this.subscriptions = [
      watcher,
      watcher.onDidChange(() => this.forget()),
      watcher.onDidCreate(() => this.forget()),
      watcher.onDidDelete(() => this.forget()),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        // Another file may extend this one; its own reading is told apart by the version.
        if (isYaml(document) && this.extendedByOthers(document)) this.forget();
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.readings.delete(uri.toString())),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('simdino.lint') || event.affectsConfiguration('yaml')) this.forget();
      }),
    ];
  }

  /** The reading of a document's present text; undefined when it is not a SimDINO file. */
  of(document: vscode.TextDocument): Analysis | undefined {
    const key = document.uri.toString();
    const known = this.readings.get(key);
    if (known?.version === document.version) return known.analysis;
    const analysis = analyse(document.getText(), this.readOptions(document));
    this.readings.set(key, { version: document.version, analysis });
    return analysis;
  }

  readOptions(document: vscode.TextDocument): ReadOptions {
    const lint = vscode.workspace.getConfiguration('simdino', document).get<boolean>('lint.paper', true);
    return { path: pathOf(document), load: this.load, paperLint: lint };
  }

  async hintOptions(analysis: Analysis): Promise<HintOptions> {
    if (analysis.kind !== 'config' || !analysis.read.tentative) return {};
    const config = analysis.read.tentative;
    return {
      trainImages: knownTrainImages(config) ?? this.runs.trainImages(analysis.path),
      measured: await this.runs.measured(config.method, analysis.path),
    };
  }

  /** Open SimDINO documents. */
  open(): vscode.TextDocument[] {
    return vscode.workspace.textDocuments.filter(
      (document) => isYaml(document) && documentKind(pathOf(document), document.getText()) !== undefined,
    );
  }

  dispose(): void {
    this.runs.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
    this.staleEmitter.dispose();
    this.readings.clear();
  }

  private forget(): void {
    this.readings.clear();
    this.staleEmitter.fire();
  }

  private extendedByOthers(document: vscode.TextDocument): boolean {
    const own = document.uri.toString();
    const name = document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
    return vscode.workspace.textDocuments.some(
      (other) => isYaml(other) && other.uri.toString() !== own && other.getText().includes(name),
    );
  }
}

/** The text in an open editor, saved or not, else the file's. */
function readText(path: string): string | undefined {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === path);
  if (open) return open.getText();
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, 'utf8') : undefined;
}
