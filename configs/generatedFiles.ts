/** The files that are made from the schema; a test rewrites a stale one and fails. */
import { configJsonSchema, fieldCatalogue } from './fieldCatalogue.ts';
import { sweepCatalogue, sweepJsonSchema } from './readSweep.ts';

/** Texts by path from the root of the repository. */
export function generatedFiles(): Record<string, string> {
  return {
    // For redhat.vscode-yaml and other editors' YAML servers.
    'configs/schema.json': asText(configJsonSchema()),
    'configs/sweep.schema.json': asText(sweepJsonSchema()),
    // For the webview, which takes nothing of zod.
    'configs/fields.json': asText({ config: [...fieldCatalogue().values()], sweep: [...sweepCatalogue().values()] }),
  };
}

function asText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
