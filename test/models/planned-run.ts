/** Plans a model, has the plan checked, runs it, and compares with the run layer by layer that knows no plan. */
import { fitGraph } from '../../src/fit/fit.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Plan, Policy } from '../../src/plan/plan.ts';
import { executePlan } from '../../src/run/execute.ts';
import { fromGraphLayout, type ReferenceOutput, toGraphLayout } from '../../src/run/reference.ts';

export const MIN_POLICY: Policy = { input: 'reuse', output: 'whole' };

export interface Planned {
  readonly plan: Plan;
  readonly seconds: number;
  /** What the checker says of it, asked once more from here. */
  readonly checked: boolean;
  readonly problem?: string;
  readonly firings: number;
}

export function planned(graph: Graph, policy: Policy, method?: 'layerwise'): Planned {
  const started = performance.now();
  const { plan } = fitGraph(graph, { policy, method });
  const seconds = (performance.now() - started) / 1000;
  const { ok, problem, firings } = checkPlan(graph, plan);
  return { plan, seconds, checked: ok, problem, firings };
}

/** Outputs of a run under a plan, in the file's order of axes. */
export function runPlanned(
  graph: Graph,
  plan: Plan,
  inputs: readonly TypedArray[],
  paint = 0,
): ReferenceOutput[] {
  const { outputs } = executePlan(
    graph,
    plan,
    inputs.map((values, i) => toGraphLayout(graph.inputs[i], values)),
    { paint },
  );
  return graph.outputs.map(({ name, shape, dtype, ...port }, i) => ({
    name,
    shape,
    dtype,
    values: fromGraphLayout({ name, shape, dtype, ...port }, outputs[i]),
  }));
}

/** Index of the first output and element whose bits differ; undefined where the two runs are equal. */
export function firstDifference(
  a: readonly ReferenceOutput[],
  b: readonly ReferenceOutput[],
): string | undefined {
  for (const [i, { name, values }] of a.entries()) {
    const one = bytesOf(values);
    const two = bytesOf(b[i].values);
    if (one.length !== two.length) return `${name}: ${one.length} and ${two.length} bytes`;
    for (let k = 0; k < one.length; k++) {
      if (one[k] !== two[k]) {
        const e = Math.floor(k / values.BYTES_PER_ELEMENT);
        return `${name}[${e}] is ${values[e]}, layer by layer ${b[i].values[e]}`;
      }
    }
  }
  return undefined;
}

const bytesOf = (v: TypedArray) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
