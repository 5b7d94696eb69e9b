import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findCompiler } from './compiler.ts';
import { hasMpi } from './mpi.ts';
import { hasSlurm } from './virtualCluster.ts';
import { canImport, findTorch } from './torch.ts';

/** What decides which checks a machine can run. */
export interface Machine {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** Whether Debian's package with Fashion-MNIST is installed. */
  hasFashionMnist: boolean;
  /** Whether some Python here imports torch, and timm. */
  hasTorch: boolean;
  hasTimm: boolean;
  /** Whether Python's installer of packages is there. */
  hasPip: boolean;
  /** Whether SLURM's daemons may be started. */
  hasSlurm: boolean;
  hasOpenMpi: boolean;
  hasMpich: boolean;
  hasCompiler: boolean;
}

export function thisMachine(): Machine {
  const python = findTorch();
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    hasFashionMnist: existsSync('/usr/share/datasets/fashion-mnist'),
    hasTorch: python !== undefined,
    hasTimm: python !== undefined && canImport(python, 'timm'),
    hasPip: spawnSync('python3', ['-m', 'pip', '--version']).status === 0,
    hasSlurm: hasSlurm(),
    hasOpenMpi: hasMpi('openmpi'),
    hasMpich: hasMpi('mpich'),
    hasCompiler: findCompiler() !== undefined,
  };
}

export function describeMachine({ platform, isRoot }: Machine): string {
  return `${platform}-${process.arch}, Node ${process.version}${isRoot ? ', root' : ''}`;
}
