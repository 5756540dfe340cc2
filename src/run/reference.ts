/**
 * Runs a graph operator by operator on whole tensors, outside any plan: what every plan's result is compared
 * with. Values go in and come out in the file's order of axes.
 */
import { TidemarkError } from '../errors.ts';
import { allocate, elementCount, type Graph, type Port, type TypedArray } from '../graph/graph.ts';
import { evaluate } from '../ops/evaluate.ts';
import { contextOf } from '../ops/registry.ts';

export interface ReferenceOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Element type in the file. */
  readonly dtype: string;
  readonly values: TypedArray;
}

/** Values of a port in the file's order of axes, as the graph wants them. */
export function toGraphLayout(port: Port, values: TypedArray): TypedArray {
  return port.perm ? permuted(values, port.shape, port.perm) : values;
}

/** Values of a port's tensor, in the file's order of axes. */
export function fromGraphLayout(port: Port, values: TypedArray): TypedArray {
  if (!port.perm) return values;
  const { perm, shape } = port;
  return permuted(
    values,
    perm.map((axis) => shape[axis]),
    perm.map((_, axis) => perm.indexOf(axis)),
  );
}

/** Dimension perm[j] comes at place j. */
function permuted(values: TypedArray, shape: readonly number[], perm: readonly number[]): TypedArray {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const sizes = perm.map((axis) => shape[axis]);
  const steps = perm.map((axis) => strides[axis]);
  const out = values.slice();
  const index = sizes.map(() => 0);
  let from = 0;
  for (let o = 0; o < out.length; o++) {
    out[o] = values[from];
    for (let d = sizes.length - 1; d >= 0; d--) {
      from += steps[d];
      if (++index[d] < sizes[d]) break;
      from -= steps[d] * sizes[d];
      index[d] = 0;
    }
  }
  return out;
}

/**
 * `inputs[i]` belongs to port i, in the file's order. Gives the outputs in the order of the ports. `watch` sees every
 * operator's results before others read them, and may change them.
 */
export function runReference(
  graph: Graph,
  inputs: readonly ArrayLike<number>[],
  watch?: (results: readonly TypedArray[]) => void,
): ReferenceOutput[] {
  const values: (TypedArray | undefined)[] = new Array(graph.tensors.length).fill(undefined);
  const uses = usesOf(graph);
  for (const [i, port] of graph.inputs.entries()) {
    const { dtype } = graph.tensors[port.tensor];
    const given = inputs[i];
    if (given?.length !== elementCount(port.shape)) {
      throw new TidemarkError(
        'input-invalid',
        `input ${port.name} of shape [${port.shape}] needs ${elementCount(port.shape)} values, it got ${given?.length ?? 0}`,
      );
    }
    const stored = allocate(dtype, given.length);
    stored.set(given);
    values[port.tensor] = toGraphLayout(port, stored);
  }
  const known = (id: number) => values[id] ?? graph.tensors[id].constant?.load();
  for (const op of graph.operators) {
    const results = evaluate(
      contextOf(graph, op),
      op.inputs.map((id) => (id < 0 ? undefined : known(id))),
    );
    watch?.(results);
    for (const [i, id] of op.outputs.entries()) values[id] = results[i];
    for (const id of op.inputs) if (id >= 0 && --uses[id] === 0) values[id] = undefined;
  }
  return graph.outputs.map((port) => ({
    name: port.name,
    shape: port.shape,
    dtype: port.dtype,
    values: fromGraphLayout(port, known(port.tensor)!),
  }));
}

/** How often each tensor is still to be read; outputs are read once more at the end. */
function usesOf(graph: Graph): number[] {
  const uses: number[] = new Array(graph.tensors.length).fill(0);
  for (const op of graph.operators) for (const id of op.inputs) if (id >= 0) uses[id]++;
  for (const port of graph.outputs) uses[port.tensor]++;
  return uses;
}
