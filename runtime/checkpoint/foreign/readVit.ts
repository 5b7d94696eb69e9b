/** The tensors of a recognised network, under our names and in our conventions. */
import type { NamedTensor, TensorMap } from '../safetensors.ts';
import { vitParameters } from '../../models/vit.ts';
import { readForeignTensor, type ForeignFile } from './foreignFile.ts';
import type { ForeignVit } from './foreignVit.ts';

/** Backbone tensors by our names, `cls_token` to `norm.bias`. */
export function readBackbone(file: ForeignFile, found: ForeignVit): TensorMap {
  const tensors: TensorMap = new Map();
  for (const { name, shape } of vitParameters(found.vit)) {
    if (name === 'pos_embed') continue;
    tensors.set(name, { shape, data: readForeignTensor(file, found.names.get(name)!) });
  }
  const { width, patchSizePx, imageSizePx, registers } = found.vit;
  const patches = (imageSizePx / patchSizePx) ** 2;
  const stored = readForeignTensor(file, found.names.get('pos_embed')!);
  tensors.set('pos_embed', { shape: [1, 1 + patches, width], data: withClsRow(stored) });
  return tensors;

  /**
   * timm's tables differ by the tokens that have a place. Without one for the CLS token its row is zero; places of registers are added to
   * them, since both stand first and are added anyway.
   */
  function withClsRow(table: Float32Array): Float32Array {
    const rows = table.length / width;
    if (rows === 1 + patches) return table;
    const full = new Float32Array((1 + patches) * width);
    full.set(table.subarray((rows - patches) * width), width);
    if (rows === 1 + registers + patches) {
      full.set(table.subarray(0, width));
      const registerTokens = tensors.get('register_tokens')!.data;
      registerTokens.forEach((value, at) => (registerTokens[at] = value + table[width + at]!));
    }
    return full;
  }
}

/** Projector tensors by our names (`mlp.0.weight`), where the file has one. */
export function readHead(file: ForeignFile, { headNames }: ForeignVit): TensorMap {
  return new Map(
    [...headNames].map(([name, original]): [string, NamedTensor] => [
      name,
      { shape: file.tensors.get(original)!.shape, data: readForeignTensor(file, original) },
    ]),
  );
}
