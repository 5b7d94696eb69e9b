/** Every action of the editor has a command; looking has none. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../../../runtime/commands/commandTable.ts';

type Counterpart =
  /** What does the same in a terminal. */
  | { simdino: string }
  /** It shows something, and changes nothing that another could see. */
  | { looking: string }
  /** It is of the editor alone. */
  | { editor: string };

const counterparts: Record<string, Counterpart> = {
  'simdino.startRun': { simdino: 'train CONFIG --set KEY=VALUE' },
  'simdino.previewCrops': { simdino: 'preview CONFIG' },
  'simdino.stopRun': { simdino: 'stop RUN --force' },
  'simdino.checkpointRun': { simdino: 'checkpoints RUN --now' },
  'simdino.resumeRun': { simdino: 'resume RUN' },
  'simdino.forkRun': { simdino: 'fork RUN --set KEY=VALUE' },
  'simdino.startSweep': { simdino: 'sweep FILE --dry-run' },
  'simdino.openCurves': { simdino: 'curve RUN --metric NAME --out FILE' },
  'simdino.openLook': { simdino: 'look RUN --steps all' },
  'simdino.compareRuns': { simdino: 'report RUN RUN' },
  'simdino.openGrid': { simdino: 'grids GRID' },
  'simdino.openTable': { simdino: 'runs --filter TEXT --sort KEYS --group KEY --best METRIC --export FORMAT' },
  'simdino.openConfig': { looking: 'config.yaml of the run folder' },
  'simdino.openLog': { looking: 'log.txt of the run folder' },
  'simdino.revealRunFolder': { looking: 'the run folder' },
  'simdino.checkpoint.reveal': { looking: 'the folder of the checkpoint' },
  'simdino.renameRun': { simdino: 'annotate RUN --name TEXT' },
  'simdino.starRun': { simdino: 'annotate RUN --star' },
  'simdino.unstarRun': { simdino: 'annotate RUN --no-star' },
  'simdino.tagRun': { simdino: 'annotate RUN --tags A,B' },
  'simdino.noteRun': { simdino: 'annotate RUN --note TEXT' },
  'simdino.archiveRun': { simdino: 'annotate RUN --archive' },
  'simdino.unarchiveRun': { simdino: 'annotate RUN --no-archive' },
  'simdino.filterRuns': { simdino: 'runs --filter TEXT' },
  'simdino.clearFilter': { looking: 'a list without a filter' },
  'simdino.refreshRuns': { looking: 'every command reads anew' },
  'simdino.showOutput': { looking: 'what the extension logged' },
  'simdino.writeReport': { simdino: 'report RUN --output FILE' },
  'simdino.compareWithLast': { simdino: 'config diff FILE FILE' },
  'simdino.compareWithExtended': { simdino: 'config diff FILE' },
  'simdino.showResolvedConfig': { simdino: 'config resolve FILE' },
  'simdino.editHyperparameter': { editor: 'it edits text in the editor; --set changes a value for one run' },
  'simdino.installCudaEngine': { editor: 'it adds tfjs-node-gpu to the extension; npm install does so elsewhere' },
  'simdino.grid.runMissing': { simdino: 'sweep --resume ID --cell RUN' },
  'simdino.grid.pause': { simdino: 'sweep --pause ID' },
  'simdino.grid.cancel': { simdino: 'sweep --cancel ID' },
  'simdino.queueRun': { simdino: 'queue add CONFIG' },
  'simdino.queue.cancel': { simdino: 'queue cancel RUN' },
  'simdino.queue.moveFirst': { simdino: 'queue move RUN first' },
  'simdino.queue.moveUp': { simdino: 'queue move RUN up' },
  'simdino.queue.moveDown': { simdino: 'queue move RUN down' },
  'simdino.queue.setLimit': { simdino: 'queue limit DEVICE NUMBER' },
  'simdino.queue.pause': { simdino: 'queue pause' },
  'simdino.queue.start': { simdino: 'queue start' },
  'simdino.checkpoint.fork': { simdino: 'fork RUN --at STEP' },
  'simdino.checkpoint.resume': { simdino: 'resume RUN --from STEP' },
  'simdino.makePaper': { simdino: 'paper make --sweep ID --output FOLDER' },
  'simdino.verifyPaper': { simdino: 'paper verify FOLDER' },
};

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  contributes: { commands: { command: string }[] };
};

test('every command of the editor has its counterpart, or a reason to have none', () => {
  expect(Object.keys(counterparts).sort()).toEqual(manifest.contributes.commands.map(({ command }) => command).sort());
});

test('the counterparts are there, with their words and options', () => {
  for (const [action, counterpart] of Object.entries(counterparts)) {
    if (!('simdino' in counterpart)) continue;
    const [name = '', ...rest] = counterpart.simdino.split(' ');
    expect(Object.keys(commands), action).toContain(name);
    const source = readFileSync(`runtime/commands/${name}.ts`, 'utf8');
    for (const word of rest) {
      const option = /^--(?:no-)?([a-z-]+)$/.exec(word)?.[1];
      // As a key of the options that the command parses, shared ones included.
      if (option !== undefined) expect(source, `${action}: ${word}`).toMatch(new RegExp(`['\\s]${option}'?: \\{ type`));
      else if (/^[a-z]+$/.test(word)) expect(source, `${action}: ${word}`).toMatch(new RegExp(`'${word}'`));
    }
  }
});

test('every command that is listed can be loaded', async () => {
  for (const [name, { load, variants = {}, summary }] of Object.entries(commands)) {
    expect(summary, name).not.toBe('');
    for (const one of [load, ...Object.values(variants)]) expect((await one()).run, name).toBeTypeOf('function');
  }
});
