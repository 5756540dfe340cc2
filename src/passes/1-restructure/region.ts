/** The border of a region: what comes in from outside, and the one tensor that goes out. */
import { ABSENT, consumers, type Graph, type Operator, type TensorId } from '../../graph/graph.ts';

/** Who reads each tensor, and which tensors the outside sees; made once a graph. */
export interface Uses {
  readonly readers: readonly (readonly Operator[])[];
  readonly shown: ReadonlySet<TensorId>;
}

export function usesOf(graph: Graph): Uses {
  return { readers: consumers(graph), shown: new Set(graph.outputs.map((p) => p.tensor)) };
}

/** Tensors made by these operators that others read or the outside sees. */
export function outputsOf(graph: Graph, uses: Uses, ids: readonly number[]): TensorId[] {
  const inside = new Set(ids);
  return ids.flatMap((id) =>
    graph.operators[id].outputs.filter(
      (t) => uses.shown.has(t) || uses.readers[t].some((reader) => !inside.has(reader.id)),
    ),
  );
}

/** Tensors that come in, constants left out, each once. */
export function inputsOf(graph: Graph, ids: readonly number[]): TensorId[] {
  const made = new Set(ids.flatMap((id) => graph.operators[id].outputs));
  const found = new Set<TensorId>();
  for (const id of ids) {
    for (const t of graph.operators[id].inputs) {
      if (t !== ABSENT && !made.has(t) && !graph.tensors[t].constant) found.add(t);
    }
  }
  return [...found];
}
