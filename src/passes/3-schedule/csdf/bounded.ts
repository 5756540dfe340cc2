/**
 * Execution on token counts in FIFOs of given sizes: the proof that the sizes are enough, and, one token less, that
 * they are not more than needed. Since what an actor takes does not depend on the order of firings, one order that
 * runs to the end shows that all do, and one that gets stuck shows that all do (Kahn 1974).
 */
import { type CsdfGraph, wiringOf } from './model.ts';

export interface BoundedRun {
  readonly ok: boolean;
  /** Actors that could not go on, by name. */
  readonly stuck: readonly string[];
  readonly firings: number;
  /** Most tokens that each FIFO held. */
  readonly most: readonly number[];
}

/** A FIFO: tokens come in at the tail and leave at the head, in order. */
interface Fifo {
  readonly size: number;
  head: number;
  tail: number;
  most: number;
}

/**
 * Runs pictures through FIFOs of these sizes, in tokens. A phase fires where it finds what it needs and room for what
 * it makes; it leaves its input in place until it is over.
 */
export function runBounded(graph: CsdfGraph, sizes: readonly number[]): BoundedRun {
  const { actors, edges } = graph;
  const { inputs, outputs } = wiringOf(graph);
  const fifos = sizes.map((size): Fifo => ({ size, head: 0, tail: 0, most: 0 }));
  const phase = actors.map(() => 0);
  let firings = 0;
  const canFire = (a: number) =>
    phase[a] < actors[a].phases &&
    inputs[a].every((e) => fifos[e].tail >= edges[e].needs[phase[a]]) &&
    outputs[a].every(
      (e) => edges[e].made[phase[a]] - Math.min(fifos[e].head, edges[e].made[phase[a]]) <= fifos[e].size,
    );
  const fire = (a: number) => {
    const p = phase[a]++;
    firings++;
    for (const e of outputs[a]) {
      const f = fifos[e];
      f.tail = edges[e].made[p];
      f.most = Math.max(f.most, f.tail - Math.min(f.head, f.tail));
      if (f.most > f.size) throw new Error(`${actors[a].name} overfills a FIFO`);
    }
    for (const e of inputs[a]) {
      if (fifos[e].tail < edges[e].needs[p]) throw new Error(`${actors[a].name} reads what is not there`);
      fifos[e].head = Math.max(fifos[e].head, edges[e].frees[p]);
    }
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (let a = actors.length - 1; a >= 0; a--)
      while (canFire(a)) {
        fire(a);
        moved = true;
      }
  }
  const stuck = actors.filter((actor, a) => phase[a] < actor.phases).map((actor) => actor.name);
  return { ok: stuck.length === 0, stuck, firings, most: fifos.map((f) => f.most) };
}

/** Edges whose FIFO could be smaller, the others as they are: by index. On a chain there are none. */
export function slackEdges(graph: CsdfGraph, sizes: readonly number[]): number[] {
  return sizes.flatMap((size, e) => {
    if (size === 0) return [];
    const smaller = sizes.map((s, i) => (i === e ? s - 1 : s));
    return runBounded(graph, smaller).ok ? [e] : [];
  });
}
