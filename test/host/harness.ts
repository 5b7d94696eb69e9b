import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import * as esbuild from 'esbuild';
import { repository } from './repository.ts';
import type { Outcome } from './outcome.ts';

export interface Harness {
  /** The tiny extension with the suites in it, as a folder and as a package. */
  folder: string;
  vsix: string;
  /** To be set where the extension host starts: tells the suites where to report. */
  env: Record<string, string>;
  resultPath: string;
}

/** Bundles `test/integration/*.suite.ts` into the tiny extension that runs them inside VS Code. */
export async function buildHarness(work: string, grep?: string): Promise<Harness> {
  const folder = join(work, 'harness');
  mkdirSync(folder, { recursive: true });
  cpSync(join(repository, 'test', 'host', 'extension'), folder, { recursive: true });
  const suites = suiteFiles();
  await esbuild.build({
    stdin: { contents: suites.map((path) => `import ${JSON.stringify(path)};`).join('\n'), resolveDir: repository },
    outfile: join(folder, 'suites.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'onnxruntime-node', 'sharp'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const vsix = join(work, 'harness.vsix');
  await packExtension(folder, vsix);
  const yamlVsix = await buildYamlExtension(work);
  const resultPath = join(work, 'integration.json');
  const mochaPath = createRequire(join(repository, 'package.json')).resolve('mocha');
  return {
    folder,
    vsix,
    resultPath,
    env: { SIMDINO_SUITES: JSON.stringify({ mochaPath, resultPath, yamlVsix, grep }) },
  };
}

/** The extension that stands for redhat.vscode-yaml; a suite installs it when all others are done. */
async function buildYamlExtension(work: string): Promise<string> {
  const source = join(repository, 'test', 'host', 'yamlExtension');
  const folder = join(work, 'yamlExtension');
  mkdirSync(folder, { recursive: true });
  cpSync(join(source, 'package.json'), join(folder, 'package.json'));
  await esbuild.build({
    entryPoints: [join(source, 'main.ts')],
    outfile: join(folder, 'main.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode'],
    define: { repositoryRoot: JSON.stringify(repository) },
    logLevel: 'warning',
  });
  const vsix = join(work, 'yamlExtension.vsix');
  await packExtension(folder, vsix);
  return vsix;
}

async function packExtension(folder: string, packagePath: string): Promise<void> {
  await createVSIX({
    cwd: folder,
    packagePath,
    dependencies: false,
    allowMissingRepository: true,
    skipLicense: true,
  });
}

export function suiteFiles(): string[] {
  const folder = join(repository, 'test', 'integration');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.suite.ts'))
        .sort()
        .map((name) => join(folder, name))
    : [];
}

/** The report of a finished harness, undefined while there is none. */
export function readReport(resultPath: string): Outcome[] | undefined {
  if (!existsSync(resultPath)) return undefined;
  const report = JSON.parse(readFileSync(resultPath, 'utf8')) as {
    tests: { name: string; state: Outcome['state']; error?: string }[];
    error?: string;
  };
  const outcomes = report.tests.map(({ name, state, error }): Outcome => ({
    name,
    state,
    ...(error === undefined ? {} : { detail: error }),
  }));
  if (report.error !== undefined) outcomes.push({ name: 'suites load', state: 'failed', detail: report.error });
  if (outcomes.length === 0) outcomes.push({ name: 'suites', state: 'failed', detail: 'no test ran' });
  return outcomes;
}
