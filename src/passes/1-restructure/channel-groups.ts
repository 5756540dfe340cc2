/**
 * Channel groups: a third kind of tile, for inverted bottlenecks (a convolution that widens, operators channel by channel,
 * a convolution that narrows). The middle channels are cut into groups. Each group is widened and narrowed by itself, and
 * the results are added up: no pixel is computed twice, but the sums need an accumulator. Of int8 networks it has
 * 32 bits and is rounded once at the end, which is exact; float32 sums are added in another order.
 * Where a convolution is followed by operators channel by channel only (a global pooling, say), each group is a part of
 * the result by itself, and nothing is added up.
 */
import { ABSENT, type Graph, type Operator, type Tensor, type TensorId } from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Sheet } from './sheet.ts';

export interface ChannelChain {
  readonly widen: Operator;
  readonly each: readonly Operator[];
  readonly narrow: Operator;
  readonly middle: number;
}

/** The chain that these operators are; undefined where they are none. Nobody else may read what lies inside. */
export function channelChain(graph: Graph, ids: readonly number[]): ChannelChain | undefined {
  if (ids.length < 3) return undefined;
  const operators = ids.map((id) => graph.operators[id]);
  const linked = operators.every((op, i) => i === 0 || op.inputs[0] === operators[i - 1].outputs[0]);
  const [widen, narrow] = [operators[0], operators[operators.length - 1]];
  const each = operators.slice(1, -1);
  if (!linked || !isDense(graph, widen) || !isDense(graph, narrow)) return undefined;
  const middle = graph.tensors[widen.outputs[0]].shape[3];
  if (!each.every((op) => keepsChannels(graph, op, middle)) || hasChannelSteps(widen)) return undefined;
  const x = graph.tensors[narrow.inputs[0]];
  return x.dtype === 'i16' ? undefined : { widen, each, narrow, middle };
}

/** A convolution, and operators that make each channel from the same channel. */
export interface ChannelFan {
  readonly widen: Operator;
  readonly each: readonly Operator[];
  readonly middle: number;
}

/** The fan that these operators are; undefined where they are none. */
export function channelFan(graph: Graph, ids: readonly number[]): ChannelFan | undefined {
  const [widen, ...each] = ids.map((id) => graph.operators[id]);
  const linked = each.every((op, i) => op.inputs[0] === (i === 0 ? widen : each[i - 1]).outputs[0]);
  if (each.length === 0 || !linked || !isDense(graph, widen) || hasChannelSteps(widen)) return undefined;
  const middle = graph.tensors[widen.outputs[0]].shape[3];
  const apart = each.every((op) => keepsChannels(graph, op, middle) || isReduction(graph, op));
  return apart ? { widen, each, middle } : undefined;
}

/** Over rows and columns only. */
function isReduction(graph: Graph, op: Operator): boolean {
  const last = graph.tensors[op.inputs[0]].shape.length - 1;
  const { axes } = op.attrs as { axes?: readonly number[] };
  return op.kind.startsWith('Reduce') && axes !== undefined && !axes.includes(last) && !hasChannelSteps(op);
}

const weightsOf = (graph: Graph, op: Operator): Tensor | undefined =>
  op.inputs[1] === undefined || op.inputs[1] === ABSENT ? undefined : graph.tensors[op.inputs[1]];

function isDense(graph: Graph, op: Operator): boolean {
  return op.kind === 'Conv' && (op.attrs.groups ?? 1) === 1 && constantsOnly(graph, op);
}

const constantsOnly = (graph: Graph, op: Operator): boolean =>
  op.inputs.slice(1).every((t) => t === ABSENT || graph.tensors[t].constant !== undefined);

/** True where an epilogue differs from channel to channel. */
const hasChannelSteps = (op: Operator): boolean =>
  (op.epilogue ?? []).some(({ kind }) => definitionOf(kind).unary?.perChannel);

function keepsChannels(graph: Graph, op: Operator, channels: number): boolean {
  if (hasChannelSteps(op) || graph.tensors[op.outputs[0]].shape[3] !== channels) return false;
  if (op.kind === 'Conv') return op.attrs.groups === channels && constantsOnly(graph, op);
  if (op.kind === 'MaxPool' || op.kind === 'AveragePool') return true;
  const { unary } = definitionOf(op.kind);
  return unary !== undefined && !unary.perChannel;
}

