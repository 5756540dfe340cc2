/** From chosen spans to a plan: firing orders are recorded, lifetimes found, addresses given. */

import type { Graph } from '../graph/graph.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import { type Timeline, timelineOf } from '../passes/4-allocate/lifetimes.ts';
import { type Packing, packTimeline, sweepTimeline } from '../passes/4-allocate/pack.ts';
import { fingerprint } from '../plan/fingerprint.ts';
import { ARENA, EXTERNAL, PLAN_VERSION, type Plan, type PlanActor, type PlanBuffer } from '../plan/plan.ts';
import { compressSchedule } from '../plan/schedule.ts';
import type { BankAssignment } from './banks.ts';
import type { SpanChoice } from './spans.ts';

/** Addresses for a firing sequence: all that tells how good a plan is, before it is written out. */
export interface Layout {
  readonly arenaBytes: number;
  /** No addresses for this firing sequence can take less. */
  readonly lowerBoundBytes: number;
  readonly spans: readonly SpanChoice[];
  readonly timeline: Timeline;
  readonly packing: Packing;
}

export interface AssembleOptions {
  readonly alignment?: number;
  readonly packTries?: number;
  /** `quick`: addresses good enough to tell layouts apart. Left out: as good as they get. */
  readonly effort?: 'quick' | 'full';
  /** Rows of tensors between spans are placed one by one too. */
  readonly everyRowApart?: boolean;
}

/** Effort of packing, all buffers together, so that large timelines take no longer than they are worth. */
const QUICK = { tries: 15_000, mostTries: 150, nodes: 0 };
const FULL = { tries: 150_000, mostTries: 1000, nodes: 600_000 };
const MOST_NODES = 4000;

/** Lifetimes and addresses of the spans run one after another. */
export function layOut(
  network: Network,
  chosen: readonly SpanChoice[],
  options: AssembleOptions = {},
): Layout {
  const spans = chosen.map((s) =>
    s.sequence ? s : scheduleSpan(network, s, { record: true, firing: s.firing })!,
  );
  const timeline = timelineOf(network, spans, options);
  return packed(network, spans, timeline, options);
}

/** The same work at better addresses, where there are any. */
export function refined(network: Network, layout: Layout): Layout {
  if (layout.arenaBytes <= layout.lowerBoundBytes) return layout;
  const again = packed(network, layout.spans, layout.timeline, {});
  const lowerBoundBytes = Math.max(again.lowerBoundBytes, layout.lowerBoundBytes);
  return { ...(again.arenaBytes <= layout.arenaBytes ? again : layout), lowerBoundBytes };
}

/** Gaps that sweeps look at: some seconds. */
const SWEEP_WORK = 160_000_000;
/** Above the bound by no more than this, a layout is left as it is. */
export const CLOSE = 1.002;

/** The same firing order with every row apart, at the addresses that sweeps over time find; undefined where they are no better. */
export function squeezed(network: Network, layout: Layout): Layout | undefined {
  const { lowerBoundBytes, spans } = layout;
  if (layout.arenaBytes <= lowerBoundBytes * CLOSE) return undefined;
  const apart = timelineOf(network, spans, { everyRowApart: true });
  const outside = (i: number) => isOutside(network, apart, i);
  const limits = { heightBytes: layout.arenaBytes, lowerBoundBytes };
  const packing = sweepTimeline(apart, limits, SWEEP_WORK, { outside });
  return packing && { arenaBytes: packing.heightBytes, lowerBoundBytes, spans, timeline: apart, packing };
}

function packed(
  network: Network,
  spans: readonly SpanChoice[],
  timeline: Timeline,
  { alignment, packTries, effort }: AssembleOptions,
): Layout {
  const outside = (i: number) => isOutside(network, timeline, i);
  const { tries, mostTries, nodes } = effort === 'quick' ? QUICK : FULL;
  const count = Math.max(1, timeline.lifetimes.length);
  const packing = packTimeline(timeline, {
    alignment,
    tries: packTries ?? Math.min(mostTries, Math.ceil(tries / count)),
    nodes: Math.min(MOST_NODES, Math.ceil(nodes / count)),
    outside,
  });
  return {
    arenaBytes: packing.heightBytes,
    lowerBoundBytes: packing.lowerBoundBytes,
    spans,
    timeline,
    packing,
  };
}

