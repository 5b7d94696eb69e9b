import * as tf from '@tensorflow/tfjs-core';

export interface ChannelStatistics {
  /** Of pixels in [0, 1]. */
  mean: readonly number[];
  std: readonly number[];
}

/** Pixels 0..255 to what the network takes, `(x / 255 - mean) / std`; channels last. */
export function normalisePixels(images_BHWC: tf.Tensor4D, { mean, std }: ChannelStatistics): tf.Tensor4D {
  const scale = std.map((deviation) => 1 / (255 * deviation));
  const shift = mean.map((channelMean, channel) => -channelMean / std[channel]!);
  return tf.add(tf.mul(images_BHWC, tf.tensor1d(scale)), tf.tensor1d(shift));
}
