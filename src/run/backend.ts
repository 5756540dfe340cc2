/**
 * What computes a plan: the reference executor, or a target's code run here. Each makes ready once and may then run
 * many times, and all must give the same bytes.
 */
import type { Graph, TypedArray } from '../graph/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { type ExecuteOptions, type ExecuteResult, executePlan } from './execute.ts';

export interface Backend {
  readonly name: string;
  /** Throws a TidemarkError where this backend has no form for the model. */
  prepare(graph: Graph, plan: Plan, onProgress?: (done: number) => void): Prepared;
}

export interface Prepared {
  /** `inputs[i]` belongs to graph input i, in the graph's layout and element type. */
  run(inputs: readonly TypedArray[], options?: ExecuteOptions): ExecuteResult;
  /**
   * Milliseconds of each of so many runs, inputs put in and outputs taken out, without what `run` does besides. Left
   * out: `run` itself is what to time.
   */
  time?(inputs: readonly TypedArray[], times: number): readonly number[];
  /** Processor time of a run, of those that `time` timed last, where another process did them. */
  readonly cpuMs?: number;
}

/** The reference executor (execute.ts). */
export const referenceBackend: Backend = {
  name: 'reference',
  prepare: (graph, plan) => ({ run: (inputs, options) => executePlan(graph, plan, inputs, options) }),
};
