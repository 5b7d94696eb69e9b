/**
 * Words in the editor's language. The host puts a translation table into `<script type="application/json" id="l10n">`;
 * without one, the English text is its own translation.
 */
const bundle = readBundle();

/** `t('{0} of {1} cells', 3, 4)`. */
export function t(text: string, ...values: (string | number)[]): string {
  return (bundle[text] ?? text).replace(/\{(\d+)\}/g, (hole, i: string) => String(values[Number(i)] ?? hole));
}

function readBundle(): Record<string, string> {
  const element = document.getElementById('l10n');
  if (!element?.textContent) return {};
  const parsed: unknown = JSON.parse(element.textContent);
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, string>) : {};
}
