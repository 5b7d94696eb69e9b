/** What every page of ours has in common, in the editor or as a file: its policy and its escaping. */

/**
 * The policy of a page: it runs the scripts that carry `nonce` and nothing else, fetches nothing and sends no form. Styles, fonts
 * and images come from the page itself and, in the editor, from `source`.
 */
export function pagePolicy({ nonce, source = '' }: { nonce: string; source?: string }): string {
  if (!/^[\w-]{8,}$/.test(nonce)) throw new Error('internal: a nonce of letters and digits is needed');
  if (/["<>;]/.test(source)) throw new Error('internal: a source of a policy is a URL');
  const from = source === '' ? '' : `${source} `;
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${from}'nonce-${nonce}'`,
    `font-src ${from}data:`,
    `img-src ${from}data: blob:`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** JSON for a data block: no `<` is left, so that no end tag or comment can begin. */
export function escapeForScript(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
