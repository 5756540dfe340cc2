/** Conv, grouped and dilated; ops/conv-depthwise.ts has the form with one input channel a group. */

import { channelsOf } from '../../graph/graph.ts';
import type { ConvAttributes } from '../../ops/conv.ts';
import type { OpContext } from '../../ops/operator.ts';
import { firstTap, type Window, type WindowAxis, windowOver } from '../../ops/window.ts';
import { asIndex, compareIndex, type Index, index, least, minus, plus, times } from '../builder.ts';
import { siteOf } from '../constants.ts';
import type { Expr } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { rowRange } from '../row-biases.ts';
import {
  evenBlock,
  inBlocks,
  inputRow,
  interior,
  overColumns,
  overRows,
  type Row,
  startOf,
  tapsOf,
} from '../rows.ts';
import { addressOf, elementAt, isDense, runsUnbroken, stretchesOf } from '../site.ts';
import { writeDepthwise } from './conv-depthwise.ts';
import { edgeProducts, rowProducts } from './conv-rows.ts';
import { dotBlocks, usesDots } from './dots.ts';
import { type Block, type BlockShape, blocksOf, type Products, productsOf } from './products.ts';
import { weightsAreConstant } from './runtime-products.ts';

/** The window of a convolution. */
export function windowOf(ctx: OpContext): Window {
  const { attrs } = ctx.op as OpContext<ConvAttributes>['op'];
  const [, kh, kw] = ctx.inputs[1]!.shape;
  return windowOver(ctx.inputs[0]!.shape, [kh, kw], attrs);
}

export const convKernels: OperatorKernels = {
  kind: 'Conv',
  fused: true,
  write(task) {
    const { ctx } = task;
    const groups = (ctx.op.attrs.groups as number | undefined) ?? 1;
    const cin = channelsOf(ctx.inputs[1]!.shape);
    const cout = channelsOf(ctx.outputs[0].shape);
    const byChannel = cin === 1 && groups > 1 && groups === cout && weightsAreConstant(task);
    if (byChannel && ctx.inputs[0]!.dtype !== 'i16') writeDepthwise(task, windowOf(ctx));
    else writeConv(task, flattened(task, windowOf(ctx), cout / groups), groups, cin, cout / groups);
  },
};

/** Bytes of weights that stay near the processor while rows go by. */
const NEAR_BYTES = 512 * 1024;

/** Bytes of input that stay near the processor while blocks of weights go by. */
const NEAR_INPUT_BYTES = 32 * 1024;

/** How channels are cut into blocks. */
function shapesOf(task: Task, perGroup: number, beside: number): BlockShape[] {
  return usesDots(task)
    ? dotBlocks(task.machine, perGroup, beside)
    : blocksOf(task.machine, perGroup, beside);
}

const one = (length: number): WindowAxis => ({
  input: length,
  output: length,
  taps: 1,
  stride: 1,
  dilation: 1,
  pad: 0,
});

/**
 * Where each output pixel is made of one input pixel, rows are of any length: of one that blocks of pixels divide, so
 * that small pictures leave no remainder in each row.
 */
function flattened(task: Task, window: Window, perGroup: number): Window {
  const { run } = task;
  const site = siteOf(task, 0);
  const { y, x } = window;
  const pointwise = [y, x].every(
    (a) => a.taps === 1 && a.stride === 1 && a.input === a.output && a.pad === 0,
  );
  if (!pointwise || !run.even || !runsUnbroken(site, run.length)) return window;
  const [block] = shapesOf(task, perGroup, run.length);
  let best = run.length;
  for (let n = block.pixels; n <= run.length; n += block.pixels) {
    if (run.length % n === 0 && (n * site.stride <= NEAR_INPUT_BYTES || n === block.pixels)) best = n;
  }
  return { batch: 1, y: one(run.total / best), x: one(best) };
}

