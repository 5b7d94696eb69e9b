/** What the YAML parser found, said to somebody who writes a configuration: the thing, and what to do about it. */
import type { YAMLError } from 'yaml';

export interface SyntaxSentence {
  message: string;
  remedy: string;
}

/** A mistake that is common; `$1` of the parser's words may be used. */
interface Known {
  code: YAMLError['code'];
  words?: RegExp;
  /** `here` is what stands at the place, to the end of its line. */
  say: (found: { here: string; part: string }) => SyntaxSentence;
}

const entryIndent: SyntaxSentence = {
  message: 'This entry is not indented like those above it.',
  remedy: 'Give all entries of a list the same number of spaces.',
};

function withoutColon({ here }: { here: string }): SyntaxSentence {
  if (here.startsWith('- ')) return entryIndent;
  if (/^[\w.]+:\S/.test(here))
    return { message: `\`${here}\` has no space behind its colon.`, remedy: 'Write `key: value`.' };
  return { message: `\`${here}\` has no colon behind it.`, remedy: 'Write `key: value`.' };
}

const known: readonly Known[] = [
  {
    code: 'DUPLICATE_KEY',
    say: ({ here }) => ({
      message: `\`${/^[^\s:,}]*/.exec(here)?.[0] ?? ''}\` is written twice in one section.`,
      remedy: 'Remove one of them.',
    }),
  },
  {
    code: 'TAB_AS_INDENT',
    say: () => ({ message: 'A tab indents this line.', remedy: 'YAML takes spaces only.' }),
  },
  {
    code: 'MISSING_CHAR',
    words: /^Implicit map keys need/,
    say: withoutColon,
  },
  {
    code: 'MISSING_CHAR',
    words: /^Missing closing (.)quote/,
    say: ({ part }) => ({ message: `A text is not closed by \`${part}\`.`, remedy: `Add the missing \`${part}\`.` }),
  },
  {
    code: 'MISSING_CHAR',
    words: /^Missing , (?:or : )?between/,
    say: () => ({ message: 'A comma is missing before this.', remedy: 'Part entries within brackets by commas.' }),
  },
  {
    code: 'MISSING_CHAR',
    words: /^Missing space after :/,
    say: () => ({ message: 'A space is missing behind the colon.', remedy: 'Write `key: value`.' }),
  },
  {
    code: 'MISSING_CHAR',
    words: /^Comments must be separated/,
    say: () => ({
      message: '`#` stands right behind a value.',
      remedy: 'Put a space before it if it starts a comment, or the whole value in quotes.',
    }),
  },
  {
    code: 'MISSING_CHAR',
    words: /^Sequence item without/,
    say: () => ({ message: 'An entry of a list has no `-`.', remedy: 'Start it with `- `, or indent it less.' }),
  },
  ...(['MISSING_CHAR', 'BAD_INDENT'] as const).map((code) => ({
    code,
    words: /^Flow (?:map|sequence) .*end with a (.)/,
    say: ({ part }: { part: string }) => ({
      message: `A \`${part === '}' ? '{' : '['}\` above is not closed.`,
      remedy: `Add the missing \`${part}\`.`,
    }),
  })),
  {
    code: 'BAD_INDENT',
    words: /^All mapping items/,
    say: () => ({
      message: 'This line is not indented like the keys above it.',
      remedy: 'Give all keys of a section the same number of spaces.',
    }),
  },
  {
    code: 'BAD_INDENT',
    words: /^All sequence items/,
    say: () => entryIndent,
  },
  {
    code: 'BLOCK_AS_IMPLICIT_KEY',
    words: /^Nested mappings/,
    say: ({ here }) =>
      here.includes(': ')
        ? {
            message: 'A second key on the line of another.',
            remedy: 'Give it a line of its own, indented; or put the value in quotes.',
          }
        : {
            message: `The line below \`${here}\` is indented as if it belonged to that value.`,
            remedy: 'Indent it like the key above.',
          },
  },
  {
    code: 'MULTILINE_IMPLICIT_KEY',
    say: withoutColon,
  },
  {
    code: 'BLOCK_AS_IMPLICIT_KEY',
    words: /^A block sequence/,
    say: () => entryIndent,
  },
  {
    code: 'BLOCK_IN_FLOW',
    say: () => ({
      message: 'Between entries within brackets a comma is missing.',
      remedy: 'Part them by commas, also where each has a line of its own.',
    }),
  },
  {
    code: 'BAD_DQ_ESCAPE',
    words: /(\\.*)$/,
    say: ({ part }) => ({
      message: `\`${part}\` means nothing within double quotes.`,
      remedy: `Write \`\\${part}\`, or use single quotes, in which a backslash is a backslash.`,
    }),
  },
  {
    code: 'BAD_SCALAR_START',
    words: /(\S)$/,
    say: ({ part }) => ({
      message: `A value can't start with \`${part}\` unless it is in quotes.`,
      remedy: 'Put the value in quotes.',
    }),
  },
  {
    code: 'MULTIPLE_DOCS',
    say: () => ({
      message: 'A second document starts here.',
      remedy: 'A file holds one configuration: remove the line `---`.',
    }),
  },
  {
    code: 'TAG_RESOLVE_FAILED',
    words: /^Unresolved tag: (.*)$/,
    say: ({ part }) => ({ message: `\`${part}\` is a tag that nothing here knows.`, remedy: 'Remove it.' }),
  },
  {
    code: 'UNEXPECTED_TOKEN',
    words: /at node end$/,
    say: ({ here }) => ({
      message: `\`${here}\` stands behind a value that has ended.`,
      remedy: 'Give it a line of its own, or put the whole value in quotes.',
    }),
  },
  {
    code: 'UNEXPECTED_TOKEN',
    words: /^Unexpected (?:,|empty item) in/,
    say: () => ({ message: 'A comma with nothing before it.', remedy: 'Remove it.' }),
  },
];

const longestExcerpt = 40;

/** The sentence about an error; what is rare keeps the parser's own words. */
export function syntaxSentence(error: Pick<YAMLError, 'code' | 'message' | 'pos'>, text: string): SyntaxSentence {
  const line = /^[^\r\n]*/.exec(text.slice(error.pos[0], error.pos[0] + 200))?.[0].trim() ?? '';
  const here = line.length > longestExcerpt ? `${line.slice(0, longestExcerpt)}\u2026` : line;
  for (const { code, words, say } of known) {
    const found = code === error.code ? (words ?? /^/).exec(error.message) : null;
    if (found) return say({ here, part: found[1] ?? '' });
  }
  return { message: asSentence(error.message), remedy: '' };
}

export function asSentence(message: string): string {
  const first = message.split('\n')[0] ?? '';
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
