/** Entry of the executor process, built to dist/executor.mjs. */
import { buildPrograms } from '../../programs.ts';
import { hostExecutor } from './hostExecutor.ts';

hostExecutor(buildPrograms, {
  joinOthers: async (options) => (await import('../../parallel/joinRanks.ts')).joinRanks(options),
});
