/**
 * Parts of Resize. A part begins at an input from which its own coordinates count as the whole one's do: where inputs
 * and outputs meet at whole numbers. Whether its samples then are the same, to the last bit of every weight, is looked
 * up and not derived: coordinates are rounded, and some forms (aligned corners) depend on the whole size.
 */
import type { Dialect } from '../../../graph/graph.ts';
import { perContext } from '../../../ops/context-memo.ts';
import type { OpContext } from '../../../ops/operator.ts';
import { type ResizeAttributes, resizeAxis, type Samples } from '../../../ops/resize-axis.ts';
import { fixedSamples } from '../../../ops/resize-fixed.ts';
import { hullOf, type Interval } from '../interval.ts';
import { type AxisPart, type PartRule, type PictureAxis, withEntry } from '../part.ts';

/** Inputs that a part may begin before, or end after, what it needs: enough for ratios of small numbers. */
const SEARCH = 8;

/** Parts that were asked for before: searches ask for the same ones again and again. */
const knownParts = perContext((_ctx: OpContext) => new Map<string, AxisPart | undefined>());

const resizePart: PartRule = (ctx, axis, want) => {
  const known = knownParts(ctx);
  const key = `${axis} ${want.lo} ${want.hi}`;
  if (!known.has(key)) known.set(key, findPart(ctx, axis, want));
  return known.get(key);
};

const findPart: PartRule = (ctx, axis, want) => {
  const attrs = ctx.op.attrs as ResizeAttributes;
  const direction = axis - 1;
  const input = ctx.inputs[0]!.shape[axis];
  const output = attrs.size[direction];
  const scale = attrs.scales?.[direction] ?? output / input;
  const samples = wholeSamples(ctx)[direction];
  const wanted = samples.slice(want.lo, want.hi);
  const needs = wanted.map(rangeOf).reduce(hullOf);
  for (let lo = needs.lo; lo >= Math.max(0, needs.lo - SEARCH); lo--) {
    const from = lo * scale;
    if (!Number.isInteger(from) || from > want.lo) continue;
    for (let hi = needs.hi; hi <= Math.min(input, needs.hi + SEARCH); hi++) {
      const size = hi === input ? output - from : (hi - lo) * scale;
      if (!Number.isInteger(size) || from + size < want.hi || (hi - lo) * scale !== size) continue;
      const changed = { ...attrs, size: withEntry(attrs.size, direction, size) };
      const part = samplesOf(ctx, changed, hi - lo, direction).slice(want.lo - from, want.hi - from);
      if (part.every((s, i) => sameSamples(s, wanted[i], lo))) {
        return found(axis, { lo: from, hi: from + size }, { lo, hi });
      }
    }
  }
  return undefined;
};

/** Samples of the whole output along both directions, made once. */
const wholeSamples = perContext((ctx: OpContext): readonly (readonly Samples[])[] => {
  const attrs = ctx.op.attrs as ResizeAttributes;
  return [0, 1].map((direction) => samplesOf(ctx, attrs, ctx.inputs[0]!.shape[direction + 1], direction));
});

function found(axis: PictureAxis, made: Interval, needs: Interval): AxisPart {
  return {
    made,
    needs: [needs],
    change: (a) => ({ ...a, size: withEntry(a.size, axis - 1, made.hi - made.lo) }),
  };
}

function samplesOf(ctx: OpContext, attrs: ResizeAttributes, input: number, direction: number): Samples[] {
  const { dialect, inputs } = ctx;
  return isFixed(dialect, attrs.mode, inputs[0]!.dtype)
    ? fixedSamples(attrs, input, direction)
    : resizeAxis(attrs, input, direction, dialect);
}

/** TFLite interpolates int8 and int16 in fixed point. */
const isFixed = (dialect: Dialect, mode: string, dtype: string) =>
  dialect === 'tflite' && mode === 'linear' && (dtype === 'i8' || dtype === 'i16');

const rangeOf = ({ inputs }: Samples): Interval => ({ lo: Math.min(...inputs), hi: Math.max(...inputs) + 1 });

const sameSamples = (part: Samples, whole: Samples, shift: number): boolean =>
  part.inputs.length === whole.inputs.length &&
  part.inputs.every((at, k) => at + shift === whole.inputs[k]) &&
  part.weights.every((w, k) => w === whole.weights[k]);

export const resizeParts: Readonly<Record<string, PartRule>> = { Resize: resizePart };
