import * as tf from '@tensorflow/tfjs-core';

export interface ChannelStatistics {
  /** Of pixels in [0, 1]. */
  mean: readonly number[];
  std: readonly number[];
}

/**
 * Pixels 0..255 to what the network takes, `(x / 255 - mean) / std`; channels last. Row by row of pixels: a loop over three channels at a
 * time is several times slower.
 */
export function normalisePixels(images_BHWC: tf.Tensor4D, { mean, std }: ChannelStatistics): tf.Tensor4D {
  const scale = std.map((deviation) => 1 / (255 * deviation));
  const shift = mean.map((channelMean, channel) => -channelMean / std[channel]!);
  const [batch, height, width, channels] = images_BHWC.shape;
  const row = (perChannel: readonly number[]) =>
    tf.tensor1d(Array.from({ length: width * channels }, (_, index) => perChannel[index % channels]!));
  const rows = tf.reshape(images_BHWC, [batch * height, width * channels]);
  return tf.reshape(tf.add(tf.mul(rows, row(scale)), row(shift)), images_BHWC.shape);
}
