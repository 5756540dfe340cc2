/**
 * What every operator definition promises, checked by brute force on one small case: output runs in pieces equal
 * the whole run wherever the tensors lie, `reads` is exact and monotone, a fold equals the whole, and the output
 * may lie over the inputs that `inPlace` names. For tests.
 */
import { expect } from 'vitest';
import {
  type Attributes,
  allocate,
  channelsOf,
  type ElementType,
  elementBytes,
  elementCount,
  pixelsOf,
  type TypedArray,
} from '../../graph/graph.ts';
import { completeFold, completeKernel } from '../evaluate.ts';
import type { OpContext, OperatorDef, PixelRange, Scratch, View } from '../operator.ts';
import { contiguousView, scratchOver } from '../views.ts';
import {
  contextFor,
  type OperatorCase,
  pick,
  type Random,
  randomValues,
  runWhole,
  seeded,
} from './operator-case.ts';

export * from './operator-case.ts';

/** Checks all that the definition promises and returns the outputs of the whole run. */
export function checkOperator<A extends Attributes>(
  def: OperatorDef<A>,
  given: OperatorCase,
  seed = 1,
): TypedArray[] {
  const whole = runWhole(def, given);
  const random = seeded(seed);
  if (def.access === 'pixel') {
    checkPieces(def, given, whole[0], random);
    checkReads(def, given, whole[0], random);
  }
  if (def.fold) checkFold(def, given, whole[0], random);
  checkInPlace(def, given, whole[0]);
  return whole;
}

/** Bounds that cut [0, count) into runs. */
function cuts(random: Random, count: number): number[] {
  const bounds = [0];
  while (bounds[bounds.length - 1] < count) {
    bounds.push(
      Math.min(count, bounds[bounds.length - 1] + pick(random, 1, Math.max(1, Math.ceil(count / 3)))),
    );
  }
  return bounds;
}

/** A view whose pixels lie apart, shifted, in reverse order of rows of seven: nothing but `at` finds them. */
function scatteredView(values: TypedArray, type: ElementType, shape: readonly number[]): View {
  const channels = channelsOf(shape);
  const pixels = pixelsOf(shape);
  const stride = channels + 3;
  const at = (p: number) => 5 + (p - (p % 7) + 6 - (p % 7)) * stride;
  const data = allocate(type.dtype, 5 + (pixels + 7) * stride);
  for (let p = 0; p < pixels; p++) data.set(values.subarray(p * channels, (p + 1) * channels), at(p));
  return { data, at, contiguous: false };
}

function gather(view: View, shape: readonly number[], into: TypedArray): TypedArray {
  const channels = channelsOf(shape);
  for (let p = 0; p < pixelsOf(shape); p++) {
    const from = view.at(p);
    into.set(view.data.subarray(from, from + channels), p * channels);
  }
  return into;
}

function scratchOf(bytes: number, fill: number): Scratch {
  const buffer = new ArrayBuffer(Math.ceil(bytes / 4) * 4);
  new Uint8Array(buffer).fill(fill);
  return scratchOver(buffer, 0, buffer.byteLength);
}

/** Views of a case's inputs; constants contiguous, others scattered. */
function inputViews(given: OperatorCase): (View | undefined)[] {
  return given.inputs.map((input) => {
    if (!input) return undefined;
    if (input.constant) return contiguousView(input.values, channelsOf(input.shape));
    return scatteredView(input.values, input.type, input.shape);
  });
}

function checkPieces<A extends Attributes>(
  def: OperatorDef<A>,
  given: OperatorCase,
  whole: TypedArray,
  random: Random,
): void {
  const ctx = contextFor(def, given);
  const [output] = ctx.outputs;
  const empty = allocate(output.dtype, elementCount(output.shape));
  const view = scatteredView(empty, output, output.shape);
  const kernel = completeKernel(ctx as OpContext);
  const bounds = cuts(random, pixelsOf(output.shape));
  const order = bounds.slice(1).map((_, i) => i);
  order.sort(() => random() - 0.5);
  for (const i of order) {
    kernel(
      inputViews(given),
      [view],
      bounds[i],
      bounds[i + 1],
      scratchOf(def.scratchBytes?.(ctx) ?? 0, 0x5a),
    );
  }
  expect(gather(view, output.shape, empty), `${def.kind} in pieces`).toEqual(whole);
}

/** Least range that covers each output pixel's need and moves only forward, from the needs one by one. */
export function monotoneRange(
  needs: readonly (readonly number[])[],
  pixels: number,
  lo: number,
  hi: number,
): PixelRange {
  let from = pixels;
  let end = 0;
  for (let p = lo; p < needs.length; p++) for (const q of needs[p]) from = Math.min(from, q);
  for (let p = 0; p < hi; p++) for (const q of needs[p]) end = Math.max(end, q + 1);
  return { lo: from, hi: end };
}

