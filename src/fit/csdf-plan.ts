/**
 * A CSDF schedule as a plan: layers fire by rows or once, the one nearest the output that is ready goes first, and
 * each tensor lies in one ring that all its readers share. The checker proves it and any executor runs it, so what
 * the model of tokens promises is tried on bytes.
 */

import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import { layersOf } from '../passes/3-schedule/csdf/from-graph.ts';
import { type Network, networkOf } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import { EXTERNAL, type Plan, type Policy } from '../plan/plan.ts';
import { layOut, writePlan } from './assemble.ts';
import { firstSchedulable } from './spans.ts';

export interface CsdfPlanRequest {
  readonly policy: Policy;
  /** Phases of each layer (`layersOf`): a layer of one phase fires once. */
  readonly phases: readonly number[];
  /** Buffers at addresses of their own, or wherever lifetimes allow. */
  readonly addresses: 'apart' | 'shared';
}

export interface CsdfPlan {
  readonly plan: Plan;
  /** No addresses for this firing sequence can take less. */
  readonly lowerBoundBytes: number;
}

/** The plan with concats written in place or with their parts copied together, whichever is smaller. */
export function csdfPlan(graph: Graph, request: CsdfPlanRequest): CsdfPlan {
  const concats = graph.operators.filter((op) => op.kind === 'Concat');
  const copies = concats.flatMap((op) => op.inputs.map((_, input) => ({ operator: op.id, input })));
  const inPlace = planWith(graph, request, []);
  if (copies.length === 0) return inPlace;
  const copied = planWith(graph, request, copies);
  return copied.plan.arenaBytes < inPlace.plan.arenaBytes ? copied : inPlace;
}

function planWith(graph: Graph, request: CsdfPlanRequest, copies: readonly CopyChoice[]): CsdfPlan {
  const network = networkOf(graph, request.policy, copies);
  const first = firstSchedulable(network);
  const last = network.steps.length - 1;
  if (last < first) {
    const layout = layOut(network, []);
    return { plan: writePlan(graph, network, layout), lowerBoundBytes: layout.lowerBoundBytes };
  }
  const modes = modesOf(graph, network, request.phases).slice(first);
  const span = scheduleSpan(network, { first, last, mode: 'rows', modes }, { record: true, eager: true })!;
  const layout = layOut(network, [{ ...span, eager: true }]);
  const plan = writePlan(graph, network, layout);
  if (request.addresses === 'shared') return { plan, lowerBoundBytes: layout.lowerBoundBytes };
  const apart = withBuffersApart(plan);
  return { plan: apart, lowerBoundBytes: apart.arenaBytes };
}

/** By step: how the layer runs that it stands for. A copied part of a concat runs as the concat does. */
function modesOf(original: Graph, network: Network, phases: readonly number[]): Mode[] {
  const { graph } = network;
  const layers = layersOf(original);
  // Tensors keep their ids where copies are put in; a copy's own tensor comes after all of them.
  const byOutput = new Map(layers.map((op, i) => [op.outputs[0], phases[i]]));
  return network.steps.map((step): Mode => {
    if (step.kind !== 'operator') return 'rows';
    const op = graph.operators[step.index];
    const reader = () => graph.operators.find((o) => o.inputs.includes(op.outputs[0]))!;
    const output = op.outputs[0] < original.tensors.length ? op.outputs[0] : reader().outputs[0];
    // A reshape that could not be a view is no layer: it moves rows on.
    return (byOutput.get(output) ?? 2) > 1 ? 'rows' : 'whole';
  });
}

/** The same plan with no two buffers sharing a byte. */
export function withBuffersApart(plan: Plan): Plan {
  let end = 0;
  const buffers = plan.buffers.map((b) => {
    if (b.bank === EXTERNAL) return b;
    const offset = Math.ceil(end / 4) * 4;
    end = offset + b.bytes;
    return { ...b, offset };
  });
  return { ...plan, buffers, arenaBytes: end };
}
