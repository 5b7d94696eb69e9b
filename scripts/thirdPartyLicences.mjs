// The licences of the packages whose code is in our bundles, which they ask to be handed on.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One text with a section per package. `inputs` are the paths of bundled files, relative to `root`. */
export function thirdPartyLicences(root, inputs) {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  const sections = [...folders].sort().map((folder) => section(join(root, folder)));
  return `The bundles of this extension contain code of the packages below, under their own licences.\n\n${sections.join('\n\n')}\n`;
}

/** node_modules/a/b.js -> node_modules/a; the innermost package of a nested one. */
function packageFolder(path) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.replaceAll('\\', '/'))?.[0];
}

function section(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim();
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${text}`;
}
