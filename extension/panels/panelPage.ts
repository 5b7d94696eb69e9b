import { randomBytes } from 'node:crypto';
import { escapeForScript, escapeHtml, pagePolicy } from '../../experiments/htmlPage.ts';

/**
 * The page of a panel: its script and stylesheet from the extension's own folder, and the editor's translations of its
 * words as data.
 */
export function panelPage({
  script,
  style,
  cspSource,
  title,
  language,
  words,
}: {
  script: string;
  style: string;
  cspSource: string;
  title: string;
  language: string;
  /** English text -> text in the editor's language; empty where there is no translation. */
  words: Record<string, string>;
}): string {
  const nonce = randomBytes(18).toString('base64url');
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy({ nonce, source: cspSource })}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${escapeHtml(style)}">
</head>
<body>
<div id="app"></div>
<script type="application/json" id="l10n">${escapeForScript(JSON.stringify(words))}</script>
<script type="module" nonce="${nonce}" src="${escapeHtml(script)}"></script>
</body>
</html>`;
}
