/**
 * The installed MPI library, called directly. OpenMPI's handles are addresses of objects in the library, MPICH's are numbers fixed by its
 * ABI (which Intel MPI and MVAPICH share).
 */
import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { errors } from '../../protocol/errors.ts';
import type { Collective } from '../engines/engine.ts';

/** Only one thread at a time calls MPI, but not always the same one. */
const threadsSerialized = 2;
/** A call runs on a thread of its own with a stack of this size; MPICH needs more than koffi's 256 KiB. */
const callStackBytes = 4 * 2 ** 20;
/** Arrays below this travel together: a sum has a fixed cost, the more so where processes share cores and wait for each other's turn. */
const bundledElements = 2 ** 22;

interface Library {
  names: readonly string[];
  /** C type of a handle, and handles by name. */
  handle: string;
  handles(library: LibraryHandle): Record<'world' | 'float' | 'double' | 'sum' | 'errorsReturn', unknown>;
  inPlace: bigint;
}

const libraries: Record<'openmpi' | 'mpich', Library> = {
  openmpi: {
    names: ['libmpi.so.40', 'libmpi.so', 'libmpi.so.12', 'libmpi.dylib'],
    handle: 'void *',
    handles: (library) => {
      const address = (name: string): unknown => library.symbol(name);
      return {
        world: address('ompi_mpi_comm_world'),
        float: address('ompi_mpi_float'),
        double: address('ompi_mpi_double'),
        sum: address('ompi_mpi_op_sum'),
        errorsReturn: address('ompi_mpi_errors_return'),
      };
    },
    inPlace: 1n,
  },
  mpich: {
    names: ['libmpich.so.12', 'libmpi.so.12', 'libmpich.so', 'libmpi.so'],
    handle: 'int',
    handles: () => ({
      world: 0x44000000,
      float: 0x4c00040a,
      double: 0x4c00080b,
      sum: 0x58000003,
      errorsReturn: 0x54000001,
    }),
    inPlace: -1n,
  },
};

type NativeCall = KoffiFunc<(...args: unknown[]) => unknown>;

/** The processes that `mpirun` started together. */
export interface MpiWorld extends Collective {
  readonly rank: number;
  /** For the log: `OpenMPI v4.1.4`. */
  readonly library: string;
  /** The last thing to be called; every process must. */
  close(): void;
}

/**
 * Joins the processes that were started together. Once in a process's life.
 *
 * @throws engineUnavailable where no MPI library can be loaded
 */
export function openMpi(environment: NodeJS.ProcessEnv = process.env): MpiWorld {
  koffi.config({ ...koffi.config(), async_stack_size: callStackBytes });
  const { kind, library } = load(environment);
  const { handle, handles, inPlace } = libraries[kind];
  const { world, float, double, sum, errorsReturn } = handles(library);
  const call = (prototype: string): NativeCall => library.func(prototype) as NativeCall;
  const numberFrom = (prototype: string): number => {
    const out = [0];
    check(prototype, call(prototype)(world, out) as number);
    return out[0]!;
  };
  const provided = [0];
  check(
    'MPI_Init_thread',
    call('int MPI_Init_thread(void *, void *, int, _Out_ int *)')(null, null, threadsSerialized, provided) as number,
  );
  // A library that notices a lost process would end this one, and with it the state that is to be written.
  check(
    'MPI_Comm_set_errhandler',
    call(`int MPI_Comm_set_errhandler(${handle}, ${handle})`)(world, errorsReturn) as number,
  );
  const rank = numberFrom(`int MPI_Comm_rank(${handle}, _Out_ int *)`);
  const ranks = numberFrom(`int MPI_Comm_size(${handle}, _Out_ int *)`);
  const allreduce = call(`int MPI_Allreduce(intptr_t, void *, int, ${handle}, ${handle}, ${handle})`);
  const finalize = call('int MPI_Finalize()');

  /** The same arrays come at every step; so do the bundles of them. */
  const bundles = new Map<string, Float32Array | Float64Array>();

  async function sumOne(array: Float32Array | Float64Array): Promise<void> {
    const type = array instanceof Float64Array ? double : float;
    const code = await new Promise<number>((resolve, reject) => {
      allreduce.async(inPlace, array, array.length, type, sum, world, (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result as number),
      );
    });
    if (code !== 0) throw errors.rankLost(`MPI_Allreduce returned ${code}`);
  }

  return {
    rank,
    ranks,
    library: versionOf(library, kind),
    async sum(arrays) {
      for (const precise of [false, true]) {
        const small = arrays.filter(
          (array) => array instanceof Float64Array === precise && array.length < bundledElements,
        );
        if (small.length === 0) continue;
        const Bundle = precise ? Float64Array : Float32Array;
        const length = small.reduce((sum, array) => sum + array.length, 0);
        const key = `${Bundle.name} ${length}`;
        const bundle = bundles.get(key) ?? new Bundle(length);
        bundles.set(key, bundle);
        let place = 0;
        for (const array of small) {
          bundle.set(array, place);
          place += array.length;
        }
        await sumOne(bundle);
        place = 0;
        for (const array of small) {
          array.set(bundle.subarray(place, place + array.length));
          place += array.length;
        }
      }
      for (const array of arrays) if (array.length >= bundledElements) await sumOne(array);
    },
    close: () => check('MPI_Finalize', finalize() as number),
  };
}

function check(what: string, code: number): void {
  if (code !== 0) throw new Error(`internal: ${what} returned ${code}.`);
}

/** The library that belongs to the launcher; `SIMDINO_MPI` names another file. */
function load(environment: NodeJS.ProcessEnv): { kind: keyof typeof libraries; library: LibraryHandle } {
  const isOpenMpi = 'OMPI_COMM_WORLD_SIZE' in environment || 'PMIX_RANK' in environment;
  const given = environment['SIMDINO_MPI'];
  const likely = isOpenMpi ? (['openmpi', 'mpich'] as const) : (['mpich', 'openmpi'] as const);
  const tried: string[] = [];
  for (const expected of likely) {
    for (const name of given === undefined ? libraries[expected].names : [given]) {
      try {
        // OpenMPI loads parts of itself that look for the rest of it among all symbols.
        const library = koffi.load(name, { global: true });
        return { kind: isOpenMpiLibrary(library) ? 'openmpi' : 'mpich', library };
      } catch (error) {
        tried.push(`${name}: ${(error as Error).message}`);
      }
    }
  }
  throw errors.engineUnavailable('onnx', `no MPI library could be loaded (${tried[0] ?? 'none is known'})`, ['onnx']);
}

function isOpenMpiLibrary(library: LibraryHandle): boolean {
  try {
    return library.symbol('ompi_mpi_comm_world') !== null;
  } catch {
    return false; // MPICH has no such symbol
  }
}

function versionOf(library: LibraryHandle, kind: keyof typeof libraries): string {
  const text = Buffer.alloc(8192);
  const length = [0];
  library.func('int MPI_Get_library_version(void *, _Out_ int *)')(text, length);
  const [line = ''] = text.toString('latin1', 0, length[0]).replace(/\0/g, '').split('\n');
  return kind === 'openmpi' ? (line.split(',')[0] ?? line) : line.replace(/\s+/g, ' ').trim();
}
