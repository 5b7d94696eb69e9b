import { dirname, join, resolve, basename } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import {
  cancelQueued,
  defaultQueueLimit,
  moveQueued,
  readQueue,
  setQueueLimit,
  type QueueOverview,
} from '../../experiments/store/queue.ts';
import { errors, isSimdinoError } from '../../protocol/errors.ts';
import { queueFiles, queueFolder } from '../../protocol/runFolder.ts';
import { parseOverrides, readConfigFile } from '../configFile.ts';
import { builtFile } from '../installation.ts';
import { addToQueue } from '../queue/addToQueue.ts';
import { startScheduler } from '../queue/startScheduler.ts';
import { workQueue } from '../queue/workQueue.ts';
import { withAbsolutePaths } from '../../experiments/store/reusableRuns.ts';
import { exitCodes } from './exitCodes.ts';
import { parseParent } from './parent.ts';
import { formatTable } from './runs.ts';

const usage = `Usage: simdino queue add CONFIG [options]        let a run wait until its device is free
       simdino queue list                        what waits, in order
       simdino queue cancel RUN                  take a run out
       simdino queue move RUN first|up|down|last put it elsewhere in the line
       simdino queue limit DEVICE NUMBER         how many runs train on a device at the same time (default: 1)
       simdino queue start                       work through the queue, in a process of its own
       simdino queue pause                       launch nothing more; what trains goes on
       simdino queue work                        work through the queue in this terminal

  --runs-dir DIR     where run folders are made (default: runs)
  --run-id ID        name of the run (default: made from the configuration's name and the time)
  --set KEY=VALUE    changes one value; may be repeated
  --device NAME      what the run counts against (default: gpu for engines that need one, else cpu)
  --parent RUN:STEP  the run and the checkpoint that this one is forked from
  --source PATH      records where the configuration came from, when CONFIG is a copy
  --json             prints JSON instead of text
`;

/** `simdino queue`: runs that wait for a device. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      'run-id': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      device: { type: 'string' },
      parent: { type: 'string' },
      source: { type: 'string' },
      name: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action, subject, argument] = positionals;
  if (values.help || action === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const runsFolder = resolve(values['runs-dir']);
  const watch = new LivenessWatch();
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const named = (): string => {
    if (subject === undefined) throw errors.usage(`\`simdino queue ${action}\` needs a name.`);
    return subject;
  };

  switch (action) {
    case 'add': {
      const file = readConfigFile(named(), parseOverrides(values.set));
      if (file.warnings.length > 0) say(formatDiagnostics(file.warnings, file.text, file.path));
      const { runId, device } = addToQueue({
        id: values['run-id'] ?? { from: values.name ?? basename(values.source ?? file.path) },
        runsFolder,
        config: withAbsolutePaths(file.config, dirname(file.path)),
        configSource: values.source ?? file.path,
        device: values.device,
        parent: parseParent(values.parent),
        createdAt: new Date().toISOString(),
      });
      const { scheduler } = await readQueue(runsFolder, watch);
      if (scheduler === 'paused' || scheduler === 'pausing') say('the queue is paused; `simdino queue start` goes on');
      else if (scheduler !== 'running') startScheduler(runsFolder);
      if (values.json) process.stdout.write(`${JSON.stringify({ id: runId, device })}\n`);
      else say(`${runId} waits for ${device}`);
      return exitCodes.success;
    }
    case 'list': {
      const queue = await readQueue(runsFolder, watch);
      process.stdout.write(values.json ? `${JSON.stringify(queue, null, 2)}\n` : describe(queue));
      return exitCodes.success;
    }
    case 'cancel': {
      const cancelled = await cancelQueued(runsFolder, named());
      say(cancelled ? `${named()} is out of the queue` : `${named()} does not wait; \`simdino stop\` stops a run`);
      return cancelled ? exitCodes.success : exitCodes.failed;
    }
    case 'move': {
      const to = (['first', 'up', 'down', 'last'] as const).find((place) => place === argument);
      if (!to) throw errors.usage(`A run is moved first, up, down or last, not '${argument ?? ''}'.`);
      if (await moveQueued(runsFolder, named(), to, watch)) return exitCodes.success;
      say(`${named()} does not wait`);
      return exitCodes.failed;
    }
    case 'limit': {
      const limit = Number(argument);
      if (argument === undefined || !Number.isSafeInteger(limit) || limit < 0)
        throw errors.usage(`A limit is a whole number of runs, got '${argument ?? ''}'.`);
      await setQueueLimit(runsFolder, named(), limit);
      return exitCodes.success;
    }
    case 'start': {
      const { scheduler, runs } = await readQueue(runsFolder, watch);
      if (scheduler === 'running') say('a scheduler works on the queue already');
      else if (runs.length === 0) say('nothing waits');
      else startScheduler(runsFolder);
      return exitCodes.success;
    }
    case 'pause': {
      const { scheduler } = await readQueue(runsFolder, watch);
      if (scheduler !== 'running') say(`no scheduler works on the queue: ${scheduler}`);
      else await writeRequest(join(runsFolder, queueFolder, queueFiles.scheduler), 'pause', 'simdino queue');
      return exitCodes.success;
    }
    case 'work':
      return work(runsFolder, say);
    default:
      throw errors.usage(`There is no \`simdino queue ${action}\`.`);
  }
}

async function work(runsFolder: string, say: (text: string) => void): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  try {
    const outcome = await workQueue({
      runsFolder,
      simdino: [process.execPath, builtFile('simdino.mjs')],
      onMessage: say,
      signal: stop.signal,
      now: () => Date.now(),
    });
    return outcome === 'done' ? exitCodes.success : exitCodes.stopped;
  } catch (error) {
    if (!isSimdinoError(error) || error.code !== 'runExists') throw error;
    say('a scheduler works on the queue already');
    return exitCodes.success;
  }
}

function describe({ runs, limits, scheduler }: QueueOverview): string {
  const words = { waiting: 'waiting', taken: 'starting', failed: 'could not be started' };
  const rows = runs.map(({ runId, state, record }) => [
    runId,
    words[state],
    record?.device ?? '?',
    record?.configSource ?? '',
  ]);
  const table =
    rows.length === 0 ? 'Nothing waits.' : formatTable([['RUN', 'STATE', 'DEVICE', 'CONFIGURATION'], ...rows]);
  const devices = new Set([...Object.keys(limits), ...runs.map(({ record }) => record?.device ?? 'cpu')]);
  const each = [...devices].map((device) => `${device}: ${limits[device] ?? defaultQueueLimit}`).join(', ');
  return `${table}\nScheduler: ${scheduler}${each ? `; at the same time: ${each}` : ''}\n`;
}
