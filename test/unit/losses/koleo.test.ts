import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { koleo, koleoOfViews } from '../../../runtime/losses/koleo.ts';
import { compileFunction } from '../compileFunction.ts';

const [views, batch, width] = [2, 6, 4];
const features = Array.from({ length: views * batch * width }, (_, at) => Math.sin(1.7 * at) + 0.3 * Math.cos(at * at));

it.each([1, 2, 3])(
  'KoLeo of %i parts is the mean over them, each with its own neighbours, summed over views',
  async (groups) => {
    const size = batch / groups;
    const run = await compileFunction({ features: [views, batch, width] }, ({ features }) => {
      const part = (view: number, group: number) =>
        koleo(tf.reshape(tf.slice(features!, [view, group * size, 0], [1, size, width]), [size, width]));
      const parts = [0, 1].flatMap((view) => Array.from({ length: groups }, (_, group) => part(view, group)));
      return { whole: koleoOfViews(features as tf.Tensor3D, groups), parts: tf.stack(parts) };
    });
    const { whole, parts } = await run({ features });
    expect(parts).toHaveLength(views * groups);
    expect(whole![0]).toBeCloseTo(Array.from(parts!).reduce((sum, value) => sum + value, 0) / groups, 10);
  },
);

it('of several parts is no more than of the whole batch: neighbours are further', async () => {
  const valueOf = async (groups: number) => {
    const run = await compileFunction({ features: [views, batch, width] }, ({ features }) => ({
      value: koleoOfViews(features as tf.Tensor3D, groups),
    }));
    return (await run({ features })).value![0]!;
  };
  expect(await valueOf(3)).toBeLessThan(await valueOf(1));
});
