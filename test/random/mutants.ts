/** Damages valid plans in small ways that a faulty planner might. Most are wrong, a few happen to be harmless. */
import type { Graph } from '../../src/graph/graph.ts';
import { elementBytes } from '../../src/graph/graph.ts';
import { pick, type Random } from '../../src/ops/testing/operator-case.ts';
import type { Plan, PlanActor, PlanBuffer } from '../../src/plan/plan.ts';
import { compressSchedule, expandSchedule } from '../../src/plan/schedule.ts';

export interface Mutant {
  readonly name: string;
  readonly plan: Plan;
}

type Mutate = (plan: Plan, graph: Graph, random: Random) => Plan | undefined;

function any<T>(random: Random, list: readonly T[]): T {
  return list[pick(random, 0, list.length - 1)];
}

function withBuffer(plan: Plan, i: number, change: Partial<PlanBuffer>): Plan {
  return { ...plan, buffers: plan.buffers.map((b, k) => (k === i ? { ...b, ...change } : b)) };
}

function withActor(plan: Plan, i: number, change: Partial<PlanActor>): Plan {
  return { ...plan, actors: plan.actors.map((a, k) => (k === i ? { ...a, ...change } : a)) };
}

function withSequence(plan: Plan, edit: (sequence: number[]) => void): Plan {
  const sequence = Array.from(expandSchedule(plan.schedule));
  edit(sequence);
  return { ...plan, schedule: compressSchedule(sequence) };
}

function sizeOf(graph: Graph, buffer: PlanBuffer): number {
  const tensor = buffer.tensor === undefined ? undefined : graph.tensors[buffer.tensor];
  return tensor ? elementBytes(tensor) : 4;
}

/** One of the buffers of a plan for which a condition holds, by index. */
function someBuffer(plan: Plan, random: Random, holds: (b: PlanBuffer) => boolean): number | undefined {
  const fitting = plan.buffers.flatMap((b, i) => (holds(b) ? [i] : []));
  return fitting.length > 0 ? any(random, fitting) : undefined;
}

