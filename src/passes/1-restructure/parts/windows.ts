/**
 * Parts of convolutions and pools. Output o of a window touches inputs o * stride - pad + k * dilation. A part reads
 * the inputs that its windows touch; only a part at the border has padding, for what its windows touch beyond it.
 */
import type { Attributes } from '../../../graph/graph.ts';
import type { ConvTransposeAttributes } from '../../../ops/conv-transpose.ts';
import type { OpContext } from '../../../ops/operator.ts';
import type { PoolAttributes } from '../../../ops/pool-window.ts';
import type { WindowAttributes } from '../../../ops/window.ts';
import type { Interval } from '../interval.ts';
import { type AxisPart, type Need, type PartRule, type PictureAxis, withEntry } from '../part.ts';

/** Inputs beyond the first (weights, bias) are needed as they are. */
const withWeights = (ctx: OpContext, x: Interval): Need[] =>
  ctx.op.inputs.map((_, i) => (i === 0 ? x : 'whole'));

const padded = (attrs: Attributes, axis: PictureAxis, before: number, after: number): Attributes => ({
  ...attrs,
  pads: withEntry(withEntry(attrs.pads, axis - 1, before), axis + 1, after),
});

interface Reach {
  /** Inputs from the first to the last that the windows touch, and how far they reach beyond. */
  readonly needs: Interval;
  readonly before: number;
  readonly after: number;
}

/** Undefined where a part's windows touch no input at all. */
function reachOf(
  attrs: WindowAttributes,
  axis: PictureAxis,
  taps: number,
  input: number,
  want: Interval,
): Reach | undefined {
  const stride = attrs.stride[axis - 1];
  const start = want.lo * stride - (attrs.pads?.[axis - 1] ?? 0);
  const end =
    (want.hi - 1) * stride - (attrs.pads?.[axis - 1] ?? 0) + (taps - 1) * attrs.dilation[axis - 1] + 1;
  const needs = { lo: Math.max(0, start), hi: Math.min(input, end) };
  if (needs.hi <= needs.lo) return undefined;
  return { needs, before: needs.lo - start, after: end - needs.hi };
}

const convPart: PartRule = (ctx, axis, want) => {
  const attrs = ctx.op.attrs as WindowAttributes;
  const reach = reachOf(attrs, axis, ctx.inputs[1]!.shape[axis], ctx.inputs[0]!.shape[axis], want);
  if (!reach) return undefined;
  const { needs, before, after } = reach;
  return { made: want, needs: withWeights(ctx, needs), change: (a) => padded(a, axis, before, after) };
};

/**
 * A pool that rounds its size up may reach further than its pads say; a part says in its pads how far it reaches, along
 * both axes. What is beyond the pads does not count as padding: where padding counts, such a pool is not cut. Runtimes
 * want less padding than the kernel is long.
 */
const poolPart: PartRule = (ctx, axis, want) => {
  const attrs = ctx.op.attrs as PoolAttributes & { countPad?: boolean };
  const [x] = ctx.inputs;
  const reach = (a: PictureAxis, w: Interval) => reachOf(attrs, a, attrs.kernel[a - 1], x!.shape[a], w);
  const other: PictureAxis = axis === 1 ? 2 : 1;
  const own = reach(axis, want);
  const across = reach(other, { lo: 0, hi: ctx.outputs[0].shape[other] });
  if (!own || !across) return undefined;
  const fits = (r: Reach, a: PictureAxis) =>
    Math.max(r.before, r.after) < attrs.kernel[a - 1] &&
    !(attrs.countPad && attrs.ceil && r.after > (attrs.pads?.[a + 1] ?? 0));
  if (!fits(own, axis) || (attrs.ceil && !fits(across, other))) return undefined;
  const change = (a: Attributes): Attributes => {
    // The first of two changes writes down how far the pool reaches along the other axis too.
    const explicit = a.ceil ? { ...padded(a, other, across.before, across.after), ceil: false } : a;
    return padded(explicit, axis, own.before, own.after);
  };
  return { made: want, needs: [own.needs], change };
};

/**
 * Input i adds to output i * stride - pad + k * dilation. A part that begins at input `lo` has its padding moved by
 * what lies between: pad' = pad + want.lo - lo * stride.
 */
const convTransposePart: PartRule = (ctx, axis, want) => {
  const attrs = ctx.op.attrs as ConvTransposeAttributes;
  const [x, w] = ctx.inputs;
  const input = x!.shape[axis];
  const stride = attrs.stride[axis - 1];
  const span = (w!.shape[axis] - 1) * attrs.dilation[axis - 1];
  const pad = attrs.pads?.[axis - 1] ?? 0;
  const first = Math.min(Math.ceil((want.lo + pad - span) / stride), Math.floor((want.lo + pad) / stride));
  const lo = Math.min(input - 1, Math.max(0, first));
  const hi = Math.max(lo + 1, Math.min(input, Math.floor((want.hi - 1 + pad) / stride) + 1));
  const before = pad + want.lo - lo * stride;
  const rest = (hi - lo - 1) * stride + span + 1 - before - (want.hi - want.lo);
  const extra = Math.max(0, -rest);
  if (before < 0 || (extra > 0 && extra >= Math.max(stride, attrs.dilation[axis - 1]))) return undefined;
  return {
    made: want,
    needs: withWeights(ctx, { lo, hi }),
    change: (a) => ({
      ...padded(a, axis, before, Math.max(0, rest)),
      outputPadding: withEntry(a.outputPadding ?? [0, 0], axis - 1, extra),
    }),
  };
};

/** A block of an input's channels is a square of the output: parts begin and end with whole squares. */
const depthToSpacePart: PartRule = ({ op }, _axis, want): AxisPart => {
  const block = Number(op.attrs.block);
  const needs = { lo: Math.floor(want.lo / block), hi: Math.ceil(want.hi / block) };
  return { made: { lo: needs.lo * block, hi: needs.hi * block }, needs: [needs] };
};

const spaceToDepthPart: PartRule = ({ op }, _axis, want): AxisPart => {
  const block = Number(op.attrs.block);
  return { made: want, needs: [{ lo: want.lo * block, hi: want.hi * block }] };
};

export const windowParts: Readonly<Record<string, PartRule>> = {
  Conv: convPart,
  ConvTranspose: convTransposePart,
  MaxPool: poolPart,
  AveragePool: poolPart,
  DepthToSpace: depthToSpacePart,
  SpaceToDepth: spaceToDepthPart,
};
