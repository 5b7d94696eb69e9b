/**
 * Which vision transformer a file holds, and under which names.
 *
 * DINO, timm and SimDINO v1 name the tensors alike; DINOv2 and SimDINO v2 add `register_tokens`, `mask_token` and LayerScale, and may
 * number blocks within chunks; timm says `reg_token`. Around them stand prefixes of whoever saved: `teacher.`, `module.`, `backbone.`.
 */
import { errors } from '../../../protocol/errors.ts';
import type { VitConfig } from '../../models/vit.ts';
import { vitParameters } from '../../models/vit.ts';
import { tensorBytes, type ForeignFile } from './foreignFile.ts';

export const namings = ['dino', 'dinov2', 'timm'] as const;
export type Naming = (typeof namings)[number];

export interface ForeignVit {
  naming: Naming;
  vit: VitConfig & { registers: number; maskToken: boolean };
  hasLayerScale: boolean;
  /** `teacher`, `student`, `model`, ...: where in the file it was; empty for a bare network. */
  network: string;
  /** Our names of the backbone's tensors to the file's. */
  names: ReadonlyMap<string, string>;
  /** Our names of the projector's tensors (`mlp.0.weight`) to the file's; empty where there is none. */
  headNames: ReadonlyMap<string, string>;
  /** What the file holds of this network besides. */
  leftOut: readonly string[];
}

export interface RecogniseOptions {
  /** Of which network, where the file has several. */
  network?: string;
  /** Where the width does not tell: 64 channels a head unless told. */
  heads?: number;
  naming?: Naming;
}

/** Recognises the network of a file. @throws importRefused */
export function recogniseVit(file: ForeignFile, options: RecogniseOptions = {}): ForeignVit {
  const refuse = (reason: string) => errors.importRefused(file.path, reason);
  const candidates = networksIn(file);
  if (candidates.size === 0) throw refuse('it holds no `cls_token`, so no vision transformer of this kind');
  const network = options.network ?? preferred([...candidates.keys()]);
  const names = candidates.get(network);
  if (!names)
    throw refuse(
      `it has no network '${network}'; it has ${[...candidates.keys()].map((name) => name || 'a bare one').join(', ')}`,
    );

  const backbone = new Map<string, string>();
  const headNames = new Map<string, string>();
  const leftOut: string[] = [];
  for (const [name, original] of names) {
    const inHead = /^(?:head|dino_head)\.(mlp(?:\.\d+)?\.(?:weight|bias))$/.exec(name);
    if (inHead) headNames.set(inHead[1]!, original);
    else if (/^(head|dino_head|ibot_head|head_drop|fc)\b/.test(name)) leftOut.push(original);
    else backbone.set(ourName(name), original);
  }
  const shapeOf = (name: string): readonly number[] => {
    const shape = file.tensors.get(backbone.get(name) ?? '')?.shape;
    if (!shape) throw refuse(`its network lacks the tensor '${name}'`);
    return shape;
  };

  const width = shapeOf('cls_token').at(-1)!;
  const [, channels, patchSizePx] = shapeOf('patch_embed.proj.weight');
  if (channels !== 3) throw refuse(`its patches have ${channels} channels, expected 3`);
  const depth =
    1 + Math.max(-1, ...[...backbone.keys()].map((name) => Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1)));
  const registers = backbone.has('register_tokens') ? shapeOf('register_tokens').at(-2)! : 0;
  const maskToken = backbone.has('mask_token');
  const hasLayerScale = backbone.has('blocks.0.ls1.gamma');
  const isTimm = [...names.keys()].some((name) => name === 'reg_token' || name === 'head.weight');
  const naming = options.naming ?? (isTimm ? 'timm' : maskToken || registers > 0 || hasLayerScale ? 'dinov2' : 'dino');
  const heads = options.heads ?? Number(file.metadata['heads'] ?? width / 64);
  if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0)
    throw refuse(`its width ${width} does not tell the number of attention heads; give it with --heads`);
  const feedForward = feedForwardOf(backbone, shapeOf);
  const vit: ForeignVit['vit'] = {
    width,
    depth,
    heads,
    patchSizePx: patchSizePx!,
    ...feedForward,
    imageSizePx: patchSizePx! * gridSide(shapeOf('pos_embed'), naming, registers, refuse),
    interpolation:
      naming === 'dino' || (naming === 'dinov2' && registers === 0)
        ? { offset: 0.1, antialias: false }
        : { offset: 0, antialias: true },
    registers,
    maskToken,
    ...(hasLayerScale ? { layerScale: 0.1 } : {}),
  };
  checkAgainst(vit, backbone, file, refuse);
  return { naming, vit, hasLayerScale, network, names: backbone, headNames, leftOut };
}

