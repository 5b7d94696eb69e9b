/**
 * node scripts/deviceBundle.mjs FOLDER [--scripts]: writes a folder that measures the GPU of another Linux machine (x86-64, a Vulkan driver,
 * Python with PyTorch for the peer) which has neither Node nor a network: `FOLDER/run.sh` there.
 *
 * It holds this machine's `node` and the packages with native parts, compressed; the Debian packages of the Vulkan and OpenGL loaders; and
 * the benchmark, each script one file. `--scripts` renews the scripts alone, for packing the rest takes minutes.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import { root } from './bundle.mjs';
import { copyEnginePackages } from './nativePackages.mjs';
import { WITH_PACKAGES } from './runTypeScript.mjs';

const target = 'linux-x64';
const loaders = ['libvulkan1', 'libegl1', 'libglvnd0', 'libopengl0', 'libgl1', 'libglx0', 'libgles2'];
/** What NVIDIA's Vulkan driver links to; machines without a screen often lack them. */
const clients = ['libx11-6', 'libxext6', 'libxcb1', 'libxau6', 'libxdmcp6', 'libbsd0', 'libmd0'];

const { values, positionals } = parseArgs({
  options: { scripts: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  console.error('Usage: node scripts/deviceBundle.mjs FOLDER [--scripts]');
  process.exitCode = 2;
} else await makeBundle(resolve(positionals[0]));

async function makeBundle(folder) {
  mkdirSync(folder, { recursive: true });
  await bundleScripts(folder);
  if (!values.scripts) {
    packNative(join(folder, 'native.tar.xz'));
    downloadPackages(join(folder, 'loaders'), loaders);
    downloadPackages(join(folder, 'clients'), clients);
  }
  const bytes = readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
  console.log(`deviceBundle: ${folder}, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
}

async function bundleScripts(folder) {
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { gpu: 'bench/gpu.ts', gpuProbe: 'bench/gpuProbe.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    ...WITH_PACKAGES,
    logLevel: 'warning',
  });
  copyFileSync(join(root, 'bench', 'torchPeer.py'), join(folder, 'torchPeer.py'));
  for (const name of ['setup.sh', 'run.sh']) cpSync(join(root, 'bench', 'device', name), join(folder, name));
}

function packNative(path) {
  const staging = mkdtempSync(join(tmpdir(), 'simdino-device-'));
  try {
    copyEnginePackages(root, target, join(staging, 'node_modules'));
    copyFileSync(realpathSync(process.execPath), join(staging, 'node'));
    execFileSync('strip', ['node', `node_modules/webgpu/dist/${target}/dawn.node`], { cwd: staging });
    execFileSync('sh', ['-c', 'tar -cf - node node_modules | xz -9e -T1 > "$1"', 'sh', path], { cwd: staging });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Needs apt on a Debian whose libraries are no newer than the other machine's. */
function downloadPackages(folder, names) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('apt-get', ['download', ...names], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  // Versions in names have characters that not every way of copying files likes.
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(folder, name.replace(/_.*/, '.deb')));
}
