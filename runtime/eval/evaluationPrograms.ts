/** The programs of evaluations, built from plain data on either side of an executor's channel. */
import type { ProgramSet } from '../engines/executor/programSet.ts';
import { buildLinearProbePrograms, type LinearProbeSpec } from './linearProbeStep.ts';
import { buildNeighbourProgram, type NeighbourSpec } from './nearestNeighbours.ts';

export type EvaluationSpec = ({ kind: 'neighbours' } & NeighbourSpec) | ({ kind: 'linearProbe' } & LinearProbeSpec);

export function buildEvaluationPrograms(spec: EvaluationSpec): ProgramSet {
  switch (spec.kind) {
    case 'neighbours': {
      const search = buildNeighbourProgram(spec);
      return { state: search.state, programs: { search } };
    }
    case 'linearProbe':
      return buildLinearProbePrograms(spec);
  }
}
