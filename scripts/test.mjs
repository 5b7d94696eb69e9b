// npm test [-- --only STAGE,STAGE]: everything that needs no GPU, with one summary.
import { parseArgs } from 'node:util';
import { runTypeScript } from './runTypeScript.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const { runEverything } = await runTypeScript('test/host/everything.ts');
process.exitCode = await runEverything(values.only?.split(','));
