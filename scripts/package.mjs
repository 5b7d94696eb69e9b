// node scripts/package.mjs [--target linux-x64] [--out FOLDER]: one VSIX for one platform, with all that its runtime needs.
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PackageManager, createVSIX, listFiles } from '@vscode/vsce';
import { bundle, root } from './bundle.mjs';
import { checkTarget, copyNativePackages, hostTarget } from './nativePackages.mjs';
import { thirdPartyLicences } from './thirdPartyLicences.mjs';

const { values } = parseArgs({ options: { target: { type: 'string' }, out: { type: 'string' } } });
const target = values.target ?? hostTarget();
try {
  checkTarget(target);
  await makePackage(target, resolve(values.out ?? root));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function makePackage(target, outFolder) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const staging = join(root, '.cache', 'package', `${target}-${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  try {
    await copyShippedFiles(staging);
    const bundled = await bundle({ outdir: join(staging, 'dist'), production: true });
    writeFileSync(join(staging, 'dist', 'ThirdPartyLicences.txt'), thirdPartyLicences(root, bundled));
    // Beside the bundles: Node finds them there, and vsce leaves a top-level node_modules out.
    copyNativePackages(root, target, join(staging, 'dist', 'node_modules'));
    writeFileSync(join(staging, 'package.json'), JSON.stringify(shippedManifest(manifest), null, 2));
    writeFileSync(join(staging, '.vscodeignore'), '');

    mkdirSync(outFolder, { recursive: true });
    const packagePath = join(outFolder, `${manifest.name}-${target}-${manifest.version}.vsix`);
    await createVSIX({
      cwd: staging,
      target,
      packagePath,
      dependencies: false,
      skipLicense: false,
      allowMissingRepository: true,
      // Without a public repository there is nothing that the README's relative links could be rewritten to.
      rewriteRelativeLinks: false,
    });
    const megabytes = (statSync(packagePath).size / 1e6).toFixed(1);
    console.log(`package: ${packagePath} (${megabytes} MB, ${target})`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** What .vscodeignore lets through, but for dist/, which is bundled anew. */
async function copyShippedFiles(staging) {
  const files = await listFiles({
    cwd: root,
    packageManager: PackageManager.None,
    ignoreFile: join(root, '.vscodeignore'),
  });
  for (const file of files.filter((name) => !name.startsWith('dist/') && name !== 'package.json')) {
    mkdirSync(dirname(join(staging, file)), { recursive: true });
    cpSync(join(root, file), join(staging, file));
  }
}

/** Dependencies are bundled or carried: nobody installs them from the packaged manifest. */
function shippedManifest(manifest) {
  const left = [
    'scripts',
    'dependencies',
    'devDependencies',
    'peerDependencies',
    'peerDependenciesMeta',
    'allowScripts',
  ];
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !left.includes(key)));
}
