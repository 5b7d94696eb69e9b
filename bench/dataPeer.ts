import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Cost {
  cpuMs: number;
  wallMs: number;
}

export interface DataPeer {
  versions: Record<string, string>;
  /** Makes the crops of the next so many images. */
  run(images: number): Promise<Cost>;
  close(): void;
}

/** Starts torchvision and PIL in a Python that has them: SIMDINO_BENCH_PYTHON, the system's or the PATH's. */
export async function startDataPeer(setup: object): Promise<DataPeer> {
  const candidates = [process.env['SIMDINO_BENCH_PYTHON'], '/usr/bin/python3', 'python3'].filter(
    (path) => path !== undefined,
  );
  const python = candidates.find(
    (path) => spawnSync(path, ['-c', 'import torchvision'], { stdio: 'ignore' }).status === 0,
  );
  if (python === undefined)
    throw new Error(
      'the peer is torchvision with PIL, and no Python here has it: install python3-torchvision (Debian), or set SIMDINO_BENCH_PYTHON',
    );
  const environment = { ...process.env, OMP_NUM_THREADS: '1' };
  const peer = spawn(python, [join(process.cwd(), 'bench/dataPeer.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const ask = async <T>(line: string): Promise<T> => {
    peer.stdin.write(`${line}\n`);
    const answer = await lines.next();
    if (answer.done === true) throw new Error('the peer ended');
    return JSON.parse(answer.value) as T;
  };
  return {
    versions: await ask<Record<string, string>>(JSON.stringify(setup)),
    run: (images) => ask<Cost>(String(images)),
    close: () => peer.stdin.end(),
  };
}
