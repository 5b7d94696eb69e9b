import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { hasSlurm, startVirtualCluster, type VirtualCluster } from '../host/virtualCluster.ts';
import { describeStudio } from './host.ts';

const sweep = `base: tiny
set:
  train.epochs: 8
  checkpoint.everyEpochs: 1
  eval.knn.everyEpochs: 8
  runtime.threads: 1
  runtime.launcher: slurm
  # What a lost node had is to be seen as lost, not queued again by the cluster.
  runtime.slurm.sbatch: ['--no-requeue']
axes:
  loss.gammaFactor: [0.5, 1, 2]
  loss.eps: [0.1, 0.2236, 0.7071]
seeds: [1, 2]
slots: 4
`;

/** The jobs that work, and where: as SLURM says. */
async function working(cluster: VirtualCluster): Promise<{ job: string; node: string }[]> {
  const lines = (await cluster.slurm('squeue', '--noheader', '--states=RUNNING', '--format=%i %N')).trim().split('\n');
  return lines.filter(Boolean).map((line) => ({ job: line.split(' ')[0]!, node: line.split(' ')[1]! }));
}

describe.skipIf(!hasSlurm())('on a virtual cluster', () => {
  let cluster: VirtualCluster;
  afterAll(async () => {
    delete process.env['SLURM_CONF'];
    await cluster?.stop();
  });

  describeStudio(
    'e2e: a grid on a cluster of four nodes in a real VS Code',
    (suite) => {
      test('is submitted as a job array and watched', { timeout: 300_000 }, async () => {
        await suite.studio.startGrid('cluster.yaml', 18);
        const heatMap = await suite.studio.heatMap();
        await expect
          .poll(async () => Object.values(await heatMap.cells()).reduce((a, b) => a + b, 0), { timeout: 60_000 })
          .toBe(9);
        await expect.poll(async () => (await working(cluster)).length, { timeout: 120_000 }).toBeGreaterThan(1);
        await suite.studio.workbench.screenshot('grid-on-cluster');
      });

      test('loses a node, and its cells with it', { timeout: 300_000 }, async () => {
        const [lost] = await working(cluster);
        await cluster.killNode(lost!.node);
        await expect
          .poll(() => cluster.slurm('sinfo', '--noheader', '--nodes', lost!.node, '--format=%t'), { timeout: 90_000 })
          .toMatch(/down/);
        // What is left of the cluster goes on with what waits.
        for (const deadline = performance.now() + 240_000; performance.now() < deadline; await sleep(2000))
          if ((await cluster.slurm('squeue', '--noheader')).trim() === '') break;
        expect((await cluster.slurm('squeue', '--noheader')).trim()).toBe('');
      });

      test('resumes what was lost, and the heat map is complete', { timeout: 300_000 }, async () => {
        const heatMap = await suite.studio.heatMap();
        expect(await heatMap.cells()).not.toEqual({ done: 9 });
        await (await suite.studio.runs()).inlineAction(/^cluster-/, /Run missing and failed cells/);
        await expect.poll(() => heatMap.cells(), { timeout: 200_000 }).toEqual({ done: 9 });
        expect(await heatMap.values()).toEqual(Array(9).fill(expect.stringMatching(/%/)));
        await suite.studio.workbench.screenshot('grid-on-cluster-complete');
      });
    },
    {
      prepare: async (runsFolder) => {
        cluster = await startVirtualCluster({ nodes: 4 });
        process.env['SLURM_CONF'] = cluster.configPath;
        writeFileSync(join(dirname(runsFolder), 'cluster.yaml'), sweep);
      },
    },
  );
});
