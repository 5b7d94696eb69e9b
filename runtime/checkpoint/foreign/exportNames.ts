/** A backbone's tensors under the names of another code base, such that its `load_state_dict(strict=True)` takes them. */
import { errors } from '../../../protocol/errors.ts';
import type { TensorMap } from '../safetensors.ts';
import type { Naming } from './foreignVit.ts';

/**
 * Renames and rearranges.
 *
 * - `dino`: DINO and SimDINO v1, which have neither registers nor LayerScale.
 * - `dinov2`: DINOv2 and SimDINO v2, whose networks always have a mask token; zeros stand for one that was never trained.
 * - `timm`: `VisionTransformer` of timm. With registers this is its `no_embed_class` arrangement: the place of the CLS token is part of it.
 *
 * @throws exportRefused
 */
export function exportedNames(backbone: TensorMap, naming: Naming): TensorMap {
  const width = backbone.get('cls_token')!.shape.at(-1)!;
  const hasRegisters = backbone.has('register_tokens');
  const renamed: TensorMap = new Map(backbone);
  switch (naming) {
    case 'dino':
      if (hasRegisters || backbone.has('blocks.0.ls1.gamma'))
        throw errors.exportRefused('A network with registers or LayerScale', 'DINO has no names for them');
      renamed.delete('mask_token');
      return renamed;
    case 'dinov2':
      if (!renamed.has('mask_token')) renamed.set('mask_token', { shape: [1, width], data: new Float32Array(width) });
      return renamed;
    case 'timm': {
      renamed.delete('mask_token');
      for (const [name, tensor] of backbone) {
        const plain = name.replace('.mlp.w12.', '.mlp.fc1.').replace('.mlp.w3.', '.mlp.fc2.');
        if (plain !== name && renamed.delete(name)) renamed.set(plain, tensor);
      }
      if (!hasRegisters) return renamed;
      const cls = backbone.get('cls_token')!;
      const position = backbone.get('pos_embed')!;
      const registers = backbone.get('register_tokens')!;
      renamed.delete('register_tokens');
      renamed.set('reg_token', registers);
      renamed.set('cls_token', { shape: cls.shape, data: cls.data.map((value, at) => value + position.data[at]!) });
      renamed.set('pos_embed', {
        shape: [1, position.shape[1]! - 1, width],
        data: position.data.slice(width),
      });
      return renamed;
    }
  }
}
