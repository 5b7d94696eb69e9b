import { sumOverRanksKernel } from '../../../ops/sumOverRanks.ts';
import { registerKernels } from '../kernel.ts';

registerKernels({
  [sumOverRanksKernel]: ({ graph, operand }) => {
    const x = operand('x');
    return graph.apply({ kind: 'sumOverRanks' }, [x], x.shape, x.type);
  },
});