const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'shifted buffer': (plan, graph, random) => {
    const i = someBuffer(plan, random, (b) => b.bytes > 0);
    if (i === undefined) return undefined;
    const buffer = plan.buffers[i];
    const by = sizeOf(graph, buffer) * any(random, [1, 2, 4, 8, 16, -1, -2, -4, -8]);
    const offset = Math.max(0, buffer.offset + by);
    const arenaBytes = Math.max(plan.arenaBytes, buffer.bank === 'external' ? 0 : offset + buffer.bytes);
    return offset === buffer.offset ? undefined : withBuffer({ ...plan, arenaBytes }, i, { offset });
  },
  'buffer anywhere': (plan, graph, random) => {
    const i = someBuffer(plan, random, (b) => b.bank !== 'external' && b.bytes < plan.arenaBytes);
    if (i === undefined) return undefined;
    const size = sizeOf(graph, plan.buffers[i]);
    const room = Math.floor((plan.arenaBytes - plan.buffers[i].bytes) / size);
    return withBuffer(plan, i, { offset: size * pick(random, 0, room) });
  },
  'aliased buffers': (plan, _graph, random) => {
    const i = someBuffer(plan, random, (b) => b.bank !== 'external');
    const j = someBuffer(plan, random, (b) => b.bank !== 'external');
    if (i === undefined || j === undefined || i === j) return undefined;
    const { offset } = plan.buffers[j];
    const arenaBytes = Math.max(plan.arenaBytes, offset + plan.buffers[i].bytes);
    return withBuffer({ ...plan, arenaBytes }, i, { offset });
  },
  'smaller ring': (plan, graph, random) => {
    const i = someBuffer(plan, random, (b) => (b.ring ?? 0) > 1);
    if (i === undefined) return undefined;
    const { ring, tensor } = plan.buffers[i];
    const { shape } = graph.tensors[tensor!] ?? { shape: [1] };
    const channels = shape[shape.length - 1] ?? 1;
    const by = any(random, [1, channels, channels * (shape[shape.length - 2] ?? 1)]);
    return ring! > by ? withBuffer(plan, i, { ring: ring! - by }) : undefined;
  },
  'ring instead of a whole tensor': (plan, graph, random) => {
    const i = someBuffer(plan, random, (b) => b.ring === undefined && b.tensor !== undefined && b.bytes > 4);
    if (i === undefined) return undefined;
    const { bytes } = plan.buffers[i];
    return withBuffer(plan, i, {
      ring: Math.max(1, pick(random, 1, bytes / sizeOf(graph, plan.buffers[i]) - 1)),
    });
  },
  'larger ring that does not fit': (plan, _graph, random) => {
    const i = someBuffer(plan, random, (b) => b.ring !== undefined);
    return i === undefined
      ? undefined
      : withBuffer(plan, i, { ring: plan.buffers[i].ring! + pick(random, 1, 8) });
  },
  'ring forgotten': (plan, _graph, random) => {
    const i = someBuffer(plan, random, (b) => b.ring !== undefined);
    return i === undefined ? undefined : withBuffer(plan, i, { ring: undefined });
  },
  'smaller buffer': (plan, _graph, random) => {
    const i = someBuffer(plan, random, (b) => b.bytes > 0);
    return i === undefined
      ? undefined
      : withBuffer(plan, i, { bytes: pick(random, 0, plan.buffers[i].bytes - 1) });
  },
  'smaller arena': (plan, _graph, random) =>
    plan.arenaBytes > 0
      ? { ...plan, arenaBytes: Math.max(0, plan.arenaBytes - any(random, [1, 4, 16])) }
      : undefined,
  'firings swapped': (plan, _graph, random) =>
    withSequence(plan, (s) => {
      if (s.length < 2) return;
      const i = pick(random, 0, s.length - 2);
      const j = any(random, [i + 1, pick(random, 0, s.length - 1)]);
      [s[i], s[j]] = [s[j], s[i]];
    }),
  'firing moved': (plan, _graph, random) =>
    withSequence(plan, (s) => {
      const [moved] = s.splice(pick(random, 0, s.length - 1), 1);
      s.splice(pick(random, 0, s.length), 0, moved);
    }),
  'firing dropped': (plan, _graph, random) =>
    withSequence(plan, (s) => {
      s.splice(pick(random, 0, s.length - 1), 1);
    }),
  'firing repeated': (plan, _graph, random) =>
    withSequence(plan, (s) => {
      const i = pick(random, 0, s.length - 1);
      s.splice(pick(random, i, s.length), 0, s[i]);
    }),
  'firing of another': (plan, _graph, random) =>
    withSequence(plan, (s) => {
      s[pick(random, 0, s.length - 1)] = pick(random, 0, plan.actors.length);
    }),
  'wrong run': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    const { run } = plan.actors[i];
    return withActor(plan, i, { run: Math.max(1, any(random, [run + 1, run - 1, run * 2, run >> 1, 1])) });
  },
  'wrong run, as many firings': (plan, _graph, random) => {
    // The actor's firings are repeated or thinned out, so that only their order and places are wrong.
    const i = pick(random, 0, plan.actors.length - 1);
    const { run } = plan.actors[i];
    if (run % 2 !== 0) return undefined;
    const halved = withActor(plan, i, { run: run / 2 });
    return withSequence(halved, (s) => {
      for (let k = s.length - 1; k >= 0; k--) if (s[k] === i) s.splice(k, 0, i);
    });
  },
  'fold toggled': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    if (plan.actors[i].kind !== 'operator') return undefined;
    return withActor(plan, i, { fold: plan.actors[i].fold ? undefined : true });
  },
  'another scratch': (plan, _graph, random) => {
    const using = plan.actors.flatMap((a, i) => (a.scratch === undefined ? [] : [i]));
    if (using.length === 0) return undefined;
    return withActor(plan, any(random, using), { scratch: pick(random, 0, plan.buffers.length) });
  },
  'no scratch': (plan, _graph, random) => {
    const using = plan.actors.flatMap((a, i) => (a.scratch === undefined ? [] : [i]));
    return using.length === 0 ? undefined : withActor(plan, any(random, using), { scratch: undefined });
  },
  'staged elsewhere': (plan, _graph, random) => {
    const using = plan.actors.flatMap((a, i) => (a.staged === undefined ? [] : [i]));
    if (using.length === 0) return undefined;
    return withActor(plan, any(random, using), { staged: pick(random, 0, plan.buffers.length) });
  },
  'no longer staged': (plan, _graph, random) => {
    const using = plan.actors.flatMap((a, i) => (a.staged === undefined ? [] : [i]));
    return using.length === 0 ? undefined : withActor(plan, any(random, using), { staged: undefined });
  },
  'staged where others work': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    const work = someBuffer(plan, random, (b) => b.tensor === undefined);
    return work === undefined ? undefined : withActor(plan, i, { staged: work });
  },
  'the other way round': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    return withActor(plan, i, { reverse: plan.actors[i].reverse ? undefined : true });
  },
  'tensors exchanged': (plan, _graph, random) => {
    const i = someBuffer(plan, random, (b) => b.tensor !== undefined);
    const j = someBuffer(plan, random, (b) => b.tensor !== undefined);
    if (i === undefined || j === undefined || i === j) return undefined;
    return withBuffer(withBuffer(plan, i, { tensor: plan.buffers[j].tensor }), j, {
      tensor: plan.buffers[i].tensor,
    });
  },
  'buffer missing': (plan, _graph, random) => {
    const i = pick(random, 0, plan.buffers.length - 1);
    return { ...plan, buffers: plan.buffers.filter((_, k) => k !== i) };
  },
  'actor of another': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    return withActor(plan, i, { index: pick(random, 0, plan.actors.length) });
  },
  'actors exchanged': (plan, _graph, random) => {
    const i = pick(random, 0, plan.actors.length - 1);
    const j = pick(random, 0, plan.actors.length - 1);
    return i === j ? undefined : withActor(withActor(plan, i, plan.actors[j]), j, plan.actors[i]);
  },
  'copy forgotten': (plan, _graph, random) => {
    if (plan.copies.length === 0) return undefined;
    const i = pick(random, 0, plan.copies.length - 1);
    return { ...plan, copies: plan.copies.filter((_, k) => k !== i) };
  },
  'outside the arena': (plan, _graph, random) => {
    const i = someBuffer(plan, random, () => true);
    return i === undefined
      ? undefined
      : withBuffer(plan, i, { bank: any(random, ['external', 'arena', 'other']) });
  },
  'another policy': (plan, _graph, random) => ({
    ...plan,
    policy: {
      input: any(random, ['reuse', 'keep', 'external', 'streamed']),
      output: any(random, ['whole', 'streamed']),
    },
  }),
};

export const MUTATION_NAMES = Object.keys(MUTATIONS);

/** The plan damaged in the named way; undefined where it has nothing of the kind. */
export function mutantOf(name: string, plan: Plan, graph: Graph, random: Random): Plan | undefined {
  return expandSchedule(plan.schedule).length > 0 ? MUTATIONS[name](plan, graph, random) : undefined;
}
