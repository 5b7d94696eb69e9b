import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedConfig } from '../../../configs/schema.ts';
import type { Objective } from '../../../runtime/losses/objective.ts';
import { simdino } from '../../../runtime/losses/simdino.ts';
import { simdinoOptions } from '../../../runtime/losses/simdinoOptions.ts';

/** Squared distance and nothing that keeps features apart: watch it collapse. */
export function alignmentObjective(config: ResolvedConfig): Objective {
  const measured = simdinoOptions(config);
  return {
    state: {},
    scalars: [],
    evaluate: ({ student_VBO, teacher_GBO }) => {
      const { loss: _, ofViews, ...terms } = simdino(student_VBO, teacher_GBO, measured);
      return { loss: tf.square(terms.distance), terms: { ...terms, ...ofViews }, state: {} };
    },
  };
}
