/** Runs a float graph operator by operator with the reference kernels and records the range of every tensor. */
import {
  ABSENT,
  consumers,
  elementCount,
  type Graph,
  type Operator,
  type TensorId,
  type TypedArray,
} from '../graph/graph.ts';
import { evaluate } from '../ops/evaluate.ts';
import { contextOf } from '../ops/registry.ts';
import { type Range, type Ranges, rangeOf } from './ranges.ts';
import { seedOf, uniformValues } from './seed.ts';

/** A seeded input for each port: uniform with unit variance, as normalised pictures have. */
export function calibrationInputs(graph: Graph, seed: string): TypedArray[] {
  return graph.inputs.map((port, i) =>
    uniformValues(seedOf(`${seed}/input${i}`), elementCount(graph.tensors[port.tensor].shape), Math.sqrt(3)),
  );
}

/** Ranges over one run. `inputs[i]` belongs to graph input i, in memory order. */
export function calibrate(graph: Graph, inputs: readonly TypedArray[]): Ranges {
  const tensors = new Map<TensorId, Range>();
  const steps = new Map<number, readonly Range[]>();
  run(
    graph,
    inputs,
    (op, values) => {
      if (op) {
        op.outputs.forEach((t, i) => {
          tensors.set(t, rangeOf(values[i]));
        });
      } else {
        graph.inputs.forEach((p, i) => {
          tensors.set(p.tensor, rangeOf(values[i]));
        });
      }
    },
    steps,
  );
  return { tensors, steps };
}

/** Output values of a graph, layer by layer. */
export function runLayers(graph: Graph, inputs: readonly TypedArray[]): TypedArray[] {
  return run(graph, inputs, () => undefined);
}

function run(
  graph: Graph,
  inputs: readonly TypedArray[],
  seen: (op: Operator | undefined, values: readonly TypedArray[]) => void,
  steps?: Map<number, readonly Range[]>,
): TypedArray[] {
  const values = new Map<TensorId, TypedArray>();
  const left = consumers(graph).map((ops) => ops.length);
  for (const p of graph.outputs) left[p.tensor]++;
  graph.inputs.forEach((p, i) => {
    values.set(p.tensor, inputs[i]);
  });
  seen(undefined, inputs);
  for (const op of graph.operators) {
    const given = op.inputs.map((t) =>
      t === ABSENT ? undefined : (values.get(t) ?? graph.tensors[t].constant?.load()),
    );
    const ctx = contextOf(graph, op);
    const epilogue = steps ? op.epilogue : undefined;
    let results: TypedArray[];
    if (epilogue) {
      const before: Range[] = [];
      const bare = { ...op, epilogue: undefined };
      results = evaluate({ ...ctx, op: bare }, given);
      for (const step of epilogue) {
        before.push(rangeOf(results[0]));
        const alone: Operator = { ...op, kind: step.kind, attrs: step.attrs, epilogue: undefined };
        results = evaluate({ ...ctx, op: alone, inputs: [ctx.outputs[0]] }, [results[0]]);
      }
      steps!.set(op.id, before);
    } else results = evaluate(ctx, given);
    seen(op, results);
    op.outputs.forEach((t, i) => {
      values.set(t, results[i]);
    });
    for (const t of new Set(op.inputs)) if (t !== ABSENT && --left[t] === 0) values.delete(t);
  }
  return graph.outputs.map((p) => values.get(p.tensor)!);
}