function checkReads<A extends Attributes>(
  def: OperatorDef<A>,
  given: OperatorCase,
  whole: TypedArray,
  random: Random,
): void {
  const ctx = contextFor(def, given);
  const [output] = ctx.outputs;
  const pixels = pixelsOf(output.shape);
  const channels = channelsOf(output.shape);
  const kernel = completeKernel(ctx as OpContext);
  const scratch = scratchOf(def.scratchBytes?.(ctx) ?? 0, 0xa5);
  const target = contiguousView(allocate(output.dtype, elementCount(output.shape)), channels);
  const bounds = cuts(random, pixels);
  given.inputs.forEach((input, index) => {
    if (!input || input.constant) return;
    const count = pixelsOf(input.shape);
    const read = (lo: number, hi: number) => def.reads?.(ctx, index, lo, hi) ?? { lo: 0, hi: count };
    const needs: number[][] = [];
    for (let p = 0; p < pixels; p++) {
      const asked = new Set<number>();
      const views = inputViews(given);
      const view = views[index]!;
      views[index] = {
        ...view,
        at: (q) => {
          if (!(q >= 0 && q < count)) throw new Error(`${def.kind} asks for pixel ${q} of ${count}`);
          asked.add(q);
          return view.at(q);
        },
      };
      kernel(views, [target], p, p + 1, scratch);
      needs.push([...asked]);
    }
    const runs: [number, number][] = needs.map((_, p) => [p, p + 1]);
    for (let i = 1; i < bounds.length; i++) runs.push([bounds[i - 1], bounds[i]]);
    runs.push([0, pixels]);
    for (const [lo, hi] of runs) {
      const found = read(lo, hi);
      if (def.reads) {
        expect(found, `${def.kind} reads(${lo}, ${hi}) of input ${index}`).toEqual(
          monotoneRange(needs, count, lo, hi),
        );
      }
      for (let p = lo; p < hi; p++) {
        for (const q of needs[p]) expect(q >= found.lo && q < found.hi, `${def.kind} needs ${q}`).toBe(true);
      }
      expectUntouchedBy(lo, hi, found, index);
    }
    const none = read(0, 0);
    expect(none.hi, 'an empty run needs nothing').toBeLessThanOrEqual(none.lo);
  });

  /** Other values outside the range named leave the run as it is. */
  function expectUntouchedBy(lo: number, hi: number, range: PixelRange, index: number): void {
    const input = given.inputs[index]!;
    const values = randomValues(random, input.type, input.values.length);
    const width = channelsOf(input.shape);
    const a = Math.min(values.length, range.lo * width);
    const b = Math.max(a, range.hi * width);
    values.set(input.values.subarray(a, b), a);
    const inputs = given.inputs.map((other, i) => (i === index ? { ...input, values } : other));
    kernel(inputViews({ ...given, inputs }), [target], lo, hi, scratch);
    expect(target.data.slice(lo * channels, hi * channels), `${def.kind} run ${lo}..${hi}`).toEqual(
      whole.slice(lo * channels, hi * channels),
    );
  }
}

/** The fold over random pieces equals the whole. State starts as rubbish; Infinite state means it cannot fold. */
function checkFold<A extends Attributes>(
  def: OperatorDef<A>,
  given: OperatorCase,
  whole: TypedArray,
  random: Random,
): void {
  const ctx = contextFor(def, given);
  const bytes = def.fold!.stateBytes(ctx);
  if (!Number.isFinite(bytes)) return;
  const [output] = ctx.outputs;
  const into = allocate(output.dtype, elementCount(output.shape));
  const view = scatteredView(into, output, output.shape);
  const state = scratchOf(bytes, 0xff);
  const step = completeFold(ctx as OpContext);
  const bounds = cuts(random, pixelsOf(given.inputs[0]!.shape));
  for (let i = 1; i < bounds.length; i++) step(inputViews(given), [view], bounds[i - 1], bounds[i], state);
  expect(gather(view, output.shape, into), `${def.kind} folded`).toEqual(whole);
}

function checkInPlace<A extends Attributes>(
  def: OperatorDef<A>,
  given: OperatorCase,
  whole: TypedArray,
): void {
  const ctx = contextFor(def, given);
  const [output] = ctx.outputs;
  for (const index of def.inPlace?.(ctx) ?? []) {
    const input = given.inputs[index]!;
    if (elementBytes(input.type) !== elementBytes(output)) continue;
    const values = input.values.slice();
    const over =
      output.dtype === input.type.dtype
        ? values
        : allocate(output.dtype, 0).constructor === values.constructor
          ? values
          : viewedAs(values, output);
    const views = inputViews(given);
    views[index] = contiguousView(values, channelsOf(input.shape));
    const scratch = scratchOf(def.scratchBytes?.(ctx) ?? 0, 0x33);
    const view = contiguousView(over, channelsOf(output.shape));
    completeKernel(ctx as OpContext)(views, [view], 0, pixelsOf(output.shape), scratch);
    expect(over.slice(0, whole.length), `${def.kind} over input ${index}`).toEqual(whole);
  }
}

function viewedAs(values: TypedArray, type: ElementType): TypedArray {
  const of = allocate(type.dtype, 0).constructor as new (
    b: ArrayBufferLike,
    o: number,
    n: number,
  ) => TypedArray;
  return new of(values.buffer, values.byteOffset, values.length);
}
