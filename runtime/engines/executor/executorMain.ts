/** Entry of the executor process, built to dist/executor.mjs. */
import { buildPrograms } from '../../programs.ts';
import { hostExecutor } from './hostExecutor.ts';

hostExecutor(buildPrograms);
