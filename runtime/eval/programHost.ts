/** Something that holds state and runs programs over it: an executor process, or an engine in this one. */
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { CompiledStep, Engine } from '../engines/engine.ts';
import type { ProgramSet } from '../engines/executor/programSet.ts';
import type { Arrays } from '../engines/executor/messages.ts';
import { startExecutor } from '../engines/executor/startExecutor.ts';
import { builtFile } from '../installation.ts';
import type { EvaluationSpec } from './evaluationPrograms.ts';

export interface ProgramHost {
  run(program: string, inputs: Arrays): Promise<Arrays>;
  readState(names?: readonly string[]): Promise<Arrays>;
  writeState(values: Arrays): Promise<void>;
  close(): Promise<void>;
}

/** Opens a host for some programs. */
export type OpenHost = (spec: EvaluationSpec, state: Arrays) => Promise<ProgramHost>;

/** Hosts in processes of their own, on the engine that training uses: what blocks or crashes there is not the trainer. */
export function executorHosts({ runtime }: Pick<ResolvedConfig, 'runtime'>): OpenHost {
  return (spec, state) =>
    startExecutor({
      entry: builtFile('executor.mjs'),
      engine: runtime.engine,
      ...(runtime.threads > 0 ? { threads: runtime.threads } : {}),
      spec: { evaluation: spec },
      initialState: state,
    });
}

/** A host in this process: for the command line's own work and for tests. */
export function hostInProcess(engine: Engine, { state: specs, programs }: ProgramSet, values: Arrays): ProgramHost {
  const state = engine.createState(specs, values);
  const compiled = new Map<string, Promise<CompiledStep>>();
  const step = (name: string): Promise<CompiledStep> => {
    const known = compiled.get(name);
    if (known) return known;
    const program = programs[name];
    if (!program) throw new Error(`internal: no program "${name}"; there are ${Object.keys(programs).join(', ')}.`);
    const made = engine.compile(program);
    compiled.set(name, made);
    return made;
  };
  return {
    run: async (program, inputs) => (await step(program)).run(state, inputs),
    readState: (names) => state.read(names),
    writeState: (entries) => state.write(entries),
    close: async () => {
      for (const made of compiled.values()) await (await made).dispose();
      await state.dispose();
    },
  };
}
