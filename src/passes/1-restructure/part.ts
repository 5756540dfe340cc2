/**
 * How an operator makes a part of its output: which part of each input it needs, and what its attributes are then.
 * Rows and columns are looked at one by one, since every operator here treats them apart.
 */
import type { Attributes } from '../../graph/graph.ts';
import type { OpContext } from '../../ops/operator.ts';
import type { Interval } from './interval.ts';
import { movementParts } from './parts/movement.ts';
import { pointwisePart } from './parts/pointwise.ts';
import { resizeParts } from './parts/resize.ts';
import { windowParts } from './parts/windows.ts';

/** Axis of a picture `[N, H, W, C]` that is cut. */
export type PictureAxis = 1 | 2;

/** What is needed of an input along an axis: an interval, all there is, or nothing. */
export type Need = Interval | 'whole' | 'none';

export interface AxisPart {
  /** What is computed: what was asked for, or a little more where the operator works in blocks. */
  readonly made: Interval;
  /** One entry an input. */
  readonly needs: readonly Need[];
  /** The attributes of the operator that makes this part from these needs. */
  readonly change?: (attrs: Attributes) => Attributes;
}

/** Undefined where the part cannot be made exactly. */
export type PartRule = (ctx: OpContext, axis: PictureAxis, want: Interval) => AxisPart | undefined;

const rules: Readonly<Record<string, PartRule>> = { ...windowParts, ...resizeParts, ...movementParts };

/** The part `want` of an operator's output along one axis; undefined where the operator cannot be cut so. */
export function partAlong(ctx: OpContext, axis: PictureAxis, want: Interval): AxisPart | undefined {
  const { op, outputs } = ctx;
  if (outputs.length !== 1 || outputs[0].shape.length !== 4) return undefined;
  return (rules[op.kind] ?? pointwisePart)(ctx, axis, want);
}

/** A list of one entry an axis with the entry of one axis changed. */
export function withEntry(list: unknown, index: number, value: number): number[] {
  return (list as readonly number[]).map((v, i) => (i === index ? value : v));
}
