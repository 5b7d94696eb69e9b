import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { launchBrowser } from '../host/browser.ts';
import { findChromium } from '../host/chromium.ts';
import { CodeServer } from '../host/codeServer.ts';
import { packagedVsix } from '../host/packagedVsix.ts';
import { repository } from '../host/repository.ts';
import { copyWorkspace } from '../host/testWorkspace.ts';
import { endRuns } from '../host/endRuns.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

/** The packaged extension in a real VS Code that a real browser looks at, over a copy of a sample workspace. */
export interface E2eHost {
  server: CodeServer;
  browser: Browser;
  workspace: string;
  runsFolder: string;
  /** Keeps a picture and the logs of a failed test under .cache/e2e/, to be looked at. */
  keepEvidence: (test: string) => Promise<void>;
  close: () => Promise<void>;
}

/** What a suite's tests work with, once its `beforeAll` has run. */
export interface E2eSuite {
  readonly host: E2eHost;
  readonly studio: Studio;
}

/**
 * A suite of tests over one window of one VS Code, which are steps of one story. Skipped, with the reason in the machine's list,
 * where there can be none; what a failed test left is kept.
 */
export function describeStudio(
  name: string,
  tests: (suite: E2eSuite) => void,
  options: Parameters<typeof startE2eHost>[1] & { workspace?: string } = {},
): void {
  describe.skipIf(noHost !== undefined)(name, () => {
    let started: { host: E2eHost; studio: Studio } | undefined;
    const use = () => {
      if (!started) throw new Error('internal: the host is not started');
      return started;
    };
    beforeAll(async () => {
      const host = await startE2eHost(options.workspace ?? 'studio', options);
      started = { host, studio: await Studio.open(host.browser, host.server.url) };
    });
    afterAll(() => started?.host.close());
    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail') await started?.host.keepEvidence(task.name);
    });
    tests({
      get host() {
        return use().host;
      },
      get studio() {
        return use().studio;
      },
    });
  });
}

/** Why this machine can't have one, or undefined. */
async function whyNoHost(): Promise<string | undefined> {
  if (process.platform === 'win32') return 'code-server does not run on Windows';
  const browser = await findChromium(console.log);
  return typeof browser === 'string' ? undefined : browser.missing;
}

/** With `restricted`, nobody has trusted the workspace. `prepare` writes into it before the editor starts. */
async function startE2eHost(
  workspaceName: string,
  {
    restricted = false,
    prepare = () => Promise.resolve(),
  }: { restricted?: boolean; prepare?: (runsFolder: string) => Promise<unknown> } = {},
): Promise<E2eHost> {
  const executable = await findChromium(console.log);
  if (typeof executable !== 'string') throw new Error(executable.missing);
  const work = mkdtempSync(join(tmpdir(), 'simdino-e2e-'));
  const workspace = copyWorkspace(workspaceName, work);
  const vsix = await packagedVsix();
  const runsFolder = join(workspace, 'runs');
  await prepare(runsFolder);
  const stateFolder = join(work, 'server');
  const server = await CodeServer.start({ workspace, stateFolder, extensions: [vsix], restricted });
  const browser = await launchBrowser(executable);
  return {
    server,
    browser,
    workspace,
    runsFolder,
    keepEvidence: async (test) => {
      const folder = join(repository, '.cache', 'e2e', test.replace(/\W+/g, '-'));
      mkdirSync(folder, { recursive: true });
      const pages = browser.contexts().flatMap((context) => context.pages());
      await Promise.all(pages.map((page, index) => page.screenshot({ path: join(folder, `page-${index}.png`) })));
      for (const name of ['server.log', join('user-data', 'logs')]) {
        const from = join(work, 'server', name);
        if (existsSync(from)) cpSync(from, join(folder, basename(name)), { recursive: true });
      }
      console.log(`evidence of the failure: ${folder}`);
    },
    close: async () => {
      await browser.close();
      await server.stop();
      endRuns(runsFolder);
      rmSync(work, { recursive: true, force: true });
    },
  };
}
