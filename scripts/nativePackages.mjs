// Which files of the native packages one platform needs. onnxruntime-node carries every platform in one npm package (288 MB);
// sharp keeps each platform in packages of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** VSIX targets that every native part exists for. */
export const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** Targets that people ask for and that can't be built, with the reason. */
const IMPOSSIBLE = {
  'darwin-x64': 'onnxruntime-node has no binary for Intel Macs',
  'alpine-x64': 'onnxruntime-node has no binary for musl (Alpine); use a glibc distribution',
  'alpine-arm64': 'onnxruntime-node has no binary for musl (Alpine); use a glibc distribution',
  'linux-armhf': 'onnxruntime-node has no binary for 32-bit ARM',
  web: 'training needs Node processes, which a browser-only VS Code does not have',
};

/** Throws with the reason when no package can be made for `target`. */
export function checkTarget(target) {
  if (TARGETS.includes(target)) return;
  const reason = IMPOSSIBLE[target] ?? 'it is not a platform of VS Code';
  throw new Error(`package: '${target}' can't be built: ${reason}. Targets: ${TARGETS.join(', ')}.`);
}

/** The target of the machine that runs this. */
export function hostTarget() {
  const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  return `${isMusl ? 'alpine' : process.platform}-${process.arch}`;
}

/** Copies the native packages, pruned to `target`, into `nodeModules` (a folder that the bundles resolve from). */
export function copyNativePackages(root, target, nodeModules) {
  const installed = join(root, 'node_modules');
  copyOnnxruntime(installed, target, nodeModules);
  copySharp(installed, target, nodeModules);
  copyKoffi(installed, target, nodeModules);
  copyWebgpu(installed, target, nodeModules);
}

/** The packages that compute, alone: what a benchmark of the engines needs. */
export function copyEnginePackages(root, target, nodeModules) {
  const installed = join(root, 'node_modules');
  copyOnnxruntime(installed, target, nodeModules);
  copyWebgpu(installed, target, nodeModules);
}

function copyOnnxruntime(installed, target, nodeModules) {
  const [platform, arch] = target.split('-');
  const from = join(installed, 'onnxruntime-node');
  const to = join(nodeModules, 'onnxruntime-node');
  const binaries = join('bin', 'napi-v6', platform, arch);
  if (!existsSync(join(from, binaries))) throw new Error(`package: onnxruntime-node has no ${binaries}.`);
  for (const part of ['package.json', 'README.md', 'dist', binaries]) {
    cpSync(join(from, part), join(to, part), { recursive: true, filter: isRuntimeFile });
  }
  // The package can hold more than the bundled CPU and WebGPU engine: the CUDA provider that its install script downloads, and
  // on macOS a second copy of the library under its long version.
  for (const name of readdirSync(join(to, binaries))) {
    if (/providers_(cuda|tensorrt|shared)|\.\d+\.\d+\.\d+\.dylib$/.test(name)) rmSync(join(to, binaries, name));
  }
  // Pure JavaScript; adm-zip and global-agent serve the install script alone.
  cpSync(join(installed, 'onnxruntime-common'), join(nodeModules, 'onnxruntime-common'), {
    recursive: true,
    filter: (path) => isRuntimeFile(path) && !/onnxruntime-common[\\/](lib|docs|dist[\\/](esm|ort-common))/.test(path),
  });
}

/** Names the GPU's adapter. An installer may have left it out, and the WebGPU engine then works without the name. */
function copyWebgpu(installed, target, nodeModules) {
  const from = join(installed, 'webgpu');
  const binaries = join('dist', target.replace(/^darwin-.*/, 'darwin-universal'));
  if (!existsSync(join(from, binaries))) return;
  for (const part of ['package.json', 'index.js', 'LICENSE.md', binaries])
    cpSync(join(from, part), join(nodeModules, 'webgpu', part), { recursive: true });
}

function copySharp(installed, target, nodeModules) {
  for (const name of ['sharp', '@img/colour', 'detect-libc', 'semver']) {
    cpSync(join(installed, name), join(nodeModules, name), {
      recursive: true,
      // The bundles import its ES modules; beside them lies all of it once more for `require`.
      filter: (path) =>
        isRuntimeFile(path) && !/sharp[\\/](src|install)([\\/]|$)|sharp[\\/]dist[\\/].*\.cjs$/.test(path),
    });
  }
  const versions = JSON.parse(readFileSync(join(installed, 'sharp', 'package.json'), 'utf8')).optionalDependencies;
  // On Windows libvips lies inside sharp's own platform package.
  for (const name of [`@img/sharp-${target}`, `@img/sharp-libvips-${target}`].filter((name) => name in versions)) {
    const local = join(installed, name);
    if (existsSync(local)) cpSync(local, join(nodeModules, name), { recursive: true, filter: isRuntimeFile });
    else fetchPackage(`${name}@${versions[name]}`, join(nodeModules, name));
  }
}

/** Calls MPI and NVML; its binary for a platform is a package of its own, as sharp's is. */
function copyKoffi(installed, target, nodeModules) {
  const manifest = JSON.parse(readFileSync(join(installed, 'koffi', 'package.json'), 'utf8'));
  // The bundles import its ES modules alone.
  for (const part of ['package.json', 'LICENSE.txt', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js'])
    cpSync(join(installed, 'koffi', part), join(nodeModules, 'koffi', part));
  const name = `@koromix/koffi-${target}`;
  const local = join(installed, name);
  const to = join(nodeModules, name);
  if (existsSync(local)) cpSync(local, to, { recursive: true, filter: isRuntimeFile });
  else fetchPackage(`${name}@${manifest.optionalDependencies[name]}`, to);
  rmSync(join(to, `musl_${target.split('-')[1]}`), { recursive: true, force: true });
}

/** Packages of other platforms are not installed here: npm fetches them. */
function fetchPackage(specifier, to) {
  const work = mkdtempSync(join(tmpdir(), 'simdino-pack-'));
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const packed = execFileSync(npm, ['pack', specifier, '--silent'], {
      cwd: work,
      encoding: 'utf8',
      shell: npm.endsWith('.cmd'),
    });
    mkdirSync(to, { recursive: true });
    execFileSync('tar', ['-xzf', packed.trim().split('\n').at(-1), '--strip-components=1', '-C', to], { cwd: work });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Leaves out what serves those who build against a package, and its introduction where its licence is a file of its own. */
function isRuntimeFile(path) {
  if (/README\.md$/i.test(path)) return !readdirSync(dirname(path)).some((name) => /^licen[cs]e/i.test(name));
  return !/\.(map|d\.[cm]?ts|md\.txt|h|bnf)$/.test(path) || /LICENSE/i.test(path);
}
