/**
 * From an operator's sums to what it stores: the rounding of its dialect, then its epilogue. Both on scalars and on
 * vectors of neighbouring channels, so that a kernel applies them while the sums are still in registers.
 */
import { requantisationScale } from '../arithmetic/onnx.ts';
import { TidemarkError } from '../errors.ts';
import {
  channelsOf,
  type ElementType,
  type Epilogue,
  type Quantisation,
  type TypedArray,
} from '../graph/graph.ts';
import { coreOutputType } from '../ops/core-type.ts';
import type { OpContext } from '../ops/operator.ts';
import { fixedFactors } from '../ops/output-stage.ts';
import { definitionOf } from '../ops/registry.ts';
import { integerRange } from '../ops/stored.ts';
import { storedFunction } from '../ops/unary.ts';
import { clamp } from './arithmetic.ts';
import {
  add,
  and,
  convert,
  type Index,
  i32,
  i64,
  lane,
  load,
  mul,
  place,
  plus,
  shr,
  sub,
  times,
  vector,
} from './builder.ts';
import { channelData } from './channel-data.ts';
import { type Cell, type Expr, isVector, lanesOf, type Region, typeOf } from './ir.ts';
import type { Task } from './kernel.ts';
import { realUnary } from './real-unary.ts';
import { fixedStage, floatStage } from './requantise.ts';
import { cellOf } from './site.ts';
import { sumLimits } from './sum-limits.ts';

/** Maps a value (a scalar, or lanes of neighbouring channels from `channel` on). */
export type Finish = (value: Expr, channel: Index) => Expr;

const { fround } = Math;

const scaleOf = (quant: Quantisation | undefined, channel: number) =>
  quant ? quant.scale[quant.scale.length > 1 ? channel : 0] : 1;

/**
 * The stage after sums of products of input 0 and input 1 (src/ops/output-stage.ts), epilogue included. Sums are
 * i32 scalars or lanes, or i64 scalars where the input is int16.
 */
export function finishProducts(task: Task, channels: number): Finish {
  const { ctx } = task;
  const after = epilogue(task);
  const output = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  if (ctx.inputs[0]!.dtype === 'f32') return after;
  if (output.dtype === 'i32' || !output.quant)
    return (sum, c) => after(sum.type === 'i64' ? convert('i32', sum) : sum, c);
  const stage = stageOf(task, output, channels);
  return (sum, c) => after(task.b.let('q', stage(sum, c)), c);
}

function stageOf(task: Task, output: ElementType, channels: number): Finish {
  const { ctx } = task;
  const [least, greatest] = integerRange(output.dtype);
  const zero = output.quant!.zeroPoint[0];
  const x = ctx.inputs[0]!;
  const w = ctx.inputs[1]!;
  const sx = fround(scaleOf(x.quant, 0));
  const sy = fround(output.quant!.scale[0]);
  const name = ctx.op.name;
  if (ctx.dialect === 'onnx') {
    const scales = Float32Array.from({ length: channels }, (_, c) =>
      requantisationScale(sx, scaleOf(w.quant, c), sy),
    );
    const stage = floatStage(task, name, scales, { zero, least, greatest });
    return (sum, c) => {
      if (sum.type === 'i64') throw unsupported(ctx, 'int16 activations in ONNX');
      return stage(sum, c);
    };
  }
  const fixed = fixedFactors(ctx.op.kind, x, w, output, channels);
  if (x.dtype === 'i16') return wideStage(task, fixed, zero, least, greatest);
  return fixedStage(task, name, fixed, { zero, least, greatest }, sumLimits(task, channels));
}

/** Sums of int16 activations: 64 bits, one rounding (src/arithmetic/tflite-wide.ts). */
function wideStage(
  task: Task,
  fixed: readonly { readonly multiplier: number; readonly shift: number }[],
  zero: number,
  least: number,
  greatest: number,
): Finish {
  const { name } = task.ctx.op;
  const reduced = Int32Array.from(fixed, ({ multiplier }) =>
    multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff,
  );
  const factor = channelData(task, `${name} multipliers`, reduced);
  const shift = channelData(
    task,
    `${name} shifts`,
    Int32Array.from(fixed, (m) => 15 - m.shift),
  );
  return (sum, c) => {
    const total = task.b.let('total', convert('i64', shift('i32', c)));
    const product = mul(sum, convert('i64', factor('i32', c)));
    const half: Expr = {
      kind: 'binary',
      type: 'i64',
      op: 'shl',
      a: i64(1),
      b: sub(total, i64(1)),
    };
    const q = convert('i32', shr(add(product, half), total));
    return clamp(add(q, i32(zero)), least, greatest);
  };
}

