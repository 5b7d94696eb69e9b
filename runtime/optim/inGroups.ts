import * as tf from '@tensorflow/tfjs-core';

/**
 * Largest tensor that joins others. A parameter's update is some twenty elementwise operations: on a bias they take longer to start than
 * to compute, and a network has more biases and norms than matrices. Copying a large tensor together and apart would cost more.
 */
const SMALL_ELEMENTS = 16384;

export interface GroupMember {
  name: string;
  shape: readonly number[];
}

/** Members that are updated as one vector, or one member as it is. */
export type Group<T extends GroupMember> = readonly [T, ...T[]];

/**
 * Puts small tensors that are treated alike into groups, in their order; large ones stay alone.
 *
 * @param treatmentOf equal texts mean equal treatment
 */
export function inGroups<T extends GroupMember>(members: readonly T[], treatmentOf: (member: T) => string): Group<T>[] {
  const groups: [T, ...T[]][] = [];
  const open = new Map<string, [T, ...T[]]>();
  for (const member of members) {
    const treatment = treatmentOf(member);
    const known = open.get(treatment);
    if (sizeOf(member) > SMALL_ELEMENTS) groups.push([member]);
    else if (known) known.push(member);
    else {
      const group: [T, ...T[]] = [member];
      open.set(treatment, group);
      groups.push(group);
    }
  }
  return groups;
}

/** The members' tensors side by side; one alone keeps its shape. */
export function joined(group: Group<GroupMember>, tensorOf: (name: string) => tf.Tensor): tf.Tensor {
  if (group.length === 1) return tensorOf(group[0].name);
  return tf.concat(group.map(({ name }) => tf.reshape<tf.Rank.R1>(tensorOf(name), [-1])));
}

/** The parts of a joined tensor by the members' names. */
export function parted(group: Group<GroupMember>, whole: tf.Tensor): Record<string, tf.Tensor> {
  if (group.length === 1) return { [group[0].name]: whole };
  let begin = 0;
  return Object.fromEntries(
    group.map((member) => {
      const part = tf.slice(whole as tf.Tensor1D, [begin], [sizeOf(member)]);
      begin += sizeOf(member);
      return [member.name, tf.reshape(part, [...member.shape])];
    }),
  );
}

const sizeOf = ({ shape }: GroupMember): number => shape.reduce((product, length) => product * length, 1);
