import * as vscode from 'vscode';

let channel: vscode.LogOutputChannel | undefined;

/** The extension's own log: View > Output > SimDINO. */
export function log(): vscode.LogOutputChannel {
  channel ??= vscode.window.createOutputChannel('SimDINO', { log: true });
  return channel;
}

/** Lets a promise run on its own; a failure is logged instead of lost. */
export function inBackground(what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => log().error(`${what}: ${describe(error)}`));
}

/** An unknown thrown value as text. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