export function unsupported({ op }: OpContext, what: string): TidemarkError {
  return new TidemarkError(
    'operator-unsupported',
    `${op.kind} ${op.name}: ${what} cannot be emitted yet; run it with --backend reference`,
  );
}

/** What the fused steps after an operator do to a value that it would store. */
export function epilogue(task: Task): Finish {
  const { ctx } = task;
  const steps = ctx.op.epilogue;
  if (!steps || steps.length === 0) return (x) => x;
  return stepsOf(task, steps);
}

/** Steps of stored values, one after another. */
export function stepsOf(task: Task, steps: readonly Epilogue[]): Finish {
  const { ctx } = task;
  const [first] = steps;
  const last = steps[steps.length - 1];
  if (first.from.dtype === 'f32' && last.to.dtype === 'f32') {
    const each = steps.map((s) => realUnary(task, s.kind, s.attrs));
    return (x, c) => each.reduce((v, f) => task.b.let('v', f(v, c)), x);
  }
  if (first.from.dtype === 'i32' || first.from.dtype === 'f32')
    throw unsupported(ctx, `a fused ${first.kind} from ${first.from.dtype} to ${last.to.dtype}`);
  const functions = steps.map((s) =>
    storedFunction(definitionOf(s.kind).unary!, s.attrs, s.from, s.to, ctx.dialect),
  );
  const whole = (q: number, c: number) => functions.reduce((v, f) => f(v, c), q);
  return tabled(
    task,
    first.from,
    last.to,
    whole,
    steps.some(isChannelwise) ? channelsOf(ctx.outputs[0].shape) : 1,
  );
}

const many = (t: ElementType) => t.quant !== undefined && t.quant.scale.length > 1;

/** True where a step is another function in each channel. */
export function isChannelwise(s: Pick<Epilogue, 'kind' | 'from' | 'to'>): boolean {
  return definitionOf(s.kind).unary?.perChannel === true || many(s.from) || many(s.to);
}

/**
 * A function of one stored integer of 8 or 16 bits: a clamp where it is one, else a table, or a table for each of
 * the channels.
 */
export function tabled(
  task: Task,
  from: ElementType,
  to: ElementType,
  f: (q: number, channel: number) => number,
  channels = 1,
): Finish {
  const [least, greatest] = from.dtype === 'bool' ? [0, 255] : integerRange(from.dtype);
  const entries = greatest - least + 1;
  const cell = cellOf(to);
  const table = arrayOf(cell, entries * channels);
  const [lo, hi] = [f(least, 0), f(greatest, 0)];
  let isClamp = from.dtype === to.dtype;
  for (let c = 0; c < channels; c++) {
    for (let q = least; q <= greatest; q++) {
      const v = f(q, c);
      table[c * entries + (q & (entries - 1))] = v;
      isClamp &&= v === Math.min(hi, Math.max(lo, q));
    }
  }
  if (isClamp) {
    if (lo === least && hi === greatest) return (x) => x;
    return (x) => clamp(x, lo, hi);
  }
  const region: Region = task.module.constant(`${task.ctx.op.name} table`, table);
  const scalar = cell === 'f32' ? 'f32' : 'i32';
  const one = (q: Expr, c: Index) => {
    const entry = convert('index', and(q, i32(entries - 1)));
    const at = channels > 1 ? plus(times(c, entries), entry) : entry;
    return load(scalar, cell, place(region, times(at, table.BYTES_PER_ELEMENT)));
  };
  return (x, c) => {
    if (!isVector(x.type)) return one(x, c);
    const v = task.b.let('q', x);
    const lanes = lanesOf(v.type);
    return vector(
      typeOf(scalar, lanes),
      Array.from({ length: lanes }, (_, i) => one(lane(v, i), plus(c, i))),
    );
  };
}

function arrayOf(cell: Cell, length: number): TypedArray {
  switch (cell) {
    case 'f32':
      return new Float32Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'i16':
      return new Int16Array(length);
    case 'i8':
      return new Int8Array(length);
    default:
      return new Uint8Array(length);
  }
}
