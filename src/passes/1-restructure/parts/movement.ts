/** Parts of what joins, cuts and pads. */
import type { ConcatAttributes } from '../../../ops/concat.ts';
import type { PadAttributes } from '../../../ops/pad.ts';
import type { SliceAttributes } from '../../../ops/slice.ts';
import { type Need, type PartRule, withEntry } from '../part.ts';

/** Along the axis of the join only the parts that lie there are needed. */
const concatPart: PartRule = ({ op, inputs }, axis, want) => {
  const { axis: joined } = op.attrs as ConcatAttributes;
  if (joined !== axis) return { made: want, needs: inputs.map(() => want) };
  let before = 0;
  const needs = inputs.map((t): Need => {
    const length = t!.shape[axis];
    const lo = Math.max(0, want.lo - before);
    const hi = Math.min(length, want.hi - before);
    before += length;
    return hi > lo ? { lo, hi } : 'none';
  });
  return { made: want, needs };
};

const slicePart: PartRule = ({ op }, axis, want) => {
  const { starts, steps } = op.attrs as SliceAttributes;
  const [start, step] = [starts[axis], steps[axis]];
  const [one, other] = [start + want.lo * step, start + (want.hi - 1) * step];
  const lo = Math.min(one, other);
  return {
    made: want,
    needs: [{ lo, hi: Math.max(one, other) + 1 }],
    change: (a) => ({
      ...a,
      starts: withEntry(a.starts, axis, one - lo),
      sizes: withEntry(a.sizes, axis, want.hi - want.lo),
    }),
  };
};

/** Mirrored borders read inputs near the border: a part that has some of it needs these too. */
const padPart: PartRule = ({ op, inputs }, axis, want) => {
  const { before, mode } = op.attrs as PadAttributes;
  const length = inputs[0]!.shape[axis];
  const start = want.lo - before[axis];
  const end = want.hi - before[axis];
  let lo = Math.max(0, Math.min(start, length));
  let hi = Math.min(length, Math.max(end, 0));
  const over = Math.max(0, -start);
  const under = Math.max(0, end - length);
  const mirror = mode === 'reflect' ? 1 : 0;
  if (mode === 'edge') {
    if (over > 0) hi = Math.max(hi, 1);
    if (under > 0) lo = Math.min(lo, length - 1);
  } else if (mode !== 'constant') {
    if (over > 0) hi = Math.max(hi, over + mirror);
    if (under > 0) lo = Math.min(lo, length - under - mirror);
  }
  // A part of nothing but constant border, or one that would have to drop what its border is made of.
  if (hi <= lo || (mode !== 'constant' && (start > lo + over || end < hi - under))) return undefined;
  return {
    made: want,
    needs: [{ lo, hi }],
    change: (a) => ({
      ...a,
      before: withEntry(a.before, axis, lo - start),
      after: withEntry(a.after, axis, end - hi),
    }),
  };
};

/** Repeated along another axis only. */
const tilePart: PartRule = ({ op }, axis, want) =>
  (op.attrs.repeats as readonly number[])[axis] === 1 ? { made: want, needs: [want] } : undefined;

export const movementParts: Readonly<Record<string, PartRule>> = {
  Concat: concatPart,
  Slice: slicePart,
  Pad: padPart,
  Tile: tilePart,
};
