import { spawn, spawnSync } from 'node:child_process';
import { builtFile } from '../../runtime/installation.ts';

export type MpiKind = 'openmpi' | 'mpich';

/** The launchers of the implementations, as Debian names them beside each other. */
const launchers: Record<MpiKind, { command: string; library: string; arguments: string[] }> = {
  openmpi: {
    command: 'mpirun.openmpi',
    library: 'libmpi.so.40',
    // A process that is left when another is lost gets time to write its checkpoint.
    arguments: [
      '--allow-run-as-root',
      '--oversubscribe',
      '--bind-to',
      'none',
      '--mca',
      'odls_base_sigkill_timeout',
      '10',
    ],
  },
  mpich: { command: 'mpiexec.hydra', library: 'libmpich.so.12', arguments: [] },
};

export function hasMpi(kind: MpiKind): boolean {
  const { command, library } = launchers[kind];
  return spawnSync('sh', ['-c', `command -v ${command} && ldconfig -p | grep -q ${library}`]).status === 0;
}

export interface Ranks {
  pid: number;
  finished: Promise<{ code: number | null; stderr: string }>;
}

/** The command line in several processes. */
export function simdinoUnder(kind: MpiKind, ranks: number, ...args: string[]): Ranks {
  const { command, arguments: options } = launchers[kind];
  const child = spawn(command, [...options, '-n', String(ranks), process.execPath, builtFile('simdino.mjs'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  return {
    pid: child.pid!,
    finished: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stderr }));
    }),
  };
}
