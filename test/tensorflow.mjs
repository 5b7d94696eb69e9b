// node test/tensorflow.mjs [--python PYTHON] [--work FOLDER] [--only golden|engines]
//
// Proves the `tensorflow` engine on the real TensorFlow, without a GPU and without the archive that tfjs-node downloads: builds tfjs-node's
// own binding against the C library and the headers inside PyPI's `tensorflow-cpu` wheel, then runs the golden suite and the
// conformance suite on it. Needs Python with pip, PyPI, a C++ compiler and about 1.5 GB; Linux. What is built is kept in the work folder.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    work: { type: 'string', default: join(root, '.cache', 'tensorflow') },
    only: { type: 'string' },
  },
});
const { python } = values;
const work = resolve(values.work);

/** The newest that still ships headers of the C interface as tfjs-node 4.22 uses it, for the Pythons that have a wheel of it. */
const wheel = 'tensorflow-cpu==2.15.1';
const tfjsNode = '@tensorflow/tfjs-node@4.22.0';

const unpacked = join(work, 'wheel');
const tensorflow = join(unpacked, 'tensorflow');
const packageFolder = join(work, 'node_modules', '@tensorflow', 'tfjs-node');
const binding = join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node');

if (process.platform !== 'linux') fail('the wheel that is used here is for Linux');
mkdirSync(work, { recursive: true });
if (!existsSync(join(tensorflow, 'libtensorflow_cc.so.2'))) fetchWheel();
if (!existsSync(join(packageFolder, 'binding', 'tfjs_binding.cc'))) installPackage();
if (!existsSync(binding)) build();
process.exit(runSuites());

function fetchWheel() {
  say(`fetching ${wheel}`);
  run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', work, wheel]);
  const file = readdirSync(work).find((name) => name.startsWith('tensorflow_cpu') && name.endsWith('.whl'));
  run(python, ['-m', 'zipfile', '-e', join(work, file), unpacked]);
}

/** Without its install script, which downloads a library from elsewhere. */
function installPackage() {
  say(`installing ${tfjsNode}`);
  writeFileSync(join(work, 'package.json'), '{ "private": true }');
  run('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', tfjsNode], { cwd: work });
}

function build() {
  say('building the binding');
  const headers = [join(dirname(dirname(process.execPath)), 'include', 'node'), process.env['npm_config_nodedir']];
  const nodeHeaders = headers.find((folder) => folder && existsSync(join(folder, 'node_api.h')));
  if (!nodeHeaders) fail('node_api.h is not beside this Node; set npm_config_nodedir to the folder that holds it');
  mkdirSync(dirname(binding), { recursive: true });
  const aside = `${binding}.new`;
  run('g++', [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
    ...['-I', nodeHeaders, '-I', join(tensorflow, 'include'), '-I', packageFolder],
    join(packageFolder, 'binding', 'tfjs_backend.cc'),
    join(packageFolder, 'binding', 'tfjs_binding.cc'),
    ...['-o', aside, `-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    `-Wl,-rpath,${tensorflow}`,
  ]);
  copyFileSync(aside, binding);
}

function runSuites() {
  const suites = ['golden', 'engines'].filter((suite) => values.only === undefined || values.only === suite);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...suites.flatMap((suite) => ['--project', suite])], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SIMDINO_GOLDEN_ENGINE: 'tensorflow',
      SIMDINO_TENSORFLOW: work,
      TF_CPP_MIN_LOG_LEVEL: '2',
    },
  });
  return status ?? 1;
}

function run(command, args, options = {}) {
  execFileSync(command, args, { stdio: 'inherit', ...options });
}

function say(text) {
  console.log(`tensorflow: ${text}`);
}

function fail(reason) {
  console.error(`tensorflow: ${reason}.`);
  process.exit(1);
}