/** Groups of channels `cuts[g]` to `cuts[g + 1]`, one after another, and the sum. */
export function writeGroups(graph: Graph, sheet: Sheet, chain: ChannelChain, cuts: readonly number[]): void {
  const { widen, each, narrow } = chain;
  const y = graph.tensors[narrow.outputs[0]];
  const exact = y.quant !== undefined;
  let sum: TensorId | undefined;
  for (let g = 0; g + 1 < cuts.length; g++) {
    const range = { from: cuts[g], count: cuts[g + 1] - cuts[g], label: `group${g}` };
    let x = widen.inputs[0];
    for (const op of [widen, ...each]) x = writeSome(graph, sheet, op, x, range);
    const type = exact ? ({ dtype: 'i32' } as const) : { dtype: y.dtype };
    const name = `${narrow.name}/${range.label}`;
    const part = sheet.tensor({ name, shape: y.shape, ...type });
    const w = inputPart(graph, sheet, narrow.inputs[1], range);
    const bias = narrow.inputs.slice(2, 3).filter(() => g === 0);
    const { epilogue: _after, ...plain } = narrow;
    sheet.add({ ...plain, name, inputs: [x, w, ...bias], outputs: [part] });
    sum =
      sum === undefined
        ? part
        : addUp(sheet, narrow, y, sum, part, range.label, !exact && g + 2 === cuts.length);
  }
  if (!exact) return;
  const xScale = graph.tensors[narrow.inputs[0]];
  const w = weightsOf(graph, narrow)!;
  sheet.add({
    ...narrow,
    kind: 'RequantizeSums',
    inputs: [sum!],
    attrs: {
      from: xScale.dtype,
      inputScale: xScale.quant?.scale[0] ?? 1,
      weightScales: w.quant?.scale ?? [1],
    },
  });
}

/** Groups of output channels one after another, each a part of the result. */
export function writeFan(
  graph: Graph,
  sheet: Sheet,
  { widen, each }: ChannelFan,
  cuts: readonly number[],
): void {
  const last = each[each.length - 1];
  const y = graph.tensors[last.outputs[0]];
  const parts = cuts.slice(1).map((end, g) => {
    const range = { from: cuts[g], count: end - cuts[g], label: `group${g}` };
    let x = widen.inputs[0];
    for (const op of [widen, ...each]) x = writeSome(graph, sheet, op, x, range);
    return x;
  });
  const attrs = { axis: y.shape.length - 1 };
  sheet.add({ name: `${last.name}/join`, kind: 'Concat', inputs: parts, outputs: [y.id], attrs });
}

/** The last sum of floats is the output, with what was done to it. */
function addUp(
  sheet: Sheet,
  narrow: Operator,
  y: Tensor,
  sum: TensorId,
  part: TensorId,
  label: string,
  last: boolean,
): TensorId {
  const name = `${narrow.name}/${label}/sum`;
  const out = last ? y.id : sheet.tensor({ name, shape: y.shape, dtype: sheet.at(sum).dtype });
  const epilogue = last && narrow.epilogue ? { epilogue: narrow.epilogue } : {};
  sheet.add({ name, kind: 'Add', inputs: [sum, part], outputs: [out], attrs: {}, ...epilogue });
  return out;
}

interface ChannelRange {
  readonly from: number;
  readonly count: number;
  readonly label: string;
}

/** Some of an operator's output channels: of its weights and bias the entries of these. */
function writeSome(graph: Graph, sheet: Sheet, op: Operator, x: TensorId, range: ChannelRange): TensorId {
  const t = graph.tensors[op.outputs[0]];
  const name = `${op.name}/${range.label}`;
  const id = sheet.like(t, name, [...t.shape.slice(0, -1), range.count]);
  const rest = op.inputs.slice(1).map((c) => (c === ABSENT ? c : outputPart(graph, sheet, c, range)));
  const depthwise = op.kind === 'Conv' && (op.attrs.groups ?? 1) !== 1;
  const attrs = depthwise ? { ...op.attrs, groups: range.count } : op.attrs;
  sheet.add({ ...op, name, inputs: [x, ...rest], outputs: [id], attrs });
  return id;
}

/** Entries [from, from + count) along the first axis. */
function outputPart(
  graph: Graph,
  sheet: Sheet,
  id: TensorId,
  { from, count, label }: ChannelRange,
): TensorId {
  const { shape, name } = graph.tensors[id];
  const starts = shape.map((_, k) => (k === 0 ? from : 0));
  return sheet.constantPart(id, `${name}/${label}`, starts, [count, ...shape.slice(1)]);
}

/** Entries along the last axis. */
function inputPart(graph: Graph, sheet: Sheet, id: TensorId, { from, count, label }: ChannelRange): TensorId {
  const { shape, name } = graph.tensors[id];
  const starts = shape.map((_, k) => (k === 3 ? from : 0));
  return sheet.constantPart(id, `${name}/${label}`, starts, [...shape.slice(0, 3), count]);
}
