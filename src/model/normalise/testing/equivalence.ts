/**
 * Runs a graph layer by layer as the outside sees it, and checks that passes keep what it computes. For tests.
 */
import { expect } from 'vitest';
import { elementCount, type Graph, type Port, type TypedArray } from '../../../graph/graph.ts';
import { evaluate } from '../../../ops/evaluate.ts';
import { contextOf } from '../../../ops/registry.ts';
import { randomValues, seeded } from '../../../ops/testing/operator-case.ts';
import { normalise } from '../normalise.ts';
import { validate } from '../validate.ts';

/** Values by port name, in the port's own order of dimensions. */
export type PortValues = ReadonlyMap<string, TypedArray>;

/** Random inputs for a graph. */
export function randomInputs(graph: Graph, seed: number): PortValues {
  const random = seeded(seed);
  return new Map(
    graph.inputs.map((p) => [p.name, randomValues(random, graph.tensors[p.tensor], elementCount(p.shape))]),
  );
}

export function runGraph(graph: Graph, inputs: PortValues): PortValues {
  const values: (TypedArray | undefined)[] = graph.tensors.map((t) => t.constant?.load());
  for (const p of graph.inputs) values[p.tensor] = permuted(inputs.get(p.name)!, p, true);
  for (const op of graph.operators) {
    const results = evaluate(
      contextOf(graph, op),
      op.inputs.map((t) => (t < 0 ? undefined : values[t])),
    );
    op.outputs.forEach((t, i) => {
      values[t] = results[i];
    });
  }
  return new Map(graph.outputs.map((p) => [p.name, permuted(values[p.tensor]!, p, false)]));
}

/** Between the order of a port's dimensions and its tensor's. */
function permuted(values: TypedArray, { shape, perm }: Port, inwards: boolean): TypedArray {
  if (!perm) return values;
  const strides = shape.map((_, i) => elementCount(shape.slice(i + 1)));
  const inner = perm.map((axis) => shape[axis]);
  const result = values.slice();
  for (let e = 0; e < values.length; e++) {
    let rest = e;
    let outside = 0;
    for (let j = inner.length - 1; j >= 0; j--) {
      outside += (rest % inner[j]) * strides[perm[j]];
      rest = Math.floor(rest / inner[j]);
    }
    if (inwards) result[e] = values[outside];
    else result[outside] = values[e];
  }
  return result;
}

/** Greatest difference between two runs, relative to the greatest magnitude of each output. */
export function difference(a: PortValues, b: PortValues): number {
  let worst = 0;
  for (const [name, x] of a) {
    const y = b.get(name)!;
    let range = 0;
    let apart = 0;
    for (let i = 0; i < x.length; i++) {
      range = Math.max(range, Math.abs(x[i]));
      const d = Math.abs(x[i] - y[i]);
      apart = Math.max(apart, Number.isNaN(d) && Object.is(x[i], y[i]) ? 0 : x[i] === y[i] ? 0 : d);
    }
    expect(y.length).toBe(x.length);
    worst = Math.max(worst, apart / (range || 1));
  }
  return worst;
}

export interface Tolerance {
  /** Relative to an output's range; 0: bit for bit. */
  readonly relative: number;
  readonly seed?: number;
}

/** The normalised graph, after checking it and every step towards it. */
export function normalised(graph: Graph, { relative, seed = 1 }: Tolerance = { relative: 0 }): Graph {
  validate(graph);
  const inputs = randomInputs(graph, seed);
  const before = runGraph(graph, inputs);
  const result = normalise(graph, (step, pass) => {
    validate(step);
    const apart = difference(before, runGraph(step, inputs));
    expect(apart, `after ${pass}`).toBeLessThanOrEqual(relative);
  });
  expect(result.inputs.map((p) => [p.name, p.shape])).toEqual(graph.inputs.map((p) => [p.name, p.shape]));
  expect(result.outputs.map((p) => [p.name, p.shape])).toEqual(graph.outputs.map((p) => [p.name, p.shape]));
  return result;
}

/** The kinds of a graph's operators in order, epilogues behind a plus: `Conv+Clip`. */
export function kinds(graph: Graph): string[] {
  return graph.operators.map((op) => [op.kind, ...(op.epilogue ?? []).map((e) => e.kind)].join('+'));
}
