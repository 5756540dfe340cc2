/** Where: one of two by a condition, all three broadcast. */
import { pixelMap } from '../../ops/broadcast.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { requantize } from '../../ops/requantize.ts';
import { sameType } from '../../ops/stored.ts';
import { storedFunction } from '../../ops/unary.ts';
import { compare, index, load, select, times } from '../builder.ts';
import { siteOf } from '../constants.ts';
import { type Finish, tabled, unsupported } from '../finish.ts';
import type { OperatorKernels } from '../kernel.ts';
import { addressOf, elementAt } from '../site.ts';
import { pixelUnder } from './binary.ts';

export const whereKernels: OperatorKernels = {
  kind: 'Where',
  write(task) {
    const { b, ctx, run } = task;
    const { shape } = ctx.outputs[0];
    const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
    const [y] = task.outputs;
    const sites = [0, 1, 2].map((i) => siteOf(task, i));
    const maps = ctx.inputs.map((t) => pixelMap(t!.shape, shape));
    const [fa, fb] = ctx.inputs.slice(1).map((t): Finish => {
      if (sameType(t!, to)) return (v) => v;
      if (t!.dtype !== 'i8' && t!.dtype !== 'u8') throw unsupported(ctx, `${t!.dtype} of two scales`);
      const f = storedFunction(requantize.unary!, {}, t!, to, ctx.dialect);
      return tabled(task, t!, to, f);
    });
    b.for('p', run.lo, run.hi, 1, (p) => {
      const at = maps.map((m, i) =>
        b.let('at', addressOf(sites[i], pixelUnder(b, m, p, shape, ctx.inputs[i]!.shape))),
      );
      const out = b.let('to', addressOf(y, p));
      b.for('c', 0, y.channels, 1, (c) => {
        const [h, x, z] = sites.map((s, i) => {
          const channel = maps[i].channelStep === 0 ? index(0) : times(c, 1);
          return b.let('v', load(s.cell === 'f32' ? 'f32' : 'i32', s.cell, elementAt(s, at[i], channel)));
        });
        const chosen = compare('ne', h, { kind: 'const', type: h.type, value: 0 });
        b.store(y.cell, elementAt(y, out, c), select(chosen, fa(x, c), fb(z, c)));
      });
    });
  },
};
