/**
 * A report as one HTML file that needs nothing else: the built page of `webview/report`, its stylesheet and the data.
 *
 * Nothing that a person typed reaches the markup unescaped: the title is escaped here, run names live in the JSON, and
 * the page's own policy runs no script without the nonce and fetches nothing.
 */
import { escapeHtml, pagePolicy } from './htmlPage.ts';

export function reportHtml(parts: {
  title: string;
  /** `dist/webview/report.js` and `.css`. */
  script: string;
  style: string;
  /** From `encodeReport`. */
  data: string;
  /** Random, letters and digits. */
  nonce: string;
}): string {
  const { title, script, style, data, nonce } = parts;
  if (data.includes('<')) throw new Error('internal: report data must come from encodeReport');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy({ nonce })}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style nonce="${nonce}">${escapeStyle(style)}</style>
</head>
<body>
<div id="app"></div>
<noscript>This report draws its curves with a script that is part of this file.</noscript>
<script type="application/json" id="report-data">${data}</script>
<script nonce="${nonce}">${escapeScript(script)}</script>
</body>
</html>
`;
}

/** Source maps lie beside the built files, not beside a report. */
const sourceMapComment = /\/[/*]# sourceMappingURL=\S+(\s*\*\/)?\s*$/;

function escapeStyle(style: string): string {
  return style.replace(sourceMapComment, '').replace(/<\/(style)/gi, '<\\/$1');
}

/** In a script these two openings mean the same with a backslash, and no longer end the element. */
function escapeScript(script: string): string {
  return script
    .replace(sourceMapComment, '')
    .replace(/<\/(script)/gi, '<\\/$1')
    .replace(/<!--/g, '<\\!--');
}
