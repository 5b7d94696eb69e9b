import * as tf from '@tensorflow/tfjs-core';
import { linear } from './linear.ts';

/**
 * Images to tokens: a convolution with kernel P and stride P, as one matrix product over the patches in raster order.
 * Rows and columns of pixels that fill no patch are dropped, as a strided convolution drops them.
 *
 * @param images pixels in the stated layout; any normalisation has been done
 * @param weight_DCPP the official layout (out, in, kernel height, kernel width)
 * @returns tokens_BND with N = floor(H/P) floor(W/P)
 */
export function patchEmbedding(
  images: tf.Tensor4D,
  weight_DCPP: tf.Tensor4D,
  bias_D: tf.Tensor1D,
  { layout }: { layout: 'BHWC' | 'BCHW' },
): tf.Tensor3D {
  const [width, channels, patch] = weight_DCPP.shape;
  const [batch, height, breadth, imageChannels] = layout === 'BHWC' ? images.shape : atEnd(images.shape);
  if (imageChannels !== channels) {
    throw new Error(
      `internal: patchEmbedding: images (${layout}) must have ${channels} channels, got [${images.shape}].`,
    );
  }
  const rows = Math.floor(height / patch);
  const columns = Math.floor(breadth / patch);
  const patches_NF =
    layout === 'BHWC'
      ? tf.transpose(
          tf.reshape(cropped(images, 1, rows * patch, columns * patch), [
            batch,
            rows,
            patch,
            columns,
            patch * channels,
          ]),
          [0, 1, 3, 2, 4],
        )
      : tf.transpose(
          tf.reshape(cropped(images, 2, rows * patch, columns * patch), [batch, channels, rows, patch, columns, patch]),
          [0, 2, 4, 1, 3, 5],
        );
  // The kernel is reordered rather than the pixels: it is far smaller than a batch.
  const kernel_DF = layout === 'BHWC' ? tf.transpose(weight_DCPP, [0, 2, 3, 1]) : weight_DCPP;
  const features = channels * patch * patch;
  const tokens = linear(
    tf.reshape(patches_NF, [batch, rows * columns, features]),
    tf.reshape(kernel_DF, [width, features]),
    bias_D,
  );
  return tokens as tf.Tensor3D;
}

function atEnd([batch, channels, height, breadth]: readonly number[]): [number, number, number, number] {
  return [batch!, height!, breadth!, channels!];
}

/** The first `height` x `breadth` pixels; the rows are axis `rowAxis`, the columns the next one. */
function cropped(images: tf.Tensor4D, rowAxis: 1 | 2, height: number, breadth: number): tf.Tensor4D {
  if (images.shape[rowAxis] === height && images.shape[rowAxis + 1] === breadth) return images;
  const size = [...images.shape] as [number, number, number, number];
  size[rowAxis] = height;
  size[rowAxis + 1] = breadth;
  return tf.slice(images, [0, 0, 0, 0], size);
}
