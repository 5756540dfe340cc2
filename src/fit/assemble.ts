/** From chosen spans to a plan: firing orders are recorded, lifetimes found, addresses given. */

import type { Graph } from '../graph/graph.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import { timelineOf } from '../passes/4-allocate/lifetimes.ts';
import { packTimeline } from '../passes/4-allocate/pack.ts';
import { fingerprint } from '../plan/fingerprint.ts';
import { ARENA, EXTERNAL, PLAN_VERSION, type Plan, type PlanActor, type PlanBuffer } from '../plan/plan.ts';
import { compressSchedule } from '../plan/schedule.ts';
import type { SpanChoice } from './spans.ts';

export interface AssembledPlan {
  readonly plan: Plan;
  /** No addresses for this firing sequence can take less. */
  readonly lowerBoundBytes: number;
}

export interface AssembleOptions {
  readonly alignment?: number;
  readonly packTries?: number;
}

/** The plan that runs these spans one after another. `graph` is the normalised graph, before copies. */
export function assemblePlan(
  graph: Graph,
  network: Network,
  chosen: readonly SpanChoice[],
  options: AssembleOptions = {},
): AssembledPlan {
  const spans = chosen.map((s) =>
    s.sequence ? s : { ...scheduleSpan(network, s, { record: true, eager: s.eager })!, eager: s.eager },
  );
  const timeline = timelineOf(network, spans);
  const outside = (i: number) => {
    const root = timeline.lifetimes[i].root;
    return root !== undefined && network.roots[root].external;
  };
  const packing = packTimeline(timeline, { alignment: options.alignment, tries: options.packTries, outside });
  const workspace = new Map<number, number>();
  let externalBytes = 0;
  const buffers: PlanBuffer[] = timeline.lifetimes.map((life, i) => {
    const external = outside(i);
    const offset = external ? externalBytes : packing.offsets[i];
    if (external) externalBytes += Math.ceil(life.bytes / 16) * 16;
    if (life.step !== undefined) workspace.set(life.step, i);
    return {
      name: life.name,
      ...(life.root === undefined ? {} : { tensor: network.roots[life.root].tensor }),
      bank: external ? EXTERNAL : ARENA,
      offset,
      bytes: life.bytes,
      ...(life.ring === undefined ? {} : { ring: life.ring }),
    };
  });
  const actors: PlanActor[] = network.steps.map((step, s) => {
    const { shape } = network.table(s, timeline.modes[s]);
    const scratch = workspace.get(s);
    return {
      kind: step.kind,
      index: step.index,
      name: step.name,
      run: shape.run,
      ...(shape.fold ? { fold: true } : {}),
      ...(scratch === undefined ? {} : { scratch }),
    };
  });
  const plan: Plan = {
    format: 'tidemark-plan',
    version: PLAN_VERSION,
    model: { name: graph.name, fingerprint: fingerprint(graph) },
    copies: [...network.copies],
    policy: network.policy,
    arenaBytes: packing.heightBytes,
    actors,
    buffers,
    schedule: compressSchedule(timeline.sequence),
    spans: spans.map((s) => ({
      first: network.steps[s.first].name,
      last: network.steps[s.last].name,
      mode: s.mode,
      operators: s.last - s.first + 1,
      arenaBytes: s.peakBytes,
    })),
  };
  return { plan, lowerBoundBytes: packing.lowerBoundBytes };
}
