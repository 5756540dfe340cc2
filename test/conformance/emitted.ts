/** What emitted kernels compute on a graph, beside the reference executor: for the operator tests of both formats. */
import { TidemarkError } from '../../src/errors.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { lowerPlan } from '../../src/kernels/lower.ts';
import type { Machine } from '../../src/kernels/machine.ts';
import { runProgram } from '../../src/kernels/run-program.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { executePlan } from '../../src/run/execute.ts';

/** Runs a plan some other way than the reference executor does. Inputs and outputs are in the graph's layout. */
export type Emitted = (graph: Graph, plan: Plan, inputs: readonly TypedArray[]) => readonly TypedArray[];

export type Verdict = 'equal' | 'refused' | 'differs';

export interface EmittedResult {
  /** 'refused' where the reference executor refuses too; a refusal of the emitted form alone is 'differs'. */
  readonly verdict: Verdict;
  readonly note: string;
}

/** In the interpreter of the loop-nest language. */
export function interpreted(machine: Machine): Emitted {
  return (graph, plan, inputs) => {
    const program = lowerPlan(graph, plan, machine);
    const bytes = inputs.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
    return runProgram(program, bytes, 0xa5).outputs.map((out, i) => {
      const t = graph.tensors[graph.outputs[i].tensor];
      const values = allocate(t.dtype, elementCount(t.shape));
      new Uint8Array(values.buffer).set(out);
      return values;
    });
  };
}

/** Plans a graph, runs it both ways and compares every bit. */
export function compareEmitted(
  read: Graph,
  inputsOf: (graph: Graph) => readonly TypedArray[],
  emitted: Emitted,
): EmittedResult {
  let planned: { graph: Graph; plan: Plan; inputs: readonly TypedArray[] };
  let expected: readonly TypedArray[];
  try {
    const graph = normalise(read);
    const { plan } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
    planned = { graph, plan, inputs: inputsOf(graph) };
    expected = executePlan(graph, plan, planned.inputs).outputs;
  } catch (error) {
    return { verdict: 'refused', note: (error as Error).message };
  }
  try {
    const got = emitted(planned.graph, planned.plan, planned.inputs);
    for (const [i, want] of expected.entries()) {
      const at = want.findIndex((v, k) => !Object.is(v, got[i][k]));
      if (at >= 0)
        return { verdict: 'differs', note: `output ${i}[${at}] is ${got[i][at]}, expected ${want[at]}` };
    }
    return { verdict: 'equal', note: '' };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { verdict: 'differs', note: error.message };
  }
}
