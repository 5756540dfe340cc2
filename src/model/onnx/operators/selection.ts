/** Operators that put values together or take parts of them, in whatever order of axes they lie. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount } from '../../../graph/graph.ts';
import {
  axisIn,
  broadcastShape,
  emit,
  type Importer,
  input,
  integers,
  type NodeContext,
  orderFor,
  placed,
  placedList,
  quantisedAs,
  refuse,
  singleNumber,
} from '../node-context.ts';
import { liesIn, place, reshaped, type Value } from '../value.ts';
import { channelSlice } from './channel-slice.ts';

const concat: Importer = (c) => {
  const values = c.inputs.filter((v): v is Value => v !== undefined);
  const rank = input(c, 0).shape.length;
  const axis = axisIn(c.attrs.int('axis', 1), rank);
  if (values.some((v) => v.shape.length !== rank))
    throw new TidemarkError('shape-mismatch', 'the inputs differ in rank');
  const parts = values.filter((v) => v.shape[axis] > 0);
  if (parts.length === 0) return [values[0]];
  if (parts.length === 1) return [parts[0]];
  const order = orderFor(parts, rank);
  const tensors = asStored(c, parts).map((v) => place(c.b, v, order));
  return [emit(c, 'Concat', tensors, { axis: placed(axis, rank, order) }, { order, type: values[0].type })];
};

/** Bytes are put together as they are: where some are read as quantised, all are read so in the same way. */
function asStored(c: NodeContext, parts: readonly Value[]): Value[] {
  if (parts.some((v) => v.type.dtype === 'f32')) return [...parts];
  const quant = parts
    .map((v) => (v.source.unmade ? undefined : v.source.tensor.quant))
    .find((q) => q?.scale.length === 1);
  return quant ? parts.map((v) => quantisedAs(c, v, quant.scale, quant.zeroPoint)) : [...parts];
}

/** Part of a value: `starts`, `steps`, `sizes` by the file's axes. */
export function sliced(
  c: NodeContext,
  x: Value,
  starts: number[],
  steps: number[],
  sizes: number[],
  output: number | string,
): Value {
  if (sizes.every((s, i) => s === x.shape[i]) && steps.every((s) => s === 1)) return x;
  const cut = [...x.shape.keys()].filter((i) => sizes[i] !== x.shape[i] || steps[i] !== 1);
  if (output === 0 && cut.length === 1 && sizes[cut[0]] > 0 && !liesIn(x, 'file') && !liesIn(x, 'last')) {
    const [axis] = cut;
    const channels = channelSlice(c, x, axis, starts[axis], steps[axis], sizes[axis]);
    if (channels) return channels;
  }
  const order = orderFor([x], x.shape.length);
  const attrs = {
    starts: placedList(starts, order),
    steps: placedList(steps, order),
    sizes: placedList(sizes, order),
  };
  return emit(c, 'Slice', [place(c.b, x, order)], attrs, { order, type: x.type, output });
}

const slice: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const from = integers(c, 'starts', 1) ?? [];
  const to = integers(c, 'ends', 2) ?? [];
  const axes = (integers(c, 'axes', 3) ?? [...from.keys()]).map((a) => axisIn(a, rank));
  const by = integers(c, 'steps', 4) ?? from.map(() => 1);
  if (
    to.length !== from.length ||
    axes.length !== from.length ||
    by.length !== from.length ||
    by.includes(0)
  ) {
    throw new TidemarkError(
      'operator-invalid',
      `starts [${from}], ends [${to}], axes [${axes}], steps [${by}] do not belong together`,
    );
  }
  const starts = x.shape.map(() => 0);
  const steps = x.shape.map(() => 1);
  const sizes = [...x.shape];
  for (const [i, axis] of axes.entries()) {
    const d = x.shape[axis];
    const step = by[i];
    const clamp = (v: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, v < 0 ? v + d : v));
    const start = step > 0 ? clamp(from[i], 0, d) : clamp(from[i], 0, d - 1);
    const end = step > 0 ? clamp(to[i], 0, d) : clamp(to[i], -1, d - 1);
    starts[axis] = start;
    steps[axis] = step;
    sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
  }
  return [sliced(c, x, starts, steps, sizes, 0)];
};

