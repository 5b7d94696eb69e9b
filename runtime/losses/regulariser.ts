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
 * Mean over the global views. Uniformity looks at the student's features of a view alone; the others compare them with the teacher's of every
 * other global view (of the same one, if there is but one).
 *
 * @param student_GBO unit features of the global views; @param teacher_GBO likewise
 */
export function regularisation(
  student_GBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  regulariser: Regulariser,
): tf.Scalar {
  const student = tf.unstack(student_GBO) as tf.Tensor2D[];
  const teacher = tf.unstack(teacher_GBO) as tf.Tensor2D[];
  const values = student.flatMap((own, view) => {
    if (regulariser.kind === 'uniformity') return [uniformity(own)];
    const others = teacher.length === 1 ? teacher : teacher.filter((_, other) => other !== view);
    return others.map((other) =>
      regulariser.kind === 'infoNce' ? infoNce(own, other, regulariser) : barlowTwins(own, other, regulariser),
    );
  });
  return tf.mul(tf.addN(values), regulariser.weight / values.length);
}
