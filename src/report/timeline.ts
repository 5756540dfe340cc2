/**
 * A plan as a picture needs it: which bytes of the arena are live when. The firings are replayed once; what
 * happens within one column of the picture is merged, the extremes kept. Each operator takes up the same width
 * in all, however many firings it has, so that a network of one-firing layers and a stream of thousands share
 * an axis.
 */
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { expandSchedule } from '../plan/schedule.ts';
import { Replay } from './arena-replay.ts';

/** One buffer's life. Columns from `first` to `last`, both included, have an interval. */
export interface BufferLife {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly kind: 'tensor' | 'ring' | 'pieces' | 'scratch';
  /** Size of the whole tensor, where it is one. */
  readonly tensorBytes?: number;
  readonly shape?: readonly number[];
  readonly first: number;
  readonly last: number;
  /** Lowest live byte and one past the highest, as arena addresses, by column from `first`. */
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

export interface Timeline {
  readonly columns: number;
  readonly arenaBytes: number;
  /** Most bytes live at once in each column. Bytes that two buffers share count once. */
  readonly liveBytes: readonly number[];
  /** Name of the operator that fires in the middle of each column. */
  readonly names: readonly string[];
  readonly peakBytes: number;
  /** Operator that fires at the worst moment. */
  readonly peakAt: string;
  readonly firings: number;
  readonly lives: readonly BufferLife[];
}

/** Firings beyond this are sampled for the count of live bytes; the hulls stay exact. */
const COUNTED = 200_000;

export function timelineOf(graph: Graph, plan: Plan, columns = 600): Timeline {
  const { graph: planned, storage } = plannedGraph(graph, plan);
  const replay = new Replay(planned, storage, plan, columns);
  const sequence = expandSchedule(plan.schedule);
  const total = replay.width();
  const every = Math.max(1, Math.ceil(sequence.length / COUNTED));
  let done = 0;
  for (let i = 0; i < sequence.length; i++) {
    const column = Math.min(columns - 1, Math.floor((done / total) * columns));
    done += replay.weight(sequence[i]);
    const end = Math.min(columns - 1, Math.max(column, Math.ceil((done / total) * columns) - 1));
    replay.fire(sequence[i], column, end, i % every === 0);
  }
  return replay.timeline(sequence.length);
}
