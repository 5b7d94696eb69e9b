import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcessAlive } from '../../experiments/store/liveness.ts';
import type { AttemptRecord } from '../../protocol/records.ts';
import { attemptFiles, runFiles } from '../../protocol/runFolder.ts';

/** Ends what a test has left training: runs outlive the editor by design, but no test's runs outlive the test. */
export function endRuns(runsFolder: string): void {
  for (const { process: trainer } of attempts(runsFolder)) {
    // The editor starts a trainer in a process group of its own; on Windows its executor ends with it.
    if (isSameProcessAlive(trainer)) process.kill(process.platform === 'win32' ? trainer.pid : -trainer.pid, 'SIGKILL');
  }
}

/** The trainers' processes of all runs in the folder that live now. */
export function livingTrainers(runsFolder: string): number[] {
  return attempts(runsFolder)
    .filter(({ process: trainer }) => isSameProcessAlive(trainer))
    .map(({ process: trainer }) => trainer.pid);
}

function attempts(runsFolder: string): AttemptRecord[] {
  return subfolders(runsFolder)
    .flatMap((run) =>
      subfolders(join(runsFolder, run, runFiles.attempts)).map((name) =>
        join(runsFolder, run, runFiles.attempts, name),
      ),
    )
    .map((folder) => join(folder, attemptFiles.record))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as AttemptRecord);
}

function subfolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
