/**
 * Every error that a user can meet, as a closed set of codes.
 *
 * A message names the thing, says what was expected and what came, and ends with the remedy. Faults of our own
 * (a broken invariant, not a user's input) are ordinary `Error`s whose message starts with `internal:`.
 */
export class SimdinoError extends Error {
  override readonly name = 'SimdinoError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** What to do about it, one sentence. */
    readonly remedy: string,
  ) {
    super(message.endsWith('\n') ? `${message}${remedy}` : `${message} ${remedy}`);
  }
}

/** Whether an unknown value is one of ours. */
export function isSimdinoError(value: unknown): value is SimdinoError {
  return value instanceof SimdinoError;
}

interface Sentence {
  message: string;
  remedy: string;
}
const say = (message: string, remedy: string): Sentence => ({ message, remedy });
const list = (names: readonly string[]): string => names.join(', ') || 'none';
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

const sentences = {
  // --- configuration
  configInvalid: (path: string, report: string) =>
    say(`${path} is not a valid SimDINO configuration.\n${report}\n`, 'Correct the lines marked with ^.'),
  configMissing: (path: string) =>
    say(`No configuration file at ${path}.`, 'Give the path of a YAML file, or the name of a preset.'),
  otherDataMissing: (name: string, path: string) =>
    say(
      `There is neither a folder nor a configuration file at ${path}, nor a preset '${name}'.`,
      'Give --data a folder with train/ and val/, a YAML file whose data is meant, or a preset (`simdino config list`).',
    ),
  yamlEditRefused: (key: string, reason: string) =>
    say(`\`${key}\` can't be edited: ${reason}.`, 'Edit the text by hand.'),
  extendsCycle: (chain: readonly string[]) =>
    say(`Configurations extend each other in a circle: ${chain.join(' -> ')}.`, 'Remove one `extends:`.'),
  sweepMissing: (path: string) =>
    say(`No sweep file at ${path}.`, 'Give the path of a YAML file. See configs/sweeps/ for examples.'),
  sweepInvalid: (path: string, reason: string) =>
    say(`${path} is not a valid sweep file: ${reason}.`, 'See configs/sweeps/ for examples.'),

  // --- tensors and models
  shapeMismatch: (where: string, expected: string, got: readonly (number | string)[], remedy: string) =>
    say(`${where}: expected ${expected}, got [${got.join(',')}].`, remedy),
  unsupportedOperation: (where: string, what: string, remedy: string) =>
    say(`${where}: ${what} is not supported.`, remedy),

  objectiveUnknown: (name: string, known: readonly string[]) =>
    say(
      `loss.own is '${name}', but runtime/losses/index.ts ${known.length === 0 ? 'has no objective of your own' : `has only ${list(known)}`}.`,
      'Add it to `ownObjectives` there and build, or remove loss.own.',
    ),

  // --- engines
  engineUnavailable: (engine: string, reason: string, available: readonly string[]) =>
    say(`Engine '${engine}' can't be used: ${reason}.`, `Set runtime.engine to one of: ${list(available)}.`),
  engineInstallFailed: (name: string, detail: string) =>
    say(
      `${name} could not be installed: ${detail}.`,
      'Check the network and the disk, and see "SimDINO: Show output"; every other engine works as before.',
    ),
  executorCrashed: (engine: string, detail: string) =>
    say(
      `The ${engine} executor process ended unexpectedly (${detail}).`,
      'The run folder is whole; resume the run from its last checkpoint.',
    ),
  outOfMemory: (engine: string, detail: string) =>
    say(
      `The ${engine} engine ran out of memory (${detail}).`,
      'Set runtime.microBatch to fewer images at a time (the result stays the same), or lower train.batchSize or crops.local.count.',
    ),
  stepTorn: (detail: string) =>
    say(
      `A training step failed while it wrote its results (${detail}), so that the state in memory is half old, half new.`,
      'Resume the run from its last checkpoint, which is whole; where memory ran out, with a smaller runtime.microBatch.',
    ),
  deviceLost: (device: string, detail: string) =>
    say(
      `The GPU stopped answering (${device}: ${detail}).`,
      'Resume the run from its last checkpoint; if it happens again, update the graphics driver or set runtime.engine to onnx.',
    ),
  noMatrixUnits: (device: string) =>
    say(
      `runtime.precision is float16, and ${device} offers no matrix units of that precision.`,
      'Set runtime.precision: float32; the result is at least as exact.',
    ),
  arrayTooLarge: (device: string, bytes: number, limit: number) =>
    say(
      `The step has an array of ${megabytes(bytes)}, and ${device} addresses at most ${megabytes(limit)} at a time.`,
      'Set runtime.microBatch to fewer images at a time; the result stays the same.',
    ),

  // --- data
  dataPathMissing: (path: string) => say(`No data set at ${path}.`, 'Set data.path to an existing folder or file.'),
  dataPathNeeded: (kind: string, what: string) =>
    say(`data.kind is '${kind}', but there is no data.path.`, `Set data.path to ${what}.`),
  labelListNeeded: () =>
    say(
      "data.kind is 'labellist', but there is no data.labels.",
      'Set data.labels to the text file that holds the labels.',
    ),
  dataUnreadable: (path: string, reason: string) =>
    say(`The data at ${path} can't be read: ${reason}.`, 'Check permissions and that the file is complete.'),
  dataEmpty: (path: string, expected: string) =>
    say(`No images found at ${path}; expected ${expected}.`, 'Check data.kind and data.path.'),
  dataTooFaulty: (path: string, faulty: number, total: number, limit: number) =>
    say(
      `${faulty} of ${total} images at ${path} can't be decoded, more than the limit of ${limit}.`,
      'Repair the files listed in the log, or raise data.maxFaultyShare.',
    ),
  datasetDownloadFailed: (name: string, reason: string) =>
    say(`The data set '${name}' can't be fetched: ${reason}.`, 'Check the network, or set data.kind: synthetic.'),
  checksumMismatch: (name: string, expected: string, got: string) =>
    say(`${name}: expected SHA-256 ${expected}, got ${got}.`, 'Delete the file and fetch it again.'),

  batchTooLarge: (batchSize: number, images: number, path: string) =>
    say(
      `train.batchSize is ${batchSize}, but the training split at ${path} has ${images} images.`,
      'Lower train.batchSize or train on more images.',
    ),
  splitMissing: (split: string, path: string, available: readonly string[]) =>
    say(
      `The data at ${path} has no ${split} split.`,
      `Set eval.split, or --split of \`simdino eval\`, to one of: ${list(available)}; or set data.heldOut.`,
    ),
  labelsMissing: (path: string) =>
    say(
      `The images at ${path} have no labels, which k-NN needs.`,
      'Use a data set with class folders or a label file.',
    ),
  heldOutTooLarge: (path: string, heldOut: number, images: number) =>
    say(
      `data.heldOut is ${heldOut}, but the training split at ${path} has ${images} images.`,
      'Hold out fewer images.',
    ),

  maskUnreadable: (path: string, reason: string) =>
    say(
      `The mask ${path} can't be used: ${reason}.`,
      'Give a PNG of its image\u2019s size whose pixels are class numbers.',
    ),
  annotationsTooFew: (path: string, reason: string) =>
    say(
      `The annotations at ${path} are not enough: ${reason}.`,
      'Add images with masks, or correct the lists beside them.',
    ),

  // --- run folders
  runExists: (path: string, detail: string) =>
    say(`The run folder ${path} is in use: ${detail}.`, 'Stop that run first, or start under another name.'),
  runMissing: (id: string, folder: string) => say(`No run '${id}' in ${folder}.`, 'List the runs with `simdino runs`.'),
  runNotResumable: (id: string, reason: string) =>
    say(`Run '${id}' can't be resumed: ${reason}.`, 'Start a new run from its configuration.'),
  runImported: (id: string, source: string, isConfigKnown: boolean) =>
    say(
      `Run '${id}' was imported from the log ${source} and is read only: it has curves, and no network to go on from.`,
      isConfigKnown
        ? `Start a new run with its configuration: \`simdino fork ${id}\`.`
        : 'Its configuration is not known: start a new run from a configuration file or a preset.',
    ),
  runNotEvaluable: (id: string, reason: string) =>
    say(`Run '${id}' can't be evaluated: ${reason}.`, 'Wait for its first checkpoint, or ask for one.'),
  runFolderUnwritable: (path: string, reason: string) =>
    say(
      `The run folder ${path} can't be written: ${reason}.`,
      'Choose another folder with --runs-dir, or simdino.runsFolder in the editor.',
    ),
  notesUnkept: (path: string, reason: string) =>
    say(
      `Name, star, tags and notes can\u2019t be kept in ${path}: ${reason}.`,
      'Make the file and its folder readable and writable, with room on the disk; nothing was changed.',
    ),
  fileUnwritten: (path: string, reason: string) =>
    say(
      `${path} can't be written: ${reason}.`,
      'Free some space on its disk, or make its folder writable, and try again; what was there before is whole.',
    ),
  diskFilled: (path: string) =>
    say(
      `The disk is full: ${path} could not be written.`,
      'Free some space, then try again or resume the run; everything before is whole.',
    ),
  diskFull: (path: string, neededBytes: number, freeBytes: number) =>
    say(
      `Not enough disk space at ${path}: ${Math.ceil(neededBytes / 2 ** 20)} MiB needed, ${Math.floor(freeBytes / 2 ** 20)} MiB free.`,
      'Free some space, or choose another folder with --runs-dir, or simdino.runsFolder in the editor.',
    ),
  checkpointCorrupt: (path: string, reason: string) =>
    say(`The checkpoint ${path} can't be read: ${reason}.`, 'Resume from an earlier checkpoint.'),
  importRefused: (path: string, reason: string) =>
    say(`${path} can't be imported: ${reason}.`, 'Import a vision transformer of DINO, DINOv2, SimDINO or timm.'),
  exportRefused: (what: string, reason: string) =>
    say(`${what} can't be exported: ${reason}.`, 'Choose other names with --names, or another file with -o.'),
  lossNotFinite: (step: number, quantity: string, value: number) =>
    say(
      `The ${quantity} became ${value} at step ${step}; the parameters of that step were not kept.`,
      'Resume from the last checkpoint with a lower optim.lr or a larger loss.eps.',
    ),

  // --- several processes
  rankLost: (detail: string) =>
    say(
      `A process that trains this run together with others is lost: ${detail}.`,
      'The last whole step was written as a checkpoint; resume with as many processes as there are.',
    ),
  ranksUneven: (batchSize: number, ranks: number) =>
    say(
      `train.batchSize is ${batchSize}, which ${ranks} processes can't share evenly.`,
      'Start a number of processes that divides the batch.',
    ),
  ranksApart: (started: number, why: string) =>
    say(
      `${started} processes were started to train together, but they can't find each other: ${why}.`,
      'Set runtime.slurm.mpi (srun --mpi) to the plug-in of the MPI library that is installed: pmix for OpenMPI, pmi2 for MPICH; or set runtime.slurm.start: mpirun.',
    ),

  // --- clusters
  clusterUnavailable: (command: string, reason: string) =>
    say(
      `The cluster can't be reached: ${command}: ${reason}.`,
      'Start from a machine that has SLURM\u2019s commands, or set runtime.launcher: local.',
    ),
  requeueRefused: (job: string, reason: string) =>
    say(`Job ${job} could not be queued again: ${reason}.`, 'Its checkpoint is written: `simdino resume` the run.'),
  mpiPluginMissing: (wanted: string, offered: readonly string[]) =>
    say(
      wanted === 'auto'
        ? `The cluster's srun has no MPI plug-in by which several processes could find each other; it has ${list(offered)}.`
        : `runtime.slurm.mpi is '${wanted}', which the cluster's srun does not have; it has ${list(offered)}.`,
      'Set runtime.slurm.mpi to one of these that the installed MPI library knows, or set runtime.slurm.start: mpirun.',
    ),
  clusterRefused: (reason: string) =>
    say(`The cluster refused the job: ${reason}.`, 'Correct runtime.slurm in the configuration.'),

  // --- interchange
  importUnreadable: (path: string, reason: string) =>
    say(
      `${path} can't be imported: ${reason}.`,
      'Give a log.txt of the authors\u2019 code or a TensorBoard event file.',
    ),

  // --- command line
  usage: (message: string) => say(message, 'See `simdino --help`.'),
  nodeMissing: (path: string) => say(`${path} can't be started.`, 'Set simdino.runtime.nodePath to a Node executable.'),
  nodeTooOld: (path: string, version: string) =>
    say(`The training runtime needs Node 20 or newer; ${path} is ${version}.`, 'Set simdino.runtime.nodePath.'),
};

export type ErrorCode = keyof typeof sentences;

/** One factory per code: `throw errors.dataPathMissing('/x')`. */
export const errors = Object.fromEntries(
  Object.entries<(...args: never[]) => Sentence>(sentences).map(([code, sentence]) => [
    code,
    (...args: never[]) => {
      const { message, remedy } = sentence(...args);
      return new SimdinoError(code as ErrorCode, message, remedy);
    },
  ]),
) as { [Code in ErrorCode]: (...args: Parameters<(typeof sentences)[Code]>) => SimdinoError };
