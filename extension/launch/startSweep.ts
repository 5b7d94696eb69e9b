import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { hasErrors, sentence } from '../../configs/diagnostic.ts';
import { readSweep } from '../../configs/readSweep.ts';
import type { SweepEstimate } from '../../experiments/estimateSweep.ts';
import { formatBytes, formatDuration } from '../../experiments/formatMetric.ts';
import { controlSweepJobs } from '../../experiments/store/runJobs.ts';
import { sweepCost } from '../../experiments/store/sweepCost.ts';
import { isActive } from '../../experiments/status.ts';
import { needsRun } from '../../experiments/sweepCells.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import type { GridAction } from '../../protocol/panelMessages.ts';
import { sweepsFolder } from '../../protocol/runFolder.ts';
import { inBackground } from '../log.ts';
import { toolName } from '../settings.ts';
import { fileLoader } from './configFiles.ts';
import { pickConfig } from './pickConfig.ts';
import { preflight } from './preflight.ts';
import type { StartContext } from './startRun.ts';

/** "Start ablation grid": choose a sweep file, see how much it is, start its scheduler, show the grid. */
export async function startSweep(
  { context, watch, launcher }: StartContext,
  argument: unknown,
): Promise<string | undefined> {
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return undefined;
  const given = argument instanceof vscode.Uri ? { path: argument.fsPath } : undefined;
  const choice =
    given ?? (await pickConfig(context, 'sweep', launcher.presetsFolder, vscode.l10n.t('Start ablation grid')));
  if (!choice) return undefined;
  const { path } = choice;
  const { sweep, diagnostics } = readSweep(readFileSync(path, 'utf8'), {
    path,
    load: fileLoader(launcher.presetsFolder),
  });
  const fault = diagnostics.find(({ severity }) => severity === 'error');
  if (!sweep || hasErrors(diagnostics)) {
    const open = vscode.l10n.t('Open file');
    const answer = await vscode.window.showErrorMessage(fault ? sentence(fault) : path, open);
    if (answer === open) await vscode.window.showTextDocument(vscode.Uri.file(path));
    return undefined;
  }
  const [first] = sweep.runs;
  const findings = first ? await preflight(first.config, { configPath: sweep.basePath, runsFolder }) : [];
  const { version } = context.extension.packageJSON as { version: string };
  const estimate = await sweepCost(sweep, [...(watch.collection?.runs.values() ?? [])], version);
  const start = vscode.l10n.t('Start {0} runs', sweep.runs.length);
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('{0} runs, {1} at a time', sweep.runs.length, sweep.slots),
    { modal: true, detail: [estimateText(estimate), ...findings.map(({ message }) => message)].join('\n') },
    start,
  );
  if (answer !== start) return undefined;
  const id = await launcher.sweep(path);
  if (id !== undefined) await vscode.commands.executeCommand('simdino.openGrid', id);
  return id;
}

function estimateText({ durationMs, bases, reused, diskBytes }: SweepEstimate): string {
  const parts = [
    ...(reused > 0 ? [vscode.l10n.t('Trained before and taken as they are: {0}.', reused)] : []),
    durationMs === null
      ? vscode.l10n.t('Time: unknown until a run of comparable steps was made.')
      : bases.length === 0
        ? ''
        : vscode.l10n.t('Time: about {0} at the pace of {1}.', formatDuration(durationMs), bases.join(', ')),
    vscode.l10n.t('Disk: at most {0}.', formatBytes(diskBytes)),
  ];
  return parts.filter(Boolean).join(' ');
}

/** A cell that was not started was chosen: runs it, and nothing else of its grid, when a person says so. */
export async function runCells({ watch, launcher }: StartContext, sweepId: string, runIds: string[]): Promise<void> {
  const sweep = watch.collection?.sweeps.find(({ id }) => id === sweepId);
  // A scheduler at work takes what is missing in its turn.
  if (!sweep || sweep.scheduler === 'running' || sweep.scheduler === 'pausing') return;
  const due = (sweep.record?.cells ?? []).filter(
    ({ runId }) => runIds.includes(runId) && needsRun(watch.run(runId)?.state),
  );
  const [first] = due;
  if (!first || launcher.requireRunsFolder() === undefined) return;
  const settings = Object.entries(first.cell).map(([key, value]) => `${key}: ${String(value)}`);
  const seeds = vscode.l10n.t('seeds: {0}', due.map(({ seed }) => seed).join(', '));
  const start = due.length === 1 ? vscode.l10n.t('Start the run') : vscode.l10n.t('Start {0} runs', due.length);
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('This cell of {0} was not started. Run it?', sweepId),
    { modal: true, detail: [...settings, seeds].join('\n') },
    start,
  );
  if (answer !== start) return;
  const isWhole = due.length === sweep.record?.cells.length;
  await launcher.resumeSweep(sweepId, isWhole ? [] : due.map(({ runId }) => runId));
}

/** What the buttons of a grid do. */
export async function controlGrid(
  { watch, launcher }: StartContext,
  sweepId: string,
  action: GridAction,
): Promise<void> {
  const { collection } = watch;
  const sweep = collection?.sweeps.find(({ id }) => id === sweepId);
  if (!collection || !sweep || launcher.requireRunsFolder() === undefined) return;
  const ask = async (request: 'stop' | 'pause' | 'continue'): Promise<void> => {
    const folder = join(collection.folder, sweepsFolder, sweepId);
    if (request !== 'continue' && (await controlSweepJobs(folder, request))) return;
    await writeRequest(folder, request, toolName);
  };
  switch (action) {
    case 'runMissing':
    case 'continue':
      if (sweep.scheduler === 'pausing') await ask('continue');
      else await launcher.resumeSweep(sweepId);
      break;
    case 'pause':
      await ask('pause');
      break;
    case 'cancel': {
      const stop = vscode.l10n.t('Cancel the grid');
      const answer = await vscode.window.showWarningMessage(
        vscode.l10n.t('Stop all runs of {0}?', sweepId),
        {
          modal: true,
          detail: vscode.l10n.t('Each writes a checkpoint first. What is missing can be run later, from there.'),
        },
        stop,
      );
      if (answer !== stop) return;
      if (sweep.scheduler === 'running' || sweep.scheduler === 'pausing') await ask('stop');
      // Cells that outlived their scheduler have nobody else to ask them.
      else
        for (const { runId } of sweep.record?.cells ?? []) {
          const run = watch.run(runId);
          if (run && isActive(run.state)) await writeRequest(run.folder, 'stop', toolName);
        }
    }
  }
  inBackground('refresh', watch.refresh());
}
