import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { metricLines, writeRun } from '../unit/store/runFolders.ts';
import { type E2eHost, startE2eHost, whyNoHost } from './host.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

describe.skipIf(noHost !== undefined)('e2e: a workspace that nobody has trusted', () => {
  let host: E2eHost;
  let studio: Studio;

  beforeAll(async () => {
    const attempt = {
      events: [{ type: 'finished', time: 2, step: 9 }],
      metrics: metricLines(1, 9, (step) => 1 / step),
    };
    host = await startE2eHost('studio', {
      restricted: true,
      prepare: (runs) => writeRun(runs, 'from-elsewhere', [attempt]),
    });
    studio = await Studio.open(host.browser, host.server.url);
  });
  afterAll(() => (host as E2eHost | undefined)?.close());

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await host.keepEvidence(task.name);
  });

  test('shows its runs and their curves', async () => {
    expect(await studio.runIn('finished')).toMatch(/^from-elsewhere finished/);
    await (await studio.runs()).click(/from-elsewhere/);
    await (await studio.curves()).growBeyond(8);
  });

  test('offers nothing that would start a process', async () => {
    const offer = (words: string) => studio.workbench.paletteFor(`SimDINO: ${words}`);
    await expect.poll(() => offer('Show curves'), { timeout: 30_000 }).toContain('SimDINO: Show curves');
    // The list follows what is typed with a delay: it must have left the first answer behind.
    for (const command of ['Start SimDINO run', 'Start ablation grid', 'Start from run\u2026', 'Write report']) {
      await expect.poll(() => offer(command), { timeout: 30_000 }).not.toContain('SimDINO: Show curves');
      const rows = (await offer(command)).map((row) => row.replace(', similar commands', ''));
      expect(rows).not.toContain(`SimDINO: ${command}`);
    }
  });
});
