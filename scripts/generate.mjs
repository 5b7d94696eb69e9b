// Writes the files that are made from the schema (configs/generatedFiles.ts).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.mjs';
import { runTypeScript } from './runTypeScript.mjs';

const { generatedFiles } = await runTypeScript('configs/generatedFiles.ts');
for (const [path, text] of Object.entries(generatedFiles())) {
  writeFileSync(join(root, path), text);
  console.log(path);
}
