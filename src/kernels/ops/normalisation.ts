/** InstanceNormalization, LayerNormalization, LRN. */
import { channelsOf, elementCount, pixelsOf, type Tensor } from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import type { LayerNormalizationAttributes } from '../../ops/layer-normalization.ts';
import type { LrnAttributes } from '../../ops/lrn.ts';
import { elementStrides } from '../../ops/move.ts';
import {
  add,
  constant,
  convert,
  div,
  f32,
  f64,
  greatest,
  type Index,
  index,
  least,
  load,
  minus,
  modulo,
  mul,
  over,
  plus,
  sub,
  times,
  unary,
} from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { type Expr, type Type, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { realFunction } from '../real-functions.ts';
import { addressOf, elementAt, type Site } from '../site.ts';

/** Mean and 1 / sqrt(variance + epsilon) of `count` numbers, in two passes (src/ops/normalise-line.ts). */
function moments(
  task: Task,
  type: Type,
  count: number,
  epsilon: number,
  read: (i: Expr) => Expr,
): { readonly mean: Expr; readonly inverse: Expr } {
  const { b } = task;
  const at = (v: number) => constant(type, Math.fround(v));
  const sum = b.variable('sum', at(0));
  b.for('i', 0, count, 1, (i) => b.set(sum, add(sum, read(i))));
  const mean = b.let('mean', div(sum, at(count)));
  const squares = b.variable('squares', at(0));
  b.for('i', 0, count, 1, (i) => {
    const d = b.let('d', sub(read(i), mean));
    b.set(squares, add(squares, mul(d, d)));
  });
  const variance = div(squares, at(count));
  const inverse = b.let('inverse', div(at(1), unary('sqrt', add(variance, at(epsilon)))));
  return { mean, inverse };
}

const real = (site: Site, lanes = 1): Type => typeOf(site.cell === 'f32' ? 'f32' : 'i32', lanes);

/** Real values of an input: some lanes from a channel of the pixel at an address on. */
function reader(task: Task, i: number): (address: Index, channel: Index, lanes?: number) => Expr {
  const site = siteOf(task, i);
  const type = task.ctx.inputs[i]!;
  return (address, channel, lanes = 1) =>
    decode(type, load(real(site, lanes), site.cell, elementAt(site, address, channel)));
}

const instance: OperatorKernels = {
  kind: 'InstanceNormalization',
  write(task) {
    const { b, ctx, machine } = task;
    const { shape } = ctx.inputs[0]!;
    const batch = shape.length > 1 ? shape[0] : 1;
    const pixels = pixelsOf(shape) / Math.max(1, batch);
    const x = siteOf(task, 0);
    const [y] = task.outputs;
    const [read, scale, bias] = [0, 1, 2].map((i) => reader(task, i));
    const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
    // Scale and bias are lists; their channels may count as pixels of one.
    const listed = (i: number, c: Index) => {
      const site = siteOf(task, i);
      return site.channels === 1 ? [addressOf(site, c), index(0)] : [addressOf(site, 0), c];
    };
    const lanes = [1, 2].every((i) => siteOf(task, i).channels > 1) ? machine.lanes : 1;
    b.for('picture', 0, batch, 1, (n) => {
      const start = times(n, pixels);
      overLanes(b, x.channels, lanes, (c, count) => {
        const at = (p: Expr) => b.let('at', addressOf(x, plus(start, p)));
        const of = moments(task, typeOf('f32', count), pixels, Number(ctx.op.attrs.epsilon), (p) =>
          read(at(p), c, count),
        );
        const [scaleAt, scaleChannel] = listed(1, c);
        const [biasAt, biasChannel] = listed(2, c);
        const factor = b.let('factor', mul(of.inverse, scale(scaleAt, scaleChannel, count)));
        const shift = b.let('shift', bias(biasAt, biasChannel, count));
        b.for('p', 0, pixels, 1, (p) => {
          const v = add(mul(sub(read(at(p), c, count), of.mean), factor), shift);
          const out = addressOf(y, plus(start, p));
          b.store(y.cell, elementAt(y, out, c), encode(to, ctx.dialect, b.let('v', v)));
        });
      });
    });
  },
};

const layer: OperatorKernels = {
  kind: 'LayerNormalization',
  write(task) {
    const { b, ctx, run } = task;
    const { axis, epsilon } = ctx.op.attrs as LayerNormalizationAttributes;
    const { shape } = ctx.outputs[0];
    const channels = channelsOf(shape);
    const block = shape.slice(axis);
    const length = elementCount(block);
    const pixels = length / channels;
    const x = siteOf(task, 0);
    const [y] = task.outputs;
    const read = reader(task, 0);
    const element = (e: Expr) => {
      const named = b.let('e', e);
      return read(addressOf(x, over(named, channels)), modulo(named, channels));
    };
    const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
    const first = over(run.lo, pixels);
    const end = over(plus(run.hi, pixels - 1), pixels);
    b.for('line', first, end, 1, (line) => {
      const start = b.let('start', times(line, length));
      const of = moments(task, 'f32', length, epsilon, (i) => element(plus(start, i)));
      const from = greatest(run.lo, times(line, pixels));
      const upTo = least(run.hi, times(plus(line, 1), pixels));
      b.for('p', from, upTo, 1, (p) => {
        const at = b.let('at', addressOf(x, p));
        const out = b.let('to', addressOf(y, p));
        b.for('c', 0, channels, 1, (c) => {
          const own = b.let('own', minus(plus(times(p, channels), c), start));
          let v = mul(sub(read(at, c), of.mean), of.inverse);
          const parameter = (i: number) => parameterAt(task, i, block, own);
          if (ctx.inputs[1]) v = mul(v, parameter(1));
          if (ctx.inputs[2]) v = add(v, parameter(2));
          b.store(y.cell, elementAt(y, out, c), encode(to, ctx.dialect, b.let('v', v)));
        });
      });
    });
  },
};

/** The value of a parameter that broadcasts to a block, at the block's element e. */
function parameterAt(task: Task, i: number, block: readonly number[], e: Expr): Expr {
  const t: Tensor = task.ctx.inputs[i]!;
  const site = siteOf(task, i);
  const missing = block.length - t.shape.length;
  const strides = elementStrides(t.shape).map((s, k) => (t.shape[k] === 1 ? 0 : s));
  const of = elementStrides(block);
  let at: Expr = index(0);
  strides.forEach((s, k) => {
    if (s > 0) at = plus(at, times(modulo(over(e, of[k + missing]), block[k + missing]), s));
  });
  const named = task.b.let('parameter', at);
  const pixel = addressOf(site, over(named, site.channels));
  return decode(t, load(real(site), site.cell, elementAt(site, pixel, modulo(named, site.channels))));
}

const lrn: OperatorKernels = {
  kind: 'LRN',
  write(task) {
    const { b, ctx, run } = task;
    const { size, alpha, beta, bias } = ctx.op.attrs as LrnAttributes;
    const before = Math.floor((size - 1) / 2);
    const after = size - 1 - before;
    const factor = Math.fround(Math.fround(alpha) / size);
    const x = siteOf(task, 0);
    const [y] = task.outputs;
    const read = reader(task, 0);
    const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
    b.for('p', run.lo, run.hi, 1, (p) => {
      const at = b.let('at', addressOf(x, p));
      const out = b.let('to', addressOf(y, p));
      b.for('c', 0, x.channels, 1, (c) => {
        const sum = b.variable('sum', f32(0));
        b.for('k', greatest(minus(c, before), 0), least(plus(c, after + 1), x.channels), 1, (k) => {
          const v = b.let('v', read(at, k));
          b.set(sum, add(sum, mul(v, v)));
        });
        const base = convert('f64', add(f32(bias), mul(f32(factor), sum)));
        const power = realFunction(task, 'pow', base, f64(-Math.fround(beta)));
        const scale = b.let('scale', convert('f32', power));
        const v = b.let('v', mul(read(at, c), scale));
        b.store(y.cell, elementAt(y, out, c), encode(to, ctx.dialect, v));
      });
    });
  },
};

export const normalisationKernels: readonly OperatorKernels[] = [instance, layer, lrn];
