import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import { performance } from 'node:perf_hooks';
import { isSimdinoError } from '../../../protocol/errors.ts';
import type { Collective, CompiledStep, Engine, EngineState } from '../engine.ts';
import { selectEngine } from '../selectEngine.ts';
import { arrayPipe, type ArrayPipe } from './arrayPipe.ts';
import type { Arrays, CallName, Calls, ExecutorInfo, InitOptions, Reply, Request } from './messages.ts';
import { isForLackOfRoom, namedFault } from './faults.ts';
import type { BuildPrograms, ProgramSet } from './programSet.ts';

export type { ProgramSet };

/** The processes that train together, joined. */
export interface JoinedRanks extends Collective {
  /** For the log: one clause. */
  readonly description: string;
  /** From now on, gives up a sum that is not done after so long; the one under way counts from now. */
  giveUp(afterMs: number): void;
  leave(): void;
}

export interface HostOptions {
  joinOthers?: (options: { ranks: number; waitForOthersMs: number }) => Promise<JoinedRanks>;
}

interface Session {
  engine: Engine;
  spec: unknown;
  set: ProgramSet;
  /** How often the set was made smaller to fit the device. */
  reductions: number;
  state: EngineState;
  compiled: Map<string, Promise<CompiledStep>>;
}

/**
 * The child's side of the executor: answers calls one after another until the parent lets go.
 *
 * A terminal's Ctrl-C reaches every process of the group, but ending is the trainer's to decide: it still wants the state for a
 * checkpoint. The child ends when the channel closes, whatever the reason. A cluster signals every process of a job too; SIGUSR1 would
 * have Node open a debugger's port.
 */
export function hostExecutor(buildPrograms: BuildPrograms, { joinOthers }: HostOptions = {}): void {
  let session: Session | undefined;
  let queue = Promise.resolve();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
  let others: JoinedRanks | undefined;
  let isLeaving = false;
  process.on('disconnect', () => {
    if (isLeaving) others?.leave();
    process.exit(0);
  });
  const arrays = openArrayPipe();
  process.on('message', (message) => {
    const light = message as Request;
    const request = arrays.restore(light);
    if (light.call === 'leave') isLeaving = true;
    else if (light.call === 'interrupt') void answer(light);
    else queue = queue.then(async () => answer(await request));
  });

  const calls: { [Name in CallName]: (argument: Calls[Name]['argument']) => Promise<Calls[Name]['result']> } = {
    init,
    async compile({ program }) {
      const startedMs = performance.now();
      await fitting(() => compileAll(program));
      return { elapsedMs: performance.now() - startedMs };
    },
    run: ({ program, inputs }) => fitting(() => runProgram(program, inputs)),
    readState: ({ names }) => current().state.read(names),
    leave: () => Promise.resolve(null),
    async interrupt({ afterMs }) {
      others?.giveUp(afterMs);
      return null;
    },
    async writeState({ values }) {
      await current().state.write(values);
      return null;
    },
  };

  async function init(options: InitOptions): Promise<ExecutorInfo> {
    const { engine: choice, threads, spec, initialState, ranks, waitForOthersMs } = options;
    if (ranks !== undefined) others = await joinOthers?.({ ranks, waitForOthersMs: waitForOthersMs ?? Infinity });
    const { engine, reason } = await selectEngine(choice, {
      ...(threads === undefined ? {} : { threads }),
      ...(others ? { collective: others } : {}),
    });
    const set = buildPrograms(spec as never, 0);
    if (!set) throw new Error('internal: executor: no programs are built of this specification.');
    const state = createState(engine, set, initialState ?? set.initialState?.() ?? {});
    session = { engine, spec, set, reductions: 0, state, compiled: new Map() };
    return {
      engine: engine.name,
      device: engine.device,
      reason: [reason, others?.description, set.note].filter(Boolean).join('; '),
      state: set.state,
      programs: [...Object.keys(set.programs), ...Object.keys(set.composed ?? {})],
    };
  }

  function createState(engine: Engine, set: ProgramSet, values: Arrays): EngineState {
    return engine.createState({ ...set.state, ...set.scratch }, values, { arrays: 'givenUp' });
  }

  async function runProgram(name: string, inputs: Arrays): Promise<Arrays> {
    const step = current().set.composed?.[name];
    return step ? step.run(inputs, runProgram) : (await compiledStep(name)).run(current().state, inputs);
  }

  async function compileAll(name: string): Promise<void> {
    const step = current().set.composed?.[name];
    for (const part of step ? step.programs : [name]) await compiledStep(part);
  }

  /** Does it, if need be with smaller programs. What failed for lack of room has left the state as it was. */
  async function fitting<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!isForLackOfRoom(error, current().engine.name) || !(await makeSmaller())) throw error;
      }
    }
  }

  async function makeSmaller(): Promise<boolean> {
    const { engine, spec, set, reductions, state, compiled } = current();
    const smaller = buildPrograms(spec as never, reductions + 1);
    if (!smaller) return false;
    process.stderr.write(`too large for ${engine.device}; ${smaller.note ?? 'trying smaller programs'}\n`);
    const values = await state.read(Object.keys(set.state));
    await state.dispose();
    // A program that could not be compiled has nothing to release.
    for (const step of await Promise.allSettled(compiled.values()))
      if (step.status === 'fulfilled') await step.value.dispose();
    session = {
      engine,
      spec,
      set: smaller,
      reductions: reductions + 1,
      state: createState(engine, smaller, values),
      compiled: new Map(),
    };
    return true;
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
    await new Promise<void>((resolve) =>
      arrays.send(reply, (light) => process.send!(light, undefined, undefined, () => resolve())),
    );
  }
}

/** The pipe whose number the parent has given as first argument. */
function openArrayPipe(): ArrayPipe {
  const options: SocketConstructorOpts & ConnectOpts = {
    fd: Number(process.argv[2]),
    onread: {
      // Read into the same memory again and again, as much at once as the system holds.
      buffer: Buffer.allocUnsafeSlow(2 ** 20),
      callback: (bytes, buffer) => {
        pipe.take(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  const pipe = arrayPipe((bytes) => socket.write(bytes));
  // It breaks only when the parent lets go, which the message channel says too.
  socket.on('error', () => undefined);
  return pipe;
}

function described(error: unknown, engine: string): Omit<Reply & { ok: false }, 'id' | 'ok'> {
  const known = isSimdinoError(error) ? error : namedFault(error, engine);
  if (known)
    return { code: known.code, remedy: known.remedy, message: known.message.slice(0, -known.remedy.length - 1) };
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...(error.stack ? { stack: error.stack } : {}) };
}
