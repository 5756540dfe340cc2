/** RequantizeSums: 32-bit sums that several operators gathered, finished as the one operator that they stand for. */
import { channelsOf } from '../../graph/graph.ts';
import type { OpContext } from '../../ops/operator.ts';
import { asProduct, type RequantizeSumsAttributes } from '../../ops/requantize-sums.ts';
import { load } from '../builder.ts';
import { siteOf } from '../constants.ts';
import { overLanes, overLines } from '../elements.ts';
import { finishProducts } from '../finish.ts';
import { typeOf } from '../ir.ts';
import type { OperatorKernels } from '../kernel.ts';
import { elementAt } from '../site.ts';

export const requantiseSumsKernels: OperatorKernels = {
  kind: 'RequantizeSums',
  fused: true,
  write(task) {
    const { b, machine } = task;
    const ctx = task.ctx as OpContext<RequantizeSumsAttributes>;
    const [to] = task.outputs;
    const from = siteOf(task, 0);
    const finish = finishProducts({ ...task, ctx: asProduct(ctx) }, channelsOf(ctx.outputs[0].shape));
    // Factors differ from channel to channel: pixel by pixel.
    overLines(b, [from, to], task.run, false, ({ addresses: [i, o], count }) => {
      overLanes(b, count, machine.lanes, (c, lanes) => {
        const sum = b.let('sum', load(typeOf('i32', lanes), from.cell, elementAt(from, i, c)));
        b.store(to.cell, elementAt(to, o, c), finish(sum, c));
      });
    });
  },
};
