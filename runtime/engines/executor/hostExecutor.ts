import { performance } from 'node:perf_hooks';
import { errors, isSimdinoError } from '../../../protocol/errors.ts';
import type { CompiledStep, Engine, EngineState, StepProgram, TensorSpec } from '../engine.ts';
import { selectEngine } from '../selectEngine.ts';
import type { Arrays, CallName, Calls, ExecutorInfo, InitOptions, Reply, Request } from './messages.ts';

/** Programs that share one state, by name. */
export interface ProgramSet {
  state: Readonly<Record<string, TensorSpec>>;
  programs: Readonly<Record<string, StepProgram>>;
  /** State at the start where none is given; absent: zeros. */
  initialState?(): Arrays;
}

/** Functions do not cross processes: both sides know how to build the programs from plain data. */
export type BuildPrograms = (spec: never) => ProgramSet;

interface Session {
  engine: Engine;
  set: ProgramSet;
  state: EngineState;
  compiled: Map<string, Promise<CompiledStep>>;
}

/**
 * The child's side of the executor: answers calls one after another until the parent lets go.
 *
 * A terminal's Ctrl-C reaches every process of the group, but ending is the trainer's to decide: it still wants the state for a
 * checkpoint. The child ends when the channel closes, whatever the reason.
 */
export function hostExecutor(buildPrograms: BuildPrograms): void {
  let session: Session | undefined;
  let queue = Promise.resolve();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    queue = queue.then(() => answer(message as Request));
  });

  const calls: { [Name in CallName]: (argument: Calls[Name]['argument']) => Promise<Calls[Name]['result']> } = {
    init,
    async compile({ program }) {
      const startedMs = performance.now();
      await compiledStep(program);
      return { elapsedMs: performance.now() - startedMs };
    },
    run: async ({ program, inputs }) => (await compiledStep(program)).run(current().state, inputs),
    readState: ({ names }) => current().state.read(names),
    async writeState({ values }) {
      await current().state.write(values);
      return null;
    },
  };

  async function init({ engine: choice, threads, spec, initialState }: InitOptions): Promise<ExecutorInfo> {
    const { engine, reason } = await selectEngine(choice, threads === undefined ? {} : { threads });
    const set = buildPrograms(spec as never);
    const state = engine.createState(set.state, initialState ?? set.initialState?.() ?? {}, { arrays: 'givenUp' });
    session = { engine, set, state, compiled: new Map() };
    return {
      engine: engine.name,
      device: engine.device,
      reason,
      state: set.state,
      programs: Object.keys(set.programs),
    };
  }

  function current(): Session {
    if (!session) throw new Error('internal: executor: init must come first.');
    return session;
  }

  /** A program is compiled when it is first needed, once. */
  function compiledStep(name: string): Promise<CompiledStep> {
    const { engine, set, compiled } = current();
    const program = set.programs[name];
    if (!program)
      throw new Error(`internal: executor: no program "${name}"; there are ${Object.keys(set.programs).join(', ')}.`);
    const known = compiled.get(name);
    if (known) return known;
    const step = engine.compile(program);
    compiled.set(name, step);
    return step;
  }

  async function answer({ id, call, argument }: Request): Promise<void> {
    let reply: Reply;
    try {
      const result = await (calls[call] as (argument: unknown) => Promise<Calls[CallName]['result']>)(argument);
      reply = { id, ok: true, result };
    } catch (error) {
      reply = { id, ok: false, ...described(error, session?.engine.name ?? 'requested') };
    }
    await new Promise<void>((resolve) => process.send!(reply, undefined, undefined, () => resolve()));
  }
}

function described(error: unknown, engine: string): Omit<Reply & { ok: false }, 'id' | 'ok'> {
  const known = isSimdinoError(error) ? error : namedFault(error, engine);
  if (known)
    return { code: known.code, remedy: known.remedy, message: known.message.slice(0, -known.remedy.length - 1) };
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...(error.stack ? { stack: error.stack } : {}) };
}

/** ONNX Runtime and TensorFlow report exhaustion and lost devices in words only. */
function namedFault(error: unknown, engine: string) {
  const text = error instanceof Error ? error.message : String(error);
  if (/bad_alloc|failed to allocate|out of memory|OOM when allocating|RESOURCE_EXHAUSTED/i.test(text))
    return errors.outOfMemory(engine, firstLine(text));
  if (/device (was |is )?lost|DeviceLost|VK_ERROR_DEVICE_LOST/i.test(text))
    return errors.deviceLost(engine, firstLine(text));
  return undefined;
}

const firstLine = (text: string): string => text.split('\n')[0]!.trim().slice(0, 300);
