/**
 * What a pipeline's coordinator and its workers say to each other. Everything here survives a structured clone, so
 * that a worker may be a thread, a web worker or a process. A stage travels with its own constants and no others.
 */
import { constantOf, type Graph, type Tensor, type TypedArray } from '../../graph/graph.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Stage } from './stages.ts';

export interface PackedStage {
  readonly graph: Omit<Graph, 'tensors'>;
  readonly tensors: readonly (Omit<Tensor, 'constant'> & { readonly values?: TypedArray })[];
  readonly plan: Plan;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** To a worker. `images[i][k]` is input k of the stage's graph for image i of the mini-batch. */
export type ToWorker =
  | { readonly kind: 'load'; readonly stage: PackedStage }
  | { readonly kind: 'work'; readonly batch: number; readonly images: readonly (readonly TypedArray[])[] };

export type FromWorker =
  | { readonly kind: 'ready'; readonly arenaBytes: number; readonly weightBytes: number }
  | { readonly kind: 'done'; readonly batch: number; readonly images: readonly (readonly TypedArray[])[] }
  | { readonly kind: 'failed'; readonly batch: number; readonly message: string };

export function packStage({ graph, plan, inputs, outputs }: Stage): PackedStage {
  const { tensors, ...rest } = graph;
  return {
    graph: rest,
    tensors: tensors.map(({ constant, ...t }) => (constant ? { ...t, values: constant.load() } : t)),
    plan,
    inputs,
    outputs,
  };
}

export function unpackStage({ graph, tensors, plan, inputs, outputs }: PackedStage): Stage {
  const own = tensors.map(
    ({ values, ...t }): Tensor => (values ? { ...t, constant: constantOf(values) } : t),
  );
  return { graph: { ...graph, tensors: own }, plan, inputs, outputs };
}
