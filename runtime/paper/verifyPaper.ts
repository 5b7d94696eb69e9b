import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asPaperManifest, manifestFile, type PaperManifest } from '../../experiments/paperManifest.ts';
import { errors } from '../../protocol/errors.ts';
import { isRunId } from '../../protocol/runFolder.ts';
import { studioVersion } from '../run/versions.ts';
import { paperTables } from './paperTables.ts';
import { checksum, evidenceOf, sha256Of } from './runFiles.ts';

export interface PaperVerdict {
  manifest: PaperManifest;
  /** How many files of runs have the checksum that the manifest says. */
  filesVerified: number;
  /** Sentences about what differs; none when everything is as it was. */
  differences: string[];
}

/**
 * Computes a paper's table and figure anew from the raw metrics and compares them, and every file that they follow from, with its
 * manifest.
 *
 * @param runsFolder in place of the one that the manifest names
 * @throws usage when there is no manifest that this version can read
 */
export async function verifyPaper(folder: string, runsFolder?: string): Promise<PaperVerdict> {
  const manifest = readManifest(folder);
  const runs = runsFolder ?? resolve(folder, manifest.runsFolder);
  const differences: string[] = [];
  let filesVerified = 0;
  for (const { id, files } of manifest.runs) {
    if (!isRunId(id) || !existsSync(join(runs, id))) {
      differences.push(`${id}: there is no such run in ${runs}`);
      continue;
    }
    for (const path of new Set([...Object.keys(files), ...(await evidenceOf(join(runs, id)))])) {
      const expected = files[path];
      if (!expected) differences.push(`${id}/${path}: came later`);
      else if (path.split('/').includes('..') || !existsSync(join(runs, id, path)))
        differences.push(`${id}/${path}: missing`);
      else {
        const { bytes, sha256 } = await checksum(join(runs, id, path));
        if (sha256 === expected.sha256) filesVerified++;
        else differences.push(`${id}/${path}: changed (${bytes} bytes, ${expected.bytes} in the manifest)`);
      }
    }
  }
  if (!differences.some((text) => text.includes('no such run'))) {
    const plan = { ...manifest, runIds: manifest.runs.map(({ id }) => id) };
    for (const [name, text] of Object.entries((await paperTables(runs, plan)).texts)) {
      const expected = manifest.outputs[name];
      if (expected === undefined) differences.push(`${name}: not in the manifest`);
      else if (sha256Of(text) !== expected) differences.push(`${name}: the raw metrics give another one`);
      const path = join(folder, name);
      if (!existsSync(path)) differences.push(`${name}: missing`);
      else if (sha256Of(readFileSync(path, 'utf8')) !== expected) differences.push(`${name}: the file was changed`);
    }
  }
  if (differences.length > 0 && manifest.studioVersion !== studioVersion())
    differences.push(`it was made by version ${manifest.studioVersion}, this is ${studioVersion()}`);
  return { manifest, filesVerified, differences };
}

function readManifest(folder: string): PaperManifest {
  const path = join(folder, manifestFile);
  if (!existsSync(path)) throw errors.usage(`There is no ${manifestFile} in ${folder}.`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw errors.usage(`${path} is no JSON: ${(error as Error).message}.`);
  }
  const manifest = asPaperManifest(value);
  if (!manifest) throw errors.usage(`${path} is no manifest that this version can read.`);
  return manifest;
}