/** Networks of a file by where they are: their tensors' plain names to those of the file. */
function networksIn({ tensors }: ForeignFile): Map<string, Map<string, string>> {
  const plain = new Map([...tensors.keys()].map((name) => [withoutWrappers(name), name]));
  const found = new Map<string, Map<string, string>>();
  for (const name of plain.keys()) {
    const match = /^(.*?)(?:^|\.)cls_token$/.exec(name);
    if (!match) continue;
    const path = match[1]!.replace(/(^|\.)backbone$/, '');
    const starts = [path === '' ? 'backbone.' : `${path}.backbone.`, path === '' ? '' : `${path}.`];
    const inside = new Map<string, string>();
    for (const [other, original] of plain) {
      const start = starts.find((candidate) => other.startsWith(candidate));
      if (start !== undefined) inside.set(other.slice(start.length), original);
    }
    found.set(path, inside);
  }
  // A bare network at the top would otherwise claim the tensors of the others.
  if (found.size > 1) {
    const others = [...found.keys()].filter((path) => path !== '');
    for (const name of found.get('')?.keys() ?? [])
      if (others.some((path) => name.startsWith(`${path}.`))) found.get('')!.delete(name);
  }
  return found;
}

/** What data-parallel training, compilation and sharding put around a module. */
function withoutWrappers(name: string): string {
  return name
    .split('.')
    .filter((part) => !['module', '_orig_mod', '_fsdp_wrapped_module'].includes(part))
    .join('.');
}

/** Every published evaluation uses the teacher. */
function preferred(networks: readonly string[]): string {
  const order = ['teacher', 'teacher_ema', 'model_ema', '', 'model', 'state_dict', 'student'];
  return order.find((name) => networks.includes(name)) ?? networks[0]!;
}

/** `blocks.CHUNK.INDEX.x` counts blocks through all chunks; `reg_token` is `register_tokens`. */
function ourName(name: string): string {
  if (name === 'reg_token') return 'register_tokens';
  return name.replace(/^blocks\.\d+\.(\d+)\./, 'blocks.$1.');
}

/** Patches along one side. DINOv2's table has a row for the CLS token; timm's may have none, or one for each register too. */
function gridSide(
  shape: readonly number[],
  naming: Naming,
  registers: number,
  refuse: (reason: string) => Error,
): number {
  const tokens = shape.at(-2) ?? 0;
  const before = naming === 'timm' ? [1, 0, 1 + registers] : [1];
  const side = before.map((count) => Math.sqrt(tokens - count)).find((root) => Number.isInteger(root) && root > 0);
  if (side === undefined) throw refuse(`its ${tokens} positions are not those of a square of patches`);
  return side;
}

/**
 * The kind and width of the feed-forward layers. SwiGLU is `w12` and `w3` in DINOv2; timm calls them `fc1` and `fc2`, of which the first
 * makes twice what the second takes.
 */
function feedForwardOf(
  backbone: Map<string, string>,
  shapeOf: (name: string) => readonly number[],
): Pick<VitConfig, 'mlpRatio' | 'feedForward'> {
  if (!backbone.has('blocks.0.mlp.w12.weight')) {
    const [made, width] = shapeOf('blocks.0.mlp.fc1.weight') as [number, number];
    if (shapeOf('blocks.0.mlp.fc2.weight')[1] === made) return { mlpRatio: made / width, feedForward: 'mlp' };
    for (const [name, original] of [...backbone]) {
      const renamed = name.replace('.mlp.fc1.', '.mlp.w12.').replace('.mlp.fc2.', '.mlp.w3.');
      if (renamed === name) continue;
      backbone.delete(name);
      backbone.set(renamed, original);
    }
  }
  // The hidden width is rounded, so that the ratio can't be had from it; DINOv2's is 4.
  return { mlpRatio: 4, feedForward: 'swiglu' };
}

/** Every tensor that a network of these sizes has, of its shape, and nothing else. */
function checkAgainst(
  vit: ForeignVit['vit'],
  names: ReadonlyMap<string, string>,
  file: ForeignFile,
  refuse: (reason: string) => Error,
): void {
  const expected = new Map(vitParameters(vit).map(({ name, shape }) => [name, shape]));
  for (const [name, original] of names) {
    if (!expected.has(name))
      throw refuse(`it has the tensor '${original}', which this product's vision transformer has no place for`);
  }
  let total = 0;
  for (const [name, shape] of expected) {
    const tensor = file.tensors.get(names.get(name) ?? '');
    if (!tensor) throw refuse(`its network lacks the tensor '${name}'`);
    const isPosition = name === 'pos_embed';
    const squeezed = (sizes: readonly number[]) => sizes.filter((size) => size !== 1).join(',');
    if (!isPosition && squeezed(tensor.shape) !== squeezed(shape))
      throw refuse(`its tensor '${name}' is [${tensor.shape.join(',')}], expected [${shape.join(',')}]`);
    total += tensorBytes(tensor);
  }
  if (total > file.bytes) throw refuse(`its tensors claim ${total} bytes of a file of ${file.bytes}`);
}
