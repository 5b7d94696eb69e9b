import { readFile as readFileThen } from 'node:fs';
import { promisify } from 'node:util';
import { isMissing } from './tailJsonLines.ts';

// Half the processor time of the promise API's, which counts when a thousand runs are listed.
const readFile = promisify(readFileThen);

/** A JSON file as found: its value, or why there is none. */
export type JsonFile = { kind: 'value'; value: unknown } | { kind: 'missing' } | { kind: 'faulty'; reason: string };

/** Reads a JSON file; a file that is not there or is no JSON (half-written, say) is an answer and no exception. */
export async function readJson(path: string): Promise<JsonFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { kind: 'missing' };
    return { kind: 'faulty', reason: (error as Error).message };
  }
  try {
    return { kind: 'value', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'faulty', reason: text.trim() === '' ? 'it is empty' : 'it is no JSON' };
  }
}
