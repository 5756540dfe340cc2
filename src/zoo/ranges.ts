/** Ranges of real values that a graph's tensors take: what quantisation needs to know of them. */
import type { Graph, Operator, TensorId } from '../graph/graph.ts';
import { keepsValues } from './quantisable.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** By tensor, and for operators with an epilogue also what each of its steps is given. */
export interface Ranges {
  readonly tensors: ReadonlyMap<TensorId, Range>;
  /** By operator id, one entry a step. */
  readonly steps: ReadonlyMap<number, readonly Range[]>;
}

export function union(a: Range | undefined, b: Range): Range {
  return a ? { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) } : b;
}

/** Least and greatest finite value; 0 to 0 where there is none. */
export function rangeOf(values: ArrayLike<number>): Range {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v < min && v > Number.NEGATIVE_INFINITY) min = v;
    if (v > max && v < Number.POSITIVE_INFINITY) max = v;
  }
  return min <= max ? { min, max } : { min: 0, max: 0 };
}

/**
 * Plausible ranges without a run: what a clip allows, what the inputs have where values are kept or averaged, else -4 to 4. So what
 * is rectified is never below 0, as after a run, and the same clips vanish when the graph is normalised.
 */
export function placeholderRanges(graph: Graph): Ranges {
  const tensors = new Map<TensorId, Range>();
  const steps = new Map<number, readonly Range[]>();
  for (const port of graph.inputs) tensors.set(port.tensor, { min: -2, max: 2 });
  for (const op of graph.operators) {
    const range = typical(op, tensors);
    for (const t of op.outputs) tensors.set(t, range);
    if (op.epilogue)
      steps.set(
        op.id,
        op.epilogue.map(() => ({ min: -4, max: 4 })),
      );
  }
  return { tensors, steps };
}

function typical(op: Operator, known: ReadonlyMap<TensorId, Range>): Range {
  const { epilogue } = op;
  const last = epilogue?.[epilogue.length - 1];
  if (last?.kind === 'Clip')
    return { min: Math.max(-4, Number(last.attrs.min ?? -4)), max: Math.min(4, Number(last.attrs.max ?? 4)) };
  const within = keepsValues(op) || op.kind === 'AveragePool' || op.kind === 'ReduceMean';
  const given = within && !epilogue?.length ? op.inputs.flatMap((id) => known.get(id) ?? []) : [];
  return given.length > 0 ? given.reduce(union) : { min: -4, max: 4 };
}
