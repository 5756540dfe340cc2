/** Conv with one input and one output channel a group: lanes are channels, and each tap is one product. */
import type { TypedArray } from '../../graph/graph.ts';
import { weightZeros } from '../../ops/weight-zeros.ts';
import type { Window } from '../../ops/window.ts';
import {
  add,
  i32,
  known,
  load,
  mul,
  mulAdd,
  place,
  plus,
  splat,
  sub,
  times,
  type Variable,
} from '../builder.ts';
import { channelData } from '../channel-data.ts';
import { type ChannelCuts, overWindows, type WindowBlock } from '../channel-windows.ts';
import { constantValues, siteOf } from '../constants.ts';
import { finishProducts } from '../finish.ts';
import { type Cell, cellBytes, type Place, type Type, typeOf } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { rowBiases, rowRange } from '../row-biases.ts';
import { elementAt } from '../site.ts';
import { addTapsInPairs, PAIR_CHANNELS } from './depthwise-pairs.ts';
import { addTapsInWords, WORD_CHANNELS } from './depthwise-words.ts';

export function writeDepthwise(task: Task, window: Window): void {
  const { b, ctx } = task;
  const site = siteOf(task, 0);
  const [to] = task.outputs;
  const { channels } = to;
  const float = ctx.inputs[0]!.dtype === 'f32';
  const zero = float ? 0 : (ctx.inputs[0]!.quant?.zeroPoint[0] ?? 0);
  const across = window.x.taps;
  const taps = window.y.taps * across;
  const values = differences(task);
  const cell: Cell = float ? 'f32' : values.every((v) => v >= -128 && v <= 127) ? 'i8' : 'i16';
  const size = cellBytes(cell);
  const source = ctx.inputs[1]!.constant!.load();
  const packed = () =>
    task.module.packed(`${ctx.op.name} weights`, source, `depthwise ${cell}`, () =>
      byTap(values, channels, taps, cell),
    );
  const given = ctx.inputs[2] ? constantValues(ctx, 2) : new Float32Array(channels);
  const starts = float ? Float32Array.from(given) : Int32Array.from(given);
  const bias = channelData(task, `${ctx.op.name} bias`, starts);
  const finish = finishProducts(task, channels);

  const product = (sum: Variable, at: Place, weight: Place, type: Type, zero: number) => {
    const w = load(type, cell, weight);
    if (float) return b.set(sum, mulAdd(load(type, 'f32', at), w, sum));
    const x = load(type, site.cell, at);
    const centred = zero === 0 ? x : sub(x, splat(type, i32(zero)));
    return b.set(sum, add(sum, mul(centred, w)));
  };

  const inWords = !float && task.machine.dots === 4 && channels >= WORD_CHANNELS;
  const cuts = inWords
    ? WORD_CUTS
    : task.machine.dots === 16
      ? VECTOR_CUTS
      : !float && task.machine.interleaves && channels >= PAIR_CHANNELS
        ? PAIR_CUTS
        : undefined;
  const pairs = { values, channels, down: window.y.taps, across, cell };
  /** Biases less what the zero point adds, where windows are cut by no side. */
  const biasesOf = ({ ky, kx }: WindowBlock) => {
    if (known(kx.from) !== 0 || known(kx.to) !== across) return undefined;
    const rowsBefore = (row: number, c: number) => {
      let sum = 0;
      for (let t = 0; t < row * across; t++) sum += values[c * taps + t];
      return sum * zero;
    };
    return rowBiases(task, starts, rowsBefore, channels, rowRange(window.y, ky));
  };
  const writeBlock = (block: WindowBlock) => {
    const together = cuts !== undefined && block.vectors === 1 && block.lanes > 1;
    const { first } = block;
    const lanes = together ? task.machine.lanes : block.lanes;
    const vectors = together ? block.lanes / lanes : block.vectors;
    const type = typeOf(float ? 'f32' : 'i32', lanes);
    const channel = (v: number) => plus(first, v * lanes);
    const byRows = task.machine.dots && !float && zero !== 0 ? biasesOf(block) : undefined;
    const sums = Array.from({ length: block.count }, (_, j) =>
      Array.from({ length: vectors }, (_, v) =>
        b.variable(`s${j}_${v}`, byRows ? byRows(channel(v), type) : bias(type, channel(v))),
      ),
    );
    if (together && inWords) addTapsInWords(task, block, pairs, byRows ? 0 : zero, sums);
    else if (together && block.lanes === PAIR_CHANNELS) addTapsInPairs(task, block, pairs, zero, sums);
    else addTaps(block, sums, lanes, type, byRows ? 0 : zero);
    sums.forEach((line, j) => {
      const address = block.address(j);
      line.forEach((sum, v) => {
        b.store(to.cell, elementAt(to, address, channel(v)), finish(sum, channel(v)));
      });
    });
  };

  const addTaps = (
    block: WindowBlock,
    sums: readonly (readonly Variable[])[],
    lanes: number,
    type: Type,
    zero: number,
  ) => {
    const channel = (v: number) => plus(block.first, v * lanes);
    block.overTaps((ky, kx, at) => {
      const tap = plus(times(ky, across), kx);
      const weights = b.let('w', times(plus(times(tap, channels), block.first), size));
      sums.forEach((line, j) => {
        const from = at(j);
        line.forEach((sum, v) => {
          const weight = place(packed(), plus(weights, v * lanes * size));
          product(sum, elementAt(site, from, channel(v)), weight, type, zero);
        });
      });
    });
  };

  overWindows(task, window, writeBlock, cuts);
}

/** Eight channels at a time; what is left as without pairs. */
const PAIR_CUTS: ChannelCuts = [
  [1, PAIR_CHANNELS],
  [1, 4],
  [1, 1],
];

/** Few vectors, so that two pixels fit beside each other. */
const VECTOR_CUTS: ChannelCuts = [
  [2, 4],
  [1, 4],
  [1, 1],
];

/** A word of four channels at a time. */
const WORD_CUTS: ChannelCuts = [
  [1, WORD_CHANNELS],
  [1, 1],
];

/** [channel][tap] as [tap][channel]. */
function byTap(values: TypedArray, channels: number, taps: number, cell: Cell): TypedArray {
  const length = taps * channels;
  const out =
    cell === 'f32'
      ? new Float32Array(length)
      : cell === 'i8'
        ? new Int8Array(length)
        : new Int16Array(length);
  for (let t = 0; t < taps; t++)
    for (let c = 0; c < channels; c++) out[t * channels + c] = values[c * taps + t];
  return out;
}

/** Weights less their zero points, [channel][tap]. */
function differences({ ctx }: Task): TypedArray {
  const w = ctx.inputs[1]!;
  const values = constantValues(ctx, 1);
  const channels = w.shape[0];
  const zeros = weightZeros(w, channels);
  if (w.dtype === 'f32' || zeros.every((z) => z === 0)) return values;
  const taps = values.length / channels;
  return Int16Array.from(values as ArrayLike<number>, (v, i) => v - zeros[Math.floor(i / taps)]);
}
