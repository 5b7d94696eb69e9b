import { fork } from 'node:child_process';
import { builtFile } from '../../installation.ts';
import type { EngineName, EngineReport } from './engineReport.ts';

/** A driver that compiles its first kernels takes its time. */
const PATIENCE_MS = 120_000;

const devices: Record<EngineName, string> = { onnx: 'CPU', webgpu: 'GPU', dawn: 'GPU', tensorflow: 'TensorFlow' };

/** Tries an engine in a process of its own: whatever its native code does, this process goes on. */
export function probeEngine(
  engine: EngineName,
  { entry = builtFile('engineProbe.mjs'), patienceMs = PATIENCE_MS }: { entry?: string; patienceMs?: number } = {},
): Promise<EngineReport> {
  return new Promise((resolve) => {
    const child = fork(entry, [engine], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    let latest: EngineReport | undefined;
    let lastWords = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, patienceMs);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-2000)));
    child.on('message', (report) => (latest = report as EngineReport));
    const end = (how: string | undefined) => {
      clearTimeout(timer);
      if (how === undefined && latest) resolve(latest);
      else {
        const reason = isLate ? `no answer in ${patienceMs / 1000} s` : `its process ended (${how ?? 'no answer'})`;
        const device = latest?.device ?? devices[engine];
        resolve({ engine, device, verdict: 'crashed', reason: withLastLine(reason, lastWords) });
      }
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) => end(signal ?? (code === 0 ? undefined : `exit code ${code}`)));
  });
}

function withLastLine(reason: string, words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '' && !/^\s*at |^Node\.js v|^\s*[\^{}]/.test(line));
  const line = lines.findLast((text) => /error|fail|lost|fault/i.test(text)) ?? lines.at(-1);
  return line ? `${reason}: ${line.trim().slice(0, 200)}` : reason;
}