/** Output pixels of a firing that lie in one row away from its borders. */
function pixelsBeside({ run, inputs }: Task, { x }: Window): number {
  // Constants lie whole.
  if (inputs[0] && !runsUnbroken(inputs[0], x.input)) return 1;
  const { from, to } = interior(x);
  return Math.max(1, Math.min(run.length, to - from));
}

function writeConv(task: Task, window: Window, groups: number, cin: number, perGroup: number): void {
  const { b } = task;
  const taps = window.y.taps * window.x.taps;
  const pixels = pixelsBeside(task, window);
  const products = productsOf(task, { groups, perGroup, depth: cin, taps, pixels });
  // Whichever goes round more often should be what is nearer: weights by rows, or rows by blocks of weights.
  const rows = task.run.length / window.x.output;
  const inputBytes = siteOf(task, 0).pixels * siteOf(task, 0).stride;
  const blocks = shapesOf(task, perGroup, pixels).length * groups;
  const byBlocks = products.bytes > NEAR_BYTES && rows > 1 && blocks * inputBytes < rows * products.bytes;
  const over = (by: Products, body: (row: Row, block: Block) => void) => {
    if (byBlocks) by.overBlocks((block) => overRows(b, task.run, window.x.output, (row) => body(row, block)));
    else overRows(b, task.run, window.x.output, (row) => by.overBlocks((block) => body(row, block)));
  };
  const rowwise = rowProducts(task, window, products, { groups, perGroup, depth: cin, taps, pixels });
  if (rowwise === undefined) {
    over(products, (row, block) => writeRow(task, window, products, row, block, cin, 'all'));
    return;
  }
  const edges = edgeProducts(task, window, { groups, perGroup, depth: cin, taps, pixels: 1 });
  for (const { x, by } of edges ?? []) {
    over(by, (row, block) => {
      b.if(compareIndex('le', row.from, x), () =>
        b.if(compareIndex('gt', row.to, x), () =>
          blockOf(task, window, by, row.row, index(x), 1, true, block, cin, true),
        ),
      );
    });
  }
  if (edges === undefined)
    over(products, (row, block) => writeRow(task, window, products, row, block, cin, 'borders'));
  over(rowwise, (row, block) => writeRow(task, window, rowwise, row, block, cin, 'interior'));
}

/** Part of a row: its interior has products by rows of taps, or all of it by taps. */
type Part = 'all' | 'borders' | 'interior';

function writeRow(
  task: Task,
  window: Window,
  products: Products,
  row: Row,
  block: Block,
  cin: number,
  part: Part,
): void {
  const { b } = task;
  const { x: across } = window;
  const whole = runsUnbroken(siteOf(task, 0), across.input);
  if (!whole) {
    b.for('x', row.from, row.to, 1, (x) => onePixel(task, window, products, row.row, x, block, cin));
    return;
  }
  const edge = (x: Expr) => {
    if (part !== 'interior') blockOf(task, window, products, row.row, x, 1, true, block, cin);
  };
  // Code for floats is short: what blocks leave over is written out.
  const float = task.ctx.inputs[0]!.dtype === 'f32';
  const even = float || usesDots(task) ? undefined : evenBlock(across, row, block.pixels);
  const inner = (from: Expr, to: Expr) => {
    if (part === 'borders') return;
    inBlocks(b, from, to, even ?? block.pixels, (x, count) => {
      blockOf(task, window, products, row.row, x, count, false, block, cin, part === 'interior');
    });
  };
  overColumns(b, across, row, edge, inner, even, usesDots(task));
}

