/** Reductions over axes. The kept form is computed; dropping the axes is a view. */
import type { Attributes } from '../../../graph/graph.ts';
import { type FileType, fileTypeNamed } from '../element-type.ts';
import {
  axisIn,
  combined,
  emit,
  type Importer,
  input,
  integers,
  mapped,
  type NodeContext,
  orderFor,
  placed,
} from '../node-context.ts';
import { place, reshaped, type Value } from '../value.ts';

/** Reduces over axes of the file and drops them if asked. */
function reduce(
  c: NodeContext,
  kind: string,
  x: Value,
  axes: readonly number[],
  attrs: (axes: number[]) => Attributes,
  { keep, type = x.type, output = 0 }: { keep: boolean; type?: FileType; output?: number | string },
): Value {
  const rank = x.shape.length;
  const order = orderFor([x], rank);
  const places = axes.map((axis) => placed(axis, rank, order)).sort((a, b) => a - b);
  const made = emit(c, kind, [place(c.b, x, order)], attrs(places), { order, type, output });
  return keep
    ? made
    : reshaped(
        c.b,
        made,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
}

type Step = (c: NodeContext, x: Value) => Value;
const square: Step = (c, x) => combined(c, 'Mul', [x, x], {}, { output: 'squares' });
const magnitude: Step = (c, x) => mapped(c, 'Abs', x, {}, { output: 'magnitudes' });
const exponential: Step = (c, x) => mapped(c, 'Exp', x, {}, { output: 'exponentials' });
const logarithm: Step = (c, x) => mapped(c, 'Log', x);

function reduction(kind: string, before?: Step, after?: Step): Importer {
  return (c) => {
    const x = input(c, 0);
    const rank = x.shape.length;
    const given = integers(c, 'axes', 1) ?? [];
    if (given.length === 0 && c.attrs.int('noop_with_empty_axes', 0) !== 0) return [x];
    if (rank === 0) return [x];
    const axes = given.length > 0 ? [...new Set(given.map((a) => axisIn(a, rank)))] : [...x.shape.keys()];
    const keep = c.attrs.int('keepdims', 1) === 1;
    const start = before ? before(c, x) : x;
    const sum = reduce(c, kind, start, axes, (places) => ({ axes: places, keepDims: true }), {
      keep,
      output: after ? 'sum' : 0,
    });
    return [after ? after(c, sum) : sum];
  };
}

function argument(kind: 'ArgMax' | 'ArgMin'): Importer {
  return (c) => {
    const x = input(c, 0);
    const axis = axisIn(c.attrs.int('axis', 0), x.shape.length);
    const selectLast = c.attrs.int('select_last_index', 0) !== 0;
    const keep = c.attrs.int('keepdims', 1) === 1;
    return [
      reduce(c, kind, x, [axis], ([place]) => ({ axis: place, keepDims: true, selectLast }), {
        keep,
        type: fileTypeNamed('i64'),
      }),
    ];
  };
}

export const reductionImporters: Record<string, Importer> = {
  ReduceMean: reduction('ReduceMean'),
  ReduceSum: reduction('ReduceSum'),
  ReduceMax: reduction('ReduceMax'),
  ReduceMin: reduction('ReduceMin'),
  ReduceProd: reduction('ReduceProd'),
  ReduceL2: reduction('ReduceL2'),
  ReduceL1: reduction('ReduceSum', magnitude),
  ReduceSumSquare: reduction('ReduceSum', square),
  ReduceLogSum: reduction('ReduceSum', undefined, logarithm),
  ReduceLogSumExp: reduction('ReduceSum', exponential, logarithm),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
};
