/** What came of one check. A skip says what was not run and why. */
export interface Outcome {
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  /** The error of a failure, the reason of a skip. */
  detail?: string;
  /** The file of a vitest test, relative to the repository. */
  file?: string;
}

export const passed = (name: string): Outcome => ({ name, state: 'passed' });
export const failed = (name: string, detail: string): Outcome => ({ name, state: 'failed', detail });
export const skipped = (name: string, detail: string): Outcome => ({ name, state: 'skipped', detail });
