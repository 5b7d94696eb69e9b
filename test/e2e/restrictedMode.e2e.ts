import { expect, test } from 'vitest';
import { metricLines, writeRun } from '../unit/store/runFolders.ts';
import { describeStudio } from './host.ts';

describeStudio(
  'e2e: a workspace that nobody has trusted',
  (suite) => {
    test('shows its runs and their curves', async () => {
      expect(await suite.studio.runIn('finished')).toMatch(/^from-elsewhere .*finished/);
      await (await suite.studio.runs()).click(/from-elsewhere/);
      await (await suite.studio.curves()).growBeyond(8);
    });

    test('offers nothing that would start a process', async () => {
      const offer = (words: string) => suite.studio.workbench.paletteFor(`SimDINO: ${words}`);
      await expect.poll(() => offer('Show curves'), { timeout: 30_000 }).toContain('SimDINO: Show curves');
      // The list follows what is typed with a delay: it must have left the first answer behind.
      for (const command of ['Start SimDINO run', 'Start ablation grid', 'Start from run\u2026', 'Write report']) {
        await expect.poll(() => offer(command), { timeout: 30_000 }).not.toContain('SimDINO: Show curves');
        const rows = (await offer(command)).map((row) => row.replace(', similar commands', ''));
        expect(rows).not.toContain(`SimDINO: ${command}`);
      }
    });
  },
  {
    restricted: true,
    prepare: (runs) =>
      writeRun(runs, 'from-elsewhere', [
        { events: [{ type: 'finished', time: 2, step: 9 }], metrics: metricLines(1, 9, (step) => 1 / step) },
      ]),
  },
);
