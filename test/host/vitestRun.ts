import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, failed } from './outcome.ts';
import { repository } from './repository.ts';
import { runCommand } from './runCommand.ts';

interface VitestReport {
  testResults: {
    name: string;
    message: string;
    assertionResults: {
      fullName: string;
      status: string;
      failureMessages: string[] | null;
      meta?: { skipReason?: string };
    }[];
  }[];
}

/** Runs vitest projects to their end and returns one outcome per test; a file that can't be loaded is a failure. */
export async function runVitest(
  projects: readonly string[],
  options: {
    node?: string;
    env?: NodeJS.ProcessEnv;
    /** Only files whose path contains one of these, and tests whose name matches. */
    files?: readonly string[];
    testNamePattern?: string;
    timeoutMs: number;
    onOutput: (text: string) => void;
  },
): Promise<Outcome[]> {
  const work = mkdtempSync(join(tmpdir(), 'simdino-vitest-'));
  const reportPath = join(work, 'report.json');
  try {
    const { exitCode, output } = await runCommand(
      options.node ?? process.execPath,
      [
        join(repository, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        ...(options.files ?? []),
        ...projects.flatMap((project) => ['--project', project]),
        ...(options.testNamePattern === undefined ? [] : ['--testNamePattern', options.testNamePattern]),
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`],
      ],
      {
        cwd: repository,
        env: { ...process.env, ...options.env },
        timeoutMs: options.timeoutMs,
        onOutput: options.onOutput,
      },
    );
    const label = `vitest ${projects.join(', ')}`;
    if (!existsSync(reportPath)) return [failed(label, output.slice(-2000))];
    const outcomes = outcomesOf(JSON.parse(readFileSync(reportPath, 'utf8')) as VitestReport);
    // Errors outside every test (an unhandled rejection, a crashed worker) show in the exit code alone.
    const isSilentFailure = exitCode !== 0 && !outcomes.some(({ state }) => state === 'failed');
    return isSilentFailure ? [...outcomes, failed(label, output.slice(-2000))] : outcomes;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function outcomesOf(report: VitestReport): Outcome[] {
  return report.testResults.flatMap((file) => {
    const name = file.name.replace(`${repository}/`, '');
    if (file.assertionResults.length === 0) return [failed(name, file.message || 'no test in this file')];
    return file.assertionResults.map((test): Outcome => {
      const outcome = { name: test.fullName.trim(), file: name };
      if (test.status === 'passed') return { ...outcome, state: 'passed' };
      if (test.status === 'failed') {
        return { ...outcome, state: 'failed', detail: (test.failureMessages ?? []).join('\n') || file.message };
      }
      return { ...outcome, state: 'skipped', detail: test.meta?.skipReason ?? `skipped in ${name}` };
    });
  });
}
