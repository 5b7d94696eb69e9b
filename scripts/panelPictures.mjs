// node scripts/panelPictures.mjs FOLDER [THEME,...|all] [PICTURE,...]: pictures of the panels with made-up runs.
import { runTypeScript } from './runTypeScript.mjs';

await runTypeScript('test/unit/webview/panelPictures.ts');
