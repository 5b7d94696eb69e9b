/** Names of metrics and columns as they are given on the command line. */
import { errors } from '../../protocol/errors.ts';

/**
 * Splits a list of names at its commas, `seed,"maskAP on /data/a,b":desc`: within double quotes a comma belongs to the name, and a
 * doubled quote is one.
 *
 * @throws usage for a quote that is not closed
 */
export function splitNames(option: string, text: string): string[] {
  const names: string[] = [];
  let name = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"' && quoted && text[at + 1] === '"') {
      name += char;
      at++;
    } else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) {
      names.push(name);
      name = '';
    } else name += char;
  }
  if (quoted) throw errors.usage(`--${option} takes names separated by commas; a quote is not closed in '${text}'.`);
  return [...names, name].filter(Boolean);
}

/** Says on stderr which figure a name was taken for. */
export function sayMetricMeant(name: string, metric: string): void {
  if (name !== metric) process.stderr.write(`'${name}' is taken as '${metric}', the only one.\n`);
}
