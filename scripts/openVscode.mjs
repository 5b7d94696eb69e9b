// npm run vscode [-- FOLDER]: opens a folder in VS Code with this extension.
import { runTypeScript } from './runTypeScript.mjs';

const { openVscode } = await runTypeScript('test/host/openVscode.ts');
await openVscode(process.argv[2] ?? process.cwd());
