import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';

/**
 * A script in the place of `simdino` that knows `train` and `resume`: it writes the run folder that a trainer would, then does
 * what the file `<run>.does` beside the runs says - `finish` (or nothing), `fail`, `wait` (until it says otherwise, or a SIGTERM
 * stops it) - and appends what it was called with to `calls.txt`.
 */
export function writeFakeTrainer(folder: string): string {
  const path = join(folder, 'fakeTrainer.mjs');
  // The tests' own namespace of processes is the script's too.
  writeFileSync(path, script.replace('BOOT', JSON.stringify(currentProcess().bootId)));
  return path;
}

export function tell(folder: string, runId: string, what: 'finish' | 'fail' | 'wait'): void {
  writeFileSync(join(folder, `${runId}.does`), what);
}

const script = `
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostname } from 'node:os';
const [command, subject, ...rest] = process.argv.slice(2);
const option = (name) => { const at = rest.indexOf(name); return at < 0 ? undefined : rest[at + 1]; };
const runs = option('--runs-dir');
const id = command === 'train' ? option('--run-id') : subject;
appendFileSync(join(runs, 'calls.txt'), command + ' ' + id + '\\n');
const folder = join(runs, id);
mkdirSync(join(folder, 'attempts'), { recursive: true });
if (command === 'train') {
  writeFileSync(join(folder, 'config.yaml'), readFileSync(subject));
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ version: 1, id, createdAt: new Date().toISOString(), totalSteps: 10, sweep: JSON.parse(option('--sweep') ?? 'null') }));
}
const attempt = join(folder, 'attempts', String(readdirSync(join(folder, 'attempts')).length + 1).padStart(3, '0'));
mkdirSync(attempt);
const startTime = () => { const stat = readFileSync('/proc/self/stat', 'utf8'); return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; };
const bootId = BOOT;
writeFileSync(join(attempt, 'attempt.json'), JSON.stringify({ version: 1, index: 1, startedAt: new Date().toISOString(), process: { pid: process.pid, startTime: startTime(), hostname: hostname(), bootId }, engine: 'onnx', device: 'CPU', resumedFrom: null }));
writeFileSync(join(attempt, 'heartbeat'), '1');
const say = (event) => appendFileSync(join(attempt, 'events.jsonl'), JSON.stringify({ time: Date.now(), step: 1, ...event }) + '\\n');
say({ type: 'started' });
process.on('SIGTERM', () => { say({ type: 'stopped' }); process.exit(4); });
const order = join(runs, id + '.does');
const look = () => {
  const what = existsSync(order) ? readFileSync(order, 'utf8') : 'finish';
  if (what === 'wait') return setTimeout(look, 30);
  say(what === 'fail' ? { type: 'failed', code: 'internal', message: 'told to' } : { type: 'finished' });
  process.exit(what === 'fail' ? 3 : 0);
};
look();
`;
