/** What a technique hands to a backend: plans of graphs, and how their values come together. */
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import type { Plan, Policy } from '../../src/plan/plan.ts';
import { fromGraphLayout, toGraphLayout } from '../../src/run/reference.ts';
import type { Network } from './networks.ts';

/** One plan of one graph. */
export interface Part {
  readonly graph: Graph;
  readonly plan: Plan;
}

/** Runs a part on values in its graph's layout. */
export type RunPart = (part: Part, inputs: readonly TypedArray[]) => readonly TypedArray[];

/** A network under a technique. */
export interface Way {
  readonly parts: readonly Part[];
  /** Outputs from inputs, both in the file's order of axes. */
  compute(inputs: readonly TypedArray[], run: RunPart): readonly TypedArray[];
}

export interface Technique {
  readonly name: string;
  /** Why it leaves a network out, or to longer runs (`CONTRACT=all`); undefined where it does not. */
  skips?(network: Network): string | undefined;
  way(network: Network): Way;
}

export const WHOLE: Policy = { input: 'reuse', output: 'whole' };

export const POLICIES: readonly Policy[] = (['reuse', 'keep', 'external', 'streamed'] as const).flatMap(
  (input) => (['whole', 'streamed'] as const).map((output) => ({ input, output })),
);

/** Policies take turns from network to network; the two element types have different ones. */
export const policyInTurn = ({ turn, dtype }: Network): Policy =>
  POLICIES[(turn + (dtype === 'int8' ? 3 : 0)) % POLICIES.length];

/** The whole network in one plan. */
export function single(graph: Graph, plan: Plan): Way {
  const part = { graph, plan };
  return {
    parts: [part],
    compute: (inputs, run) =>
      run(
        part,
        inputs.map((v, i) => toGraphLayout(graph.inputs[i], v)),
      ).map((v, i) => fromGraphLayout(graph.outputs[i], v)),
  };
}

/** Networks that take a technique seconds to plan, even small. */
export const slowOn =
  (...names: readonly string[]) =>
  ({ name }: Network): string | undefined =>
    process.env.CONTRACT !== 'all' && names.includes(name)
      ? 'planning alone takes seconds; CONTRACT=all runs it'
      : undefined;
