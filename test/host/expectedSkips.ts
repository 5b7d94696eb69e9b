import type { Machine } from './machine.ts';
import type { Outcome } from './outcome.ts';

/** A check that some machines can't run. Any other skip fails the tests. */
interface ExpectedSkip {
  name: RegExp;
  /** The machines where it is in order. */
  on: (machine: Machine) => boolean;
  because: string;
}

const expectedSkips: ExpectedSkip[] = [
  {
    name: /^integration in the desktop VS Code$/,
    on: ({ platform }) => platform === 'linux',
    because:
      'the desktop VS Code needs its download server and a screen (or xvfb-run); its suites run in the browser instead',
  },
  {
    name: /^integration in the browser VS Code$/,
    on: ({ platform, isRoot }) => platform === 'win32' || !isRoot,
    because: 'without root no browser can be installed; code-server does not run on Windows',
  },
  {
    name: /^panels in a browser /,
    on: ({ isRoot }) => !isRoot,
    because: 'without root no browser can be installed; the panels are drawn where there is one',
  },
  {
    name: /^e2e: /,
    on: ({ platform, isRoot }) => platform === 'win32' || !isRoot,
    because: 'without root no browser can be installed; code-server does not run on Windows',
  },
];

/** The skips among the outcomes that nobody has allowed on this machine. */
export function unexpectedSkips(outcomes: readonly Outcome[], machine: Machine): Outcome[] {
  const isExpected = ({ name }: Outcome): boolean =>
    expectedSkips.some((skip) => skip.name.test(name) && skip.on(machine));
  return outcomes.filter((outcome) => outcome.state === 'skipped' && !isExpected(outcome));
}