const split: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const axis = axisIn(c.attrs.int('axis', 0), rank);
  const count = c.outputs.length;
  const each = Math.ceil(x.shape[axis] / c.attrs.int('num_outputs', count));
  const even = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, x.shape[axis] - i * each)));
  const parts = integers(c, 'split', 1) ?? even;
  if (
    parts.reduce((a, b) => a + b, 0) !== x.shape[axis] ||
    parts.length !== count ||
    parts.some((p) => p < 0)
  ) {
    throw new TidemarkError(
      'shape-mismatch',
      `parts [${parts}] do not make up axis ${axis} of shape [${x.shape}] in ${count} outputs`,
    );
  }
  let start = 0;
  return parts.map((size, i) => {
    const at = start;
    start += size;
    return sliced(
      c,
      x,
      x.shape.map((_, a) => (a === axis ? at : 0)),
      x.shape.map(() => 1),
      x.shape.map((d, a) => (a === axis ? size : d)),
      i,
    );
  });
};

const pad: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const mode = c.attrs.string('mode', 'constant');
  const pads = c.opset < 11 ? (c.attrs.ints('pads') ?? c.attrs.ints('paddings')) : integers(c, 'pads', 1);
  const axes = (c.opset >= 18 && integers(c, '', 3)?.map((a) => axisIn(a, rank))) || [...x.shape.keys()];
  if (!pads) throw new TidemarkError('operator-invalid', `pads are missing: ${2 * rank} numbers are needed`);
  if (pads.length !== 2 * axes.length)
    throw new TidemarkError('operator-invalid', `pads [${pads}] do not fit rank ${rank}`);
  if (!['constant', 'edge', 'reflect'].includes(mode)) refuse(`Pad with mode ${mode} is not supported`);
  const value = (c.opset < 11 ? c.attrs.float('value', 0) : singleNumber(c, 2, 'the pad value')) ?? 0;
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads[i];
    after[axis] = pads[i + axes.length];
  }
  // Negative pads cut: what is left is padded.
  const cut = (list: number[]) => list.map((p) => Math.max(0, -p));
  const grown = (list: number[]) => list.map((p) => Math.max(0, p));
  const sizes = x.shape.map((d, i) => d - cut(before)[i] - cut(after)[i]);
  const padded = [...before, ...after].some((p) => p > 0);
  const kept = sliced(
    c,
    x,
    cut(before),
    x.shape.map(() => 1),
    sizes,
    padded ? 'cut' : 0,
  );
  if (!padded) return [kept];
  const order = orderFor([kept], rank);
  const attrs = {
    before: placedList(grown(before), order),
    after: placedList(grown(after), order),
    mode,
    value,
  };
  return [emit(c, 'Pad', [place(c.b, kept, order)], attrs, { order, type: x.type })];
};

const expand: Importer = (c) => {
  const x = input(c, 0);
  const wanted = integers(c, 'shape', 1) ?? [];
  const shape = broadcastShape([x.shape, wanted]);
  const same = reshaped(c.b, x, [...new Array(shape.length - x.shape.length).fill(1), ...x.shape]);
  if (elementCount(shape) === elementCount(x.shape)) return [same];
  const order = orderFor([same], shape.length);
  return [
    emit(
      c,
      'Expand',
      [place(c.b, same, order)],
      { shape: placedList(shape, order) },
      { order, type: x.type },
    ),
  ];
};

const tile: Importer = (c) => {
  const x = input(c, 0);
  let repeats = integers(c, 'repeats', 1) ?? [];
  if (c.opset < 6) {
    const axis = singleNumber(c, 2, 'axis') ?? 0;
    repeats = x.shape.map((_, i) => (i === axis ? repeats[0] : 1));
  }
  if (repeats.length !== x.shape.length)
    throw new TidemarkError('operator-invalid', `repeats [${repeats}] do not fit shape [${x.shape}]`);
  if (repeats.every((r) => r === 1)) return [x];
  const order = orderFor([x], x.shape.length);
  return [
    emit(c, 'Tile', [place(c.b, x, order)], { repeats: placedList(repeats, order) }, { order, type: x.type }),
  ];
};

export const selectionImporters: Record<string, Importer> = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Pad: pad,
  Expand: expand,
  Tile: tile,
};
