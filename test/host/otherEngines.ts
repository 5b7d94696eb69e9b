import { findSoftwareGpu } from './softwareGpu.ts';
import { skipped, type Outcome } from './outcome.ts';
import { runVitest } from './vitestRun.ts';

/**
 * What is run on the software GPU, which takes a second for what a GPU does in a millisecond: of each golden file the smallest cases, the
 * first steps of a training against the CPU's, and a GPU's own engine.
 */
const onSoftwareGpu = {
  files: ['codingRate', 'simdinoLoss', 'heads', 'optimiser', 'trajectories', 'agreement'],
  tests: [
    '1 x 4 samples of 8, eps\\^2 0.05, unit',
    '3 x 3 samples',
    '3 views x 2 of 8',
    'v1_simdino, ',
    'gelu_exact_erf',
    'eps 1e-8, 5 steps',
    'zero_and_missing_gradient',
    '3 updates',
    '^traj_simdino six steps',
    '^webgpu follows',
  ].join('|'),
  env: { SIMDINO_CONFORMANCE_STEPS: '8' },
};

/**
 * Our own kernels one by one, a few golden cases of each kind, and a network's first steps: a processor compiles each shader for a second,
 * and has more to compile for every golden trajectory than there is time for (`npm run test:golden -- --engine dawn` runs them).
 */
const ofOwnKernels = {
  files: ['engines/kernels', 'engines/products', 'engines/agreement', 'codingRate', 'simdinoLoss', 'optimiser'],
  tests: [
    'kernels of dawn',
    'products of dawn',
    '2 x 64 samples of 16, eps\\^2 0.05, unit',
    '1 x 6 samples of 5, eps\\^2 0.05, collapsed',
    '4 views x 4 of 8, expa_type 1, unit',
    'eps 1e-8, 5 steps',
    'zero_and_missing_gradient',
    '3 updates',
    '^dawn follows the CPU engine in double precision loss by loss',
  ].join('|'),
  env: { SIMDINO_CONFORMANCE_STEPS: '4' },
};

const suites = { webgpu: onSoftwareGpu, dawn: ofOwnKernels };

/** The conformance suite on the engines that a machine without a GPU can have besides the CPU's. */
export async function runOtherEngines(say: (text: string) => void): Promise<Outcome[]> {
  const gpu = await findSoftwareGpu((line) => say(`${line}\n`));
  const onGpu: Outcome[] = [];
  for (const name of ['webgpu', 'dawn'] as const) {
    if ('missing' in gpu) onGpu.push(skipped(`conformance of ${name}`, gpu.missing));
    else onGpu.push(...(await onSoftware(name, gpu.env, say)));
  }
  return [
    ...onGpu,
    skipped(
      'conformance of tensorflow',
      'tfjs-node is not installed; `node test/tensorflow.mjs` builds it against a wheel of PyPI',
    ),
  ];
}

async function onSoftware(
  engine: keyof typeof suites,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<Outcome[]> {
  const suite = suites[engine];
  const outcomes = await runVitest(['golden', 'engines'], {
    files: suite.files,
    testNamePattern: suite.tests,
    env: { ...env, ...suite.env, SIMDINO_GOLDEN_ENGINE: engine },
    timeoutMs: 15 * 60_000,
    onOutput: say,
  });
  // What the pattern leaves out is not a skip.
  const chosen = outcomes.filter(({ state }) => state !== 'skipped');
  return chosen.map((outcome) => ({ ...outcome, name: `on ${engine}: ${outcome.name}` }));
}
