/** ConvTranspose: each output pixel gathers the inputs that its taps spread to it. */

import { channelsOf } from '../../graph/graph.ts';
import { type ConvTransposeAttributes, type Spread, spreadOf } from '../../ops/conv-transpose.ts';
import type { OpContext } from '../../ops/operator.ts';
import type { WindowAxis } from '../../ops/window.ts';
import { type Builder, compareIndex, minus, modulo, over, plus, times } from '../builder.ts';
import { siteOf } from '../constants.ts';
import type { Expr } from '../ir.ts';
import type { OperatorKernels } from '../kernel.ts';
import { overRows } from '../rows.ts';
import { addressOf, elementAt } from '../site.ts';
import { productsOf } from './products.ts';

export const convTransposeKernels: OperatorKernels = {
  kind: 'ConvTranspose',
  fused: true,
  write(task) {
    const { b, ctx } = task;
    const { attrs } = ctx.op as OpContext<ConvTransposeAttributes>['op'];
    const { batch, y, x }: Spread = spreadOf(ctx.inputs, attrs);
    const groups = attrs.groups ?? 1;
    const cin = channelsOf(ctx.inputs[1]!.shape);
    const cout = channelsOf(ctx.outputs[0].shape);
    const site = siteOf(task, 0);
    const [to] = task.outputs;
    const products = productsOf(task, {
      groups,
      perGroup: cout / groups,
      depth: cin,
      taps: y.taps * x.taps,
      ...{ pixels: 1 },
    });
    overRows(b, task.run, x.output, ({ row, from, to: end }) => {
      const picture = batch === 1 ? plus(0, 0) : b.let('picture', over(row, y.output));
      const oy = batch === 1 ? row : b.let('oy', modulo(row, y.output));
      products.overBlocks((block) => {
        b.for('x', from, end, 1, (ox) => {
          const sums = products.start(block, 1, false);
          overInputs(b, y, oy, 'y', (ky, iy) => {
            const line = b.let('line', times(plus(times(picture, y.input), iy), x.input));
            overInputs(b, x, ox, 'x', (kx, ix) => {
              const at = b.let('at', addressOf(site, plus(line, ix)));
              const first = elementAt(site, at, times(block.group, cin));
              products.add(block, sums, [first], plus(times(ky, x.taps), kx), 1);
            });
          });
          const address = b.let('to', addressOf(to, plus(times(row, x.output), ox)));
          products.finish(block, sums.lines[0], to, address);
        });
      });
    });
  },
};

/** The taps of output o that an input spreads to it, in ascending order, and those inputs. */
function overInputs(
  b: Builder,
  axis: WindowAxis,
  o: Expr,
  name: string,
  body: (tap: Expr, input: Expr) => void,
): void {
  const { stride, dilation, pad, taps, input } = axis;
  const reach = b.let('reach', plus(o, pad));
  const direct = dilation === 1;
  // Without dilation the taps of one output are a stride apart.
  const first = direct ? b.let('first', modulo(reach, stride)) : plus(0, 0);
  b.for(`k${name}`, first, taps, direct ? stride : 1, (tap) => {
    const scaled = b.let('scaled', minus(reach, times(tap, dilation)));
    b.if(compareIndex('ge', scaled, 0), () => {
      const inside = () => {
        const at = b.let(`i${name}`, over(scaled, stride));
        b.if(compareIndex('lt', at, input), () => body(tap, at));
      };
      if (direct) inside();
      else b.if(compareIndex('eq', modulo(scaled, stride), 0), inside);
    });
  });
}
