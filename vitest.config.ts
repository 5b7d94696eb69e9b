import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Engines and tfjs registries are global to a process, and native code may crash one: every file gets its own. */
const ownProcess = { pool: 'forks' as const, isolate: true };

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    passWithNoTests: false,
    // One core less than there are, vitest's own choice, would be one of two: many files wait for processes and browsers more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What is waited for may take its time on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: { ...ownProcess, name: 'unit', include: ['test/unit/**/*.test.{ts,tsx}'], testTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          ...ownProcess,
          name: 'tiny',
          include: ['test/tiny/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: { ...ownProcess, name: 'golden', include: ['test/golden/**/*.test.ts'], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: { ...ownProcess, name: 'engines', include: ['test/engines/**/*.test.ts'], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          ...ownProcess,
          name: 'packaged',
          include: ['test/packaged/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          ...ownProcess,
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          testTimeout: 240_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
