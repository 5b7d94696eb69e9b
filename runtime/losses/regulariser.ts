/** What may stand in the place of the coding rate: the other objectives of Table 5. */
import * as tf from '@tensorflow/tfjs-core';
import { barlowTwins } from './barlowTwins.ts';
import { infoNce } from './infoNce.ts';
import { uniformity } from './uniformity.ts';

/** Added to the distance with the weight given; the paper states neither weights nor temperatures nor views. */
export type Regulariser =
  | { kind: 'infoNce'; weight: number; temperature: number }
  | { kind: 'uniformity'; weight: number }
  | { kind: 'barlowTwins'; weight: number; lambda: number };

/**
 * Mean over the global views and over equal parts of the batch, in its order, as of the coding rate: every image is compared with those
 * of its own part. Uniformity looks at the student's features of a view alone; the others compare them with the teacher's of every
 * other global view (of the same one, if there is but one).
 *
 * @param student_GBO unit features of the global views; @param teacher_GBO likewise
 * @param groups how many parts; a divisor of B
 */
export function regularisation(
  student_GBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  regulariser: Regulariser,
  groups: number,
): tf.Scalar {
  const student = partsOfViews(student_GBO, groups);
  const teacher = partsOfViews(teacher_GBO, groups);
  const values = student.flatMap((ownParts, view) => {
    const others = teacher.length === 1 ? teacher : teacher.filter((_, other) => other !== view);
    return ownParts.flatMap((own, part) => {
      if (regulariser.kind === 'uniformity') return [uniformity(own)];
      return others.map((parts) =>
        regulariser.kind === 'infoNce'
          ? infoNce(own, parts[part]!, regulariser)
          : barlowTwins(own, parts[part]!, regulariser),
      );
    });
  });
  return tf.mul(tf.addN(values), regulariser.weight / values.length);
}

/** By view, then by part: [B / groups, O]. */
function partsOfViews(features_GBO: tf.Tensor3D, groups: number): tf.Tensor2D[][] {
  const views = tf.unstack(features_GBO) as tf.Tensor2D[];
  return groups === 1 ? views.map((view) => [view]) : views.map((view) => tf.split(view, groups));
}
