/** The presets that ship with the product, and how `extends:` finds them and other files. */

/** Where most people start. */
export const presets = [
  'dino_vits16',
  'dinov2_vitb16',
  'quickstart',
  'simdino_vits16',
  'simdinov2_vitb16',
  'tiny',
] as const;

/**
 * The rows of the paper's tables and figures have a preset each, too many to be offered beside those above: `paper/table6/momentum_09` is
 * the file of that name in the presets' folder.
 */
const paperPreset = /paper\/(?:table|figure)\d\/\w+/;

export function isPreset(name: string): boolean {
  return (presets as readonly string[]).includes(name) || new RegExp(`^${paperPreset.source}$`).test(name);
}

/** A text that another one extends. */
export interface LoadedText {
  path: string;
  text: string;
}

/** Finds what `extends: reference` in the file `fromPath` means; undefined when there is no such file. */
export type LoadText = (reference: string, fromPath: string) => LoadedText | undefined;

/** What loading needs from the file system; paths are the platform's own. */
export interface FileAccess {
  /** Folder that holds `quickstart.yaml` and the other presets. */
  presetsFolder: string;
  /** Joins `reference` to the folder of `fromPath`; an absolute reference stays. */
  besides(fromPath: string, reference: string): string;
  /** The text of a file; undefined when it does not exist. */
  readText(path: string): string | undefined;
}

/** Resolves presets by name and everything else as a path relative to the file that names it. */
export function textLoader(files: FileAccess): LoadText {
  return (reference, fromPath) => {
    const path = isPreset(reference) ? `${files.presetsFolder}/${reference}.yaml` : files.besides(fromPath, reference);
    const text = files.readText(path);
    return text === undefined ? undefined : { path, text };
  };
}
