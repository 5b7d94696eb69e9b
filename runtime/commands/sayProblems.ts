/** Says on stderr what of runs or grids could not be read, so that a table or a picture without it is not taken for whole. */
export function sayProblems(ofEach: Iterable<{ id: string; problems: readonly string[] }>): void {
  for (const { id, problems } of ofEach) for (const problem of problems) process.stderr.write(`${id}: ${problem}\n`);
}
