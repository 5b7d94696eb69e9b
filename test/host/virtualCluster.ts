/**
 * A SLURM cluster of several nodes on this machine, for a test: Debian's `slurm-wlm`, a controller and one daemon per node, all of them
 * processes of the test's own, without systemd, without munge and without privileges beyond root's.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface VirtualCluster {
  /** For `SLURM_CONF`. */
  configPath: string;
  /** Runs a command of SLURM against this cluster. */
  slurm(command: string, ...args: string[]): Promise<string>;
  /** Ends a node's daemon and everything that it runs, as a power cut would. */
  killNode(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Whether SLURM's daemons are installed and may be started (by root alone). */
export function hasSlurm(): boolean {
  const isThere = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  return process.getuid?.() === 0 && ['slurmctld', 'slurmd', 'sbatch', 'squeue'].every(isThere);
}

/**
 * Starts a cluster of nodes `n1`, `n2`, ... with so many cores each, in a partition `main`. Jobs of the partition `urgent` take nodes from
 * those of `main`, which are told 20 s before.
 */
export async function startVirtualCluster({
  nodes,
  coresPerNode = 1,
}: {
  nodes: number;
  coresPerNode?: number;
}): Promise<VirtualCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'simdino-slurm-'));
  const names = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
  const [controllerPort, ...nodePorts] = await freePorts(nodes + 1);
  const configPath = join(folder, 'slurm.conf');
  mkdirSync(join(folder, 'state'));
  writeFileSync(
    configPath,
    [
      'ClusterName=virtual',
      `SlurmctldHost=${hostname()}(127.0.0.1)`,
      'SlurmUser=root',
      'AuthType=auth/none',
      'CredType=cred/none',
      'ProctrackType=proctrack/pgid',
      'TaskPlugin=task/none',
      'SwitchType=switch/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'SlurmdParameters=config_overrides',
      `StateSaveLocation=${join(folder, 'state')}`,
      `SlurmdSpoolDir=${join(folder, 'spool-%n')}`,
      `SlurmctldPidFile=${join(folder, 'slurmctld.pid')}`,
      `SlurmdPidFile=${join(folder, 'slurmd-%n.pid')}`,
      `SlurmctldLogFile=${join(folder, 'slurmctld.log')}`,
      `SlurmdLogFile=${join(folder, 'slurmd-%n.log')}`,
      `SlurmctldPort=${controllerPort}`,
      'ReturnToService=2',
      'SlurmdTimeout=8',
      'KillWait=8',
      'JobRequeue=1',
      'JobCompType=jobcomp/filetxt',
      `JobCompLoc=${join(folder, 'jobs.txt')}`,
      ...names.map(
        (name, index) =>
          `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${nodePorts[index]} CPUs=${coresPerNode} RealMemory=2000`,
      ),
      'PreemptType=preempt/partition_prio',
      'PreemptMode=REQUEUE',
      `PartitionName=main Nodes=${names.join(',')} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20`,
      `PartitionName=urgent Nodes=${names.join(',')} MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF`,
      '',
    ].join('\n'),
  );
  const environment = { ...process.env, SLURM_CONF: configPath };
  const daemon = (command: string, args: string[], log: string): ChildProcess => {
    const output = openSync(join(folder, log), 'a');
    // A process group of its own: what a node runs goes with it.
    const child = spawn(command, args, { env: environment, detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    return child;
  };
  const controller = daemon('slurmctld', ['-D'], 'slurmctld.out');
  await sleep(300);
  const daemons = new Map<string, ChildProcess>();
  for (const name of names) {
    mkdirSync(join(folder, `spool-${name}`));
    daemons.set(name, daemon('slurmd', ['-D', '-N', name], `slurmd-${name}.out`));
  }
  const slurm = async (command: string, ...args: string[]): Promise<string> =>
    (await run(command, args, { env: environment, timeout: 20_000 })).stdout;

  const cluster: VirtualCluster = {
    configPath,
    slurm,
    killNode: async (name) => {
      const child = daemons.get(name);
      if (!child?.pid) throw new Error(`there is no node ${name}`);
      const pids = await descendantsOf(child.pid);
      for (const pid of [child.pid, ...pids, ...(await stepsOf(folder, name))]) end(pid, 'SIGKILL');
    },
    stop: async () => {
      await slurm('scancel', '--user=root').catch(() => undefined); // the controller may be gone
      await sleep(500);
      for (const [name, child] of daemons) {
        const steps = await stepsOf(folder, name);
        for (const pid of [...(child.pid === undefined ? [] : [child.pid]), ...steps]) end(pid, 'SIGKILL');
      }
      if (controller.pid !== undefined) end(controller.pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await untilIdle(slurm, nodes);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function untilIdle(slurm: VirtualCluster['slurm'], nodes: number): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await sleep(200)) {
    const idle = await slurm('sinfo', '--noheader', '--Node', '--partition=main', '--format=%N %t').catch(() => '');
    if (idle.split('\n').filter((line) => line.endsWith(' idle')).length === nodes) return;
  }
  throw new Error('the virtual cluster has not come up in 30 s');
}

/** The step daemons of a node, which leave its process group, and everything below them. */
async function stepsOf(folder: string, name: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
  const steps = stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+slurmstepd: \[/.exec(line);
    return match ? [Number(match[1])] : [];
  });
  const own: number[] = [];
  for (const pid of steps) {
    // A step daemon knows its node by its spool folder.
    const { stdout: files } = await run('sh', [
      '-c',
      `ls -l /proc/${pid}/fd 2>/dev/null; tr '\\0' '\\n' < /proc/${pid}/environ 2>/dev/null; true`,
    ]);
    if (files.includes(join(folder, `spool-${name}`)) || files.includes(join(folder, `slurmd-${name}.`)))
      own.push(pid, ...(await descendantsOf(pid)));
  }
  return own;
}

async function descendantsOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=']);
  const parents = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: number[] = [];
  for (let layer = [pid]; layer.length > 0;) {
    layer = parents.filter(([, parent]) => layer.includes(parent)).map(([child]) => child);
    found.push(...layer);
  }
  return found;
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
