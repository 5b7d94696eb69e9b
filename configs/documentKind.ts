/** Which YAML files are ours: by name where the name says so, else by what stands in them. */
import { presets } from './presets.ts';

export type DocumentKind = 'config' | 'sweep';

const topLevel = (keys: string, value = ''): RegExp => new RegExp(`^(?:${keys})[ \\t]*:${value}`, 'm');
const methodLine = topLevel('method', '[ \\t]*["\']?simdino');
/** `method: dino` alone could be anybody's. */
const dinoLine = topLevel('method', '[ \\t]*["\']?dino');
const ourSections = topLevel('crops|projector|teacher|dino|extends');
// A row of the paper counts from its folder on: the rest of its name is to be offered.
const extendsPreset = topLevel('extends', `[ \\t]*["']?(?:(?:${presets.join('|')})\\b|paper/)`);
const extendsFile = topLevel('extends', '[ \\t]*["\']?[^\\s"\']+\\.ya?ml\\b');
const changedSections = topLevel('crops|projector|teacher|loss|optim|train');
const sweepKeys = topLevel('axes|cells');
const baseKey = topLevel('base');
const schemaModeline = /^#\s*yaml-language-server:\s*\$schema=(\S+)/m;

/** Characters that tell what a text is: other people's YAML can be megabytes long, and every keystroke asks. */
const lookedAt = 65_536;

/**
 * What a YAML text is to us, or undefined when it is none of ours.
 *
 * A name ending in `.simdino.yaml` decides alone. Files in a folder `configs` are common in other projects, so there a
 * text must mention SimDINO or extend a preset, or be still empty.
 */
export function documentKind(path: string, whole: string): DocumentKind | undefined {
  const text = whole.slice(0, lookedAt);
  const sweepLike = sweepKeys.test(text) && (baseKey.test(text) || !methodLine.test(text));
  const kind: DocumentKind = sweepLike ? 'sweep' : 'config';
  if (/\.simdino\.ya?ml$/.test(path)) return kind;
  if (!/\.ya?ml$/.test(path)) return undefined;
  if (kind === 'sweep') return baseKey.test(text) ? kind : undefined;
  if (methodLine.test(text) || extendsPreset.test(text)) return kind;
  if (extendsFile.test(text) && changedSections.test(text)) return kind;
  if (dinoLine.test(text) && ourSections.test(text)) return kind;
  if (/simdino/i.test(schemaModeline.exec(text)?.[1] ?? '')) return kind;
  const inConfigs = /(?:^|[\\/])configs[\\/]/.test(path);
  return inConfigs && (text.trim() === '' || /simdino/i.test(text)) ? kind : undefined;
}

/** Whether a YAML language server finds a schema for this file: by our manifest's file match, or by its modeline. */
export function hasForeignSchema(path: string, text: string): boolean {
  return /\.simdino\.ya?ml$/.test(path) || schemaModeline.test(text);
}
