import { vi } from 'vitest';

/** What a command says, as a terminal sees it. */
export async function said(
  run: (args: string[]) => Promise<number>,
  ...args: string[]
): Promise<{ code: number; text: string; errors: string }> {
  const heard = { text: '', errors: '' };
  const listen = (stream: NodeJS.WriteStream, key: keyof typeof heard) =>
    vi.spyOn(stream, 'write').mockImplementation((part) => {
      heard[key] += String(part);
      return true;
    });
  const spies = [listen(process.stdout, 'text'), listen(process.stderr, 'errors')];
  try {
    return { code: await run(args), ...heard };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
