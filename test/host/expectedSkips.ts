import type { Machine } from './machine.ts';
import type { Outcome } from './outcome.ts';

/** A check that some machines can't run. Any other skip fails the tests. */
interface ExpectedSkip {
  /** The check's name, or the vitest file that it is in. */
  name?: RegExp;
  file?: string;
  /** The machines where it is in order. */
  on: (machine: Machine) => boolean;
  because: string;
}

const mayLackBrowser = ({ platform, isRoot }: Machine): boolean => platform !== 'linux' || !isRoot;
const onWindows = ({ platform }: Machine): boolean => platform === 'win32';

const expectedSkips: ExpectedSkip[] = [
  {
    name: /^integration in the desktop VS Code$/,
    on: ({ platform }) => platform === 'linux',
    because: 'it takes a download and a screen (or xvfb-run); the same suites run in the browser instead',
  },
  { name: /^integration in the browser VS Code$/, on: mayLackBrowser, because: 'only root can install a browser' },
  { name: /^e2e: /, on: mayLackBrowser, because: 'only root can install a browser; code-server is not for Windows' },
  { file: 'test/unit/webview/panels.test.ts', on: mayLackBrowser, because: 'only root can install a browser' },
  {
    name: /^e2e: .* on a read-only disk/,
    on: ({ isRoot }) => isRoot,
    because: 'root writes everywhere, and in many containers may mount nothing',
  },
  {
    file: 'test/unit/store/fullDisk.test.ts',
    on: () => true,
    because: 'only root can mount a small disk to fill, and in many containers not even root',
  },
  {
    name: /^conformance of (webgpu|dawn)$/,
    on: mayLackBrowser,
    because: 'the software GPU comes with Debian’s chromium, which only root can install',
  },
  {
    name: /^conformance of tensorflow$/,
    on: () => true,
    because: 'tfjs-node fetches its library from outside npm; test/tensorflow.mjs builds it where PyPI is reachable',
  },
  {
    name: /says what was tried where it can be had from nowhere/,
    on: ({ hasFashionMnist }) => hasFashionMnist,
    because: 'what is installed is never fetched',
  },
  {
    name: /timm itself/,
    on: ({ hasTimm }) => !hasTimm,
    because: 'timm is of PyPI; the same names are tested with torch alone',
  },
  {
    file: 'test/unit/checkpoint/torchRoundTrip.test.ts',
    on: ({ hasTorch }) => !hasTorch,
    because: 'no Python here has torch (Debian: python3-torch)',
  },
  {
    name: /^TensorBoard reads what was exported$/,
    on: ({ hasPip }) => !hasPip,
    because: 'it is a Python package; a reader of our own checks the files everywhere',
  },
  {
    name: /^under OpenMPI/,
    on: ({ hasOpenMpi }) => !hasOpenMpi,
    because: 'OpenMPI is not installed (Debian: openmpi-bin); the same step runs in one process elsewhere in the tests',
  },
  { name: /^under MPICH/, on: ({ hasMpich }) => !hasMpich, because: 'MPICH is not installed (Debian: mpich)' },
  {
    name: /^NVML from a compiled library/,
    on: ({ hasCompiler }) => !hasCompiler,
    because: 'there is no C compiler (Debian: gcc); what is made of the numbers is tested everywhere',
  },
  {
    file: 'test/e2e/cluster.e2e.ts',
    on: (machine) => !machine.hasSlurm || mayLackBrowser(machine),
    because: 'it takes SLURM and a browser',
  },
  {
    file: 'test/tiny/cluster.test.ts',
    on: ({ hasSlurm }) => !hasSlurm,
    because: 'SLURM is not installed (Debian: slurm-wlm), or its daemons may not be started',
  },
  { file: 'test/unit/host/processGroup.test.ts', on: onWindows, because: 'Windows has no process groups' },
  { file: 'test/unit/extension/spawnRuntime.test.ts', on: onWindows, because: 'Windows has no sessions of processes' },
];

/** The skips among the outcomes that nobody has allowed on this machine. */
export function unexpectedSkips(outcomes: readonly Outcome[], machine: Machine): Outcome[] {
  const isExpected = ({ name, file }: Outcome): boolean =>
    expectedSkips.some(
      (skip) => (skip.file === undefined ? skip.name?.test(name) : skip.file === file) && skip.on(machine),
    );
  return outcomes.filter((outcome) => outcome.state === 'skipped' && !isExpected(outcome));
}