/** `count` neighbouring output pixels of one block of channels; the input's rows are in one piece each. */
function blockOf(
  task: Task,
  window: Window,
  products: Products,
  row: Expr,
  x: Expr,
  count: number,
  border: boolean,
  block: Block,
  cin: number,
  rowwise = false,
): void {
  const { b } = task;
  const site = siteOf(task, 0);
  const { y: down, x: across } = window;
  const { picture, y } = inputRow(window, row);
  const ky = tapsOf(b, down, y);
  const kx = border ? tapsOf(b, across, x) : { from: 0, to: across.taps };
  const wide = rowwise || (kx.from === 0 && kx.to === across.taps);
  const whole = wide && ky.from === 0 && ky.to === down.taps;
  const rows = wide ? rowRange(down, ky) : undefined;
  const sums = products.start(block, count, whole, rows);
  const left = startOf(across, x);
  const top = startOf(down, y);
  const first = times(block.group, cin * site.cellBytes);
  // Taps side by side in memory and in the weights are one run of products.
  const joined = isDense(site) && site.channels === cin && across.dilation === 1 && products.joins;
  b.for('ky', ky.from, ky.to, 1, (k) => {
    const iy = plus(plus(times(picture, down.input), top), times(k, down.dilation));
    const start = b.natural('start', addressOf(site, times(iy, across.input)));
    const pixels = (tap: Index) => {
      const column = plus(left, times(tap, across.dilation));
      const address = plus(plus(start, times(column, site.stride)), first);
      // Where no tap meets the input, the address leads before it and is not used.
      const at =
        border && firstTap(across, 0) >= across.taps ? b.let('at', address) : b.natural('at', address);
      return Array.from({ length: count }, (_, j) =>
        elementAt(site, plus(at, j * across.stride * site.stride)),
      );
    };
    if (rowwise) products.add(block, sums, pixels(kx.from), k, 1);
    else if (joined) {
      products.add(block, sums, pixels(kx.from), plus(times(k, across.taps), kx.from), minus(kx.to, kx.from));
    } else {
      b.for('kx', kx.from, kx.to, 1, (tap) => {
        products.add(block, sums, pixels(tap), plus(times(k, across.taps), tap), 1);
      });
    }
  });
  for (let j = 0; j < count; j++) {
    const [out] = task.outputs;
    const to = runsUnbroken(out, across.output)
      ? plus(b.let('line', addressOf(out, times(row, across.output))), times(plus(x, j), out.stride))
      : addressOf(out, plus(plus(times(row, across.output), x), j));
    products.finish(block, sums.lines[j], out, b.let('to', to));
  }
}

/** One output pixel whose window the input's ring may cut anywhere. */
function onePixel(
  task: Task,
  window: Window,
  products: Products,
  row: Expr,
  x: Expr,
  block: Block,
  cin: number,
): void {
  const { b } = task;
  const site = siteOf(task, 0);
  const { y: down, x: across } = window;
  const { picture, y } = inputRow(window, row);
  const ky = tapsOf(b, down, y);
  const kx = tapsOf(b, across, x);
  const sums = products.start(block, 1, false);
  const first = times(block.group, cin);
  // Taps side by side are one run of products, but where the ring begins anew.
  const joined = site.channels === cin && across.dilation === 1 && products.joins;
  const stretches = joined ? stretchesOf(site, across.taps) : undefined;
  b.for('ky', ky.from, ky.to, 1, (k) => {
    const iy = plus(plus(times(picture, down.input), startOf(down, y)), times(k, down.dilation));
    const start = b.let('start', plus(times(iy, across.input), startOf(across, x)));
    if (stretches) {
      const tap = b.variable('tap', asIndex(kx.from));
      b.for('stretch', 0, stretches.most, 1, () => {
        b.if(compareIndex('lt', tap, kx.to), () => {
          const at = b.natural('at', addressOf(site, plus(start, tap)));
          const count = b.let('count', least(minus(kx.to, tap), stretches.left(plus(start, tap))));
          products.add(block, sums, [elementAt(site, at)], plus(times(k, across.taps), tap), count);
          b.set(tap, plus(tap, count));
        });
      });
      return;
    }
    b.for('kx', kx.from, kx.to, 1, (tap) => {
      const at = b.natural('at', addressOf(site, plus(start, times(tap, across.dilation))));
      products.add(block, sums, [elementAt(site, at, first)], plus(times(k, across.taps), tap), 1);
    });
  });
  const pixel = plus(times(row, across.output), x);
  products.finish(block, sums.lines[0], task.outputs[0], b.let('to', addressOf(task.outputs[0], pixel)));
}
