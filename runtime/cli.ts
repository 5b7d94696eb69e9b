#!/usr/bin/env node
/** `simdino`: everything the editor does, from a terminal. */
import { nearest } from '../configs/nearest.ts';
import { isSimdinoError, errors, type SimdinoError } from '../protocol/errors.ts';
import { commands } from './commands/commandTable.ts';
import { exitCodes } from './commands/exitCodes.ts';

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return name === undefined ? exitCodes.usage : exitCodes.success;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const meant = nearest(name, Object.keys(commands));
    throw errors.usage(`There is no command '${name}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`);
  }
  const [word = ''] = rest;
  const variant = Object.hasOwn(command.variants ?? {}, word) ? command.variants?.[word] : undefined;
  return (await (variant ?? command.load)()).run(rest);
}

/** The options of a command stand in its own help. */
function withOwnHelp({ code, message }: SimdinoError, name: string | undefined): string {
  const isCommand = name !== undefined && Object.hasOwn(commands, name);
  return code === 'usage' && isCommand ? message.replace('`simdino --help`', `\`simdino ${name} --help\``) : message;
}

function help(): string {
  const width = 2 + Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`);
  return `simdino - self-supervised vision pretraining by coding rate

Usage: simdino COMMAND [ARGUMENTS]

${lines.join('\n')}

Options of most commands: --runs-dir DIR (default: runs), --json, --help.
Exit codes: 0 done, 1 internal fault, 2 wrong usage or configuration, 3 the run failed, 4 stopped on request.
`;
}

// A reader that has seen enough, such as `head`, is no fault of this command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.success);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isSimdinoError(error)) {
    process.stderr.write(`simdino: ${withOwnHelp(error, process.argv[2])}\n`);
    process.exitCode = exitCodes.usage;
  } else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    // Node goes on with advice on arguments that begin with a dash, which is seldom what was meant.
    const [fault = ''] = error.message.split('. To specify a positional argument');
    process.stderr.write(`simdino: ${fault.replace(/\.$/, '')}. See \`simdino ${process.argv[2]} --help\`.\n`);
    process.exitCode = exitCodes.usage;
  } else {
    process.stderr.write(
      `simdino: internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = exitCodes.internal;
  }
}