export function isOutside(network: Network, timeline: Timeline, i: number): boolean {
  const { root } = timeline.lifetimes[i];
  return root !== undefined && network.roots[root].external;
}

/** The plan that runs these spans one after another. `graph` is the normalised graph, before copies. */
export function assemblePlan(
  graph: Graph,
  network: Network,
  chosen: readonly SpanChoice[],
  options: AssembleOptions = {},
): { plan: Plan; lowerBoundBytes: number } {
  const layout = layOut(network, chosen, options);
  return { plan: writePlan(graph, network, layout), lowerBoundBytes: layout.lowerBoundBytes };
}

/** A layout spread over memory banks. */
export interface Spread {
  readonly names: readonly string[];
  readonly assignment: BankAssignment;
}

/** A layout as the plan that executors and the checker take. */
export function writePlan(
  graph: Graph,
  network: Network,
  { spans, timeline, packing }: Layout,
  tiles?: Plan['tiles'],
  spread?: Spread,
): Plan {
  const offsets = spread?.assignment.offsets ?? packing.offsets;
  const bankOf = (i: number) => spread?.names[spread.assignment.banks[i]] ?? ARENA;
  const workspace = new Map<number, number>();
  const staging = new Map<number, number>();
  let externalBytes = 0;
  const buffers: PlanBuffer[] = [];
  const placed = new Set<number>();
  timeline.lifetimes.forEach((life, i) => {
    if (life.piece !== undefined) {
      const root = life.root!;
      if (placed.has(root)) return;
      placed.add(root);
      buffers.push(inPieces(network, timeline, offsets, root, bankOf(i)));
      return;
    }
    const external = isOutside(network, timeline, i);
    const offset = external ? externalBytes : offsets[i];
    if (external) externalBytes += Math.ceil(life.bytes / 16) * 16;
    if (life.step !== undefined) (life.staging ? staging : workspace).set(life.step, buffers.length);
    buffers.push({
      name: life.name,
      ...(life.root === undefined ? {} : { tensor: network.roots[life.root].tensor }),
      bank: external ? EXTERNAL : bankOf(i),
      offset,
      bytes: life.bytes,
      ...(life.ring === undefined ? {} : { ring: life.ring }),
    });
  });
  const actors: PlanActor[] = network.steps.map((step, s) => {
    const { shape } = network.table(s, timeline.modes[s], timeline.reverse?.[s]);
    const scratch = workspace.get(s);
    const staged = staging.get(s);
    return {
      kind: step.kind,
      index: step.index,
      name: step.name,
      run: shape.run,
      ...(shape.fold ? { fold: true } : {}),
      ...(scratch === undefined ? {} : { scratch }),
      ...(staged === undefined ? {} : { staged }),
      ...(shape.reverse ? { reverse: true } : {}),
    };
  });
  return {
    format: 'tidemark-plan',
    version: PLAN_VERSION,
    model: { name: graph.name, fingerprint: fingerprint(graph) },
    ...(tiles ? { tiles } : {}),
    copies: [...network.copies],
    policy: network.policy,
    arenaBytes: spread?.assignment.bytes[0] ?? packing.heightBytes,
    ...(spread
      ? { banks: spread.names.map((name, b) => ({ name, bytes: spread.assignment.bytes[b] })) }
      : {}),
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
}

/** The buffer of a root whose rows have an address each; rows that are never made need none. */
function inPieces(
  network: Network,
  timeline: Timeline,
  offsets: readonly number[],
  root: number,
  bank: string,
): PlanBuffer {
  const { name, tensor, elements } = network.roots[root];
  const pieceElements = timeline.pieces!.get(root)!;
  let offset = Number.POSITIVE_INFINITY;
  let end = 0;
  const at: number[] = new Array(Math.ceil(elements / pieceElements)).fill(-1);
  timeline.lifetimes.forEach((life, i) => {
    if (life.root !== root) return;
    at[life.piece!] = offsets[i];
    offset = Math.min(offset, offsets[i]);
    end = Math.max(end, offsets[i] + life.bytes);
  });
  const starts = at.map((a) => (a < 0 ? 0 : a - offset));
  return {
    name,
    tensor,
    bank,
    offset,
    bytes: end - offset,
    pieces: { elements: pieceElements, offsets: compressSchedule(starts) },
  };
}
