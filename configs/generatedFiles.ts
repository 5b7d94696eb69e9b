/** The files that are made from the schema; a test rewrites a stale one and fails. */
import { configJsonSchema, fieldCatalogue, type FieldRow, type JsonSchema } from './fieldCatalogue.ts';
import { fieldMarkdown } from './language/hover.ts';
import { sweepCatalogue, sweepJsonSchema } from './readSweep.ts';

/** Texts by path from the root of the repository. */
export function generatedFiles(): Record<string, string> {
  const { required: _required, ...config } = forEditors(configJsonSchema(), fieldCatalogue());
  return {
    // For redhat.vscode-yaml and other editors' YAML servers. What a file extends can hold what it leaves out.
    'configs/schema.json': asText({
      title: 'SimDINO configuration',
      ...config,
      anyOf: [{ required: ['data'] }, { required: ['extends'] }],
    }),
    'configs/sweep.schema.json': asText({ title: 'SimDINO sweep', ...forEditors(sweepJsonSchema(), sweepCatalogue()) }),
    // For `*.simdino.yaml`, which may be either.
    'configs/simdino.schema.json': asText({
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'SimDINO',
      if: { required: ['base'] },
      then: { $ref: './sweep.schema.json' },
      else: { $ref: './schema.json' },
    }),
    // For the webview, which takes nothing of zod.
    'configs/fields.json': asText({ config: [...fieldCatalogue().values()], sweep: [...sweepCatalogue().values()] }),
  };
}

/**
 * A schema with our hover texts, and with sections that may be empty while they are written. Facts that have no place in
 * JSON Schema (unit, paper, equation) are in those texts.
 */
function forEditors(schema: JsonSchema, catalogue: ReadonlyMap<string, FieldRow>, path = ''): JsonSchema {
  const { unit: _u, paper: _p, source: _s, equation: _e, reference: _r, expected: _x, ...standard } = schema;
  const row = catalogue.get(path);
  const adapted: Record<string, unknown> = { ...standard };
  if (row) adapted['markdownDescription'] = fieldMarkdown(row);
  if (schema.properties) {
    adapted['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([key, child]) => [
        key,
        forEditors(child, catalogue, path === '' ? key : `${path}.${key}`),
      ]),
    );
    if (path !== '') {
      adapted['type'] = ['object', 'null'];
      delete adapted['required'];
    }
  }
  return adapted;
}

function asText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
