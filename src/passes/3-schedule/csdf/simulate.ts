/**
 * Self-timed execution on one processor: whatever has its tokens may fire, and readers go before writers. What each
 * FIFO holds at most under it is its size.
 */
import { type CsdfGraph, type Wiring, wiringOf } from './model.ts';

/**
 * Which of several ready actors fires. `downstream`: the one nearest the output. `round`: the next one after the one
 * that fired last, as the authors' tool has it. On a chain of windows the two agree; where a branch has to catch up,
 * or a layer makes several lines of one, `round` lets lines pile up.
 */
export type Preference = 'downstream' | 'round';

export interface Trace {
  /** Actors in firing order. */
  readonly sequence: Int32Array;
  /** By edge: most tokens held at any time. */
  readonly most: readonly number[];
  /** By tensor: most tokens held where its readers share a buffer. */
  readonly shared: ReadonlyMap<number, number>;
  /** By edge: first and last firing that touches it. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

export interface SimulateOptions {
  readonly preference: Preference;
  /** Actors that take part; left out: all. Edges from others hold all their tokens from the start. */
  readonly part?: (actor: number) => boolean;
}

/** One iteration. Throws where it cannot end, which a consistent graph without cycles never does. */
export function simulate(graph: CsdfGraph, { preference, part = () => true }: SimulateOptions): Trace {
  const run = new TokenRun(graph);
  const { actors, edges } = graph;
  const of = actors.map((_, a) => part(a));
  const sequence: number[] = [];
  const most = edges.map(() => 0);
  const first = edges.map(() => -1);
  const last = edges.map(() => -1);
  const siblings = new Map<number, number[]>();
  edges.forEach((e, i) => {
    siblings.set(e.tensor, [...(siblings.get(e.tensor) ?? []), i]);
  });
  const shared = new Map<number, number>([...siblings.keys()].map((t) => [t, 0]));
  of.forEach((inside, a) => {
    if (!inside && run.wiring.outputs[a].some((e) => of[edges[e].to])) run.finish(a);
  });
  for (let a = run.next(preference, of); a >= 0; a = run.next(preference, of)) {
    run.fire(a);
    for (const list of [run.wiring.inputs[a], run.wiring.outputs[a]]) {
      for (const e of list) {
        if (first[e] < 0) first[e] = sequence.length;
        last[e] = sequence.length;
        const held = run.held([e]);
        if (held > most[e]) most[e] = held;
      }
    }
    for (const e of run.wiring.outputs[a]) {
      const { tensor } = edges[e];
      shared.set(tensor, Math.max(shared.get(tensor)!, run.held(siblings.get(tensor)!)));
    }
    sequence.push(a);
  }
  const stuck = actors.findIndex((actor, a) => of[a] && run.phase[a] < actor.phases);
  if (stuck >= 0) throw new Error(`${graph.name}: ${actors[stuck].name} waits for ever`);
  return { sequence: Int32Array.from(sequence), most, shared, first, last };
}

/** The state of an execution: how far each actor is. */
class TokenRun {
  readonly wiring: Wiring;
  readonly phase: Int32Array;
  readonly #graph: CsdfGraph;
  readonly #lastReader: readonly number[];
  #lastFired = -1;
  /** No actor above this one is ready. */
  #top: number;

  constructor(graph: CsdfGraph) {
    this.#graph = graph;
    this.wiring = wiringOf(graph);
    this.phase = new Int32Array(graph.actors.length);
    this.#lastReader = this.wiring.outputs.map((list) => Math.max(-1, ...list.map((e) => graph.edges[e].to)));
    this.#top = graph.actors.length - 1;
  }

  #made(edge: number): number {
    const { from, made } = this.#graph.edges[edge];
    const phase = this.phase[from];
    return phase === 0 ? 0 : made[phase - 1];
  }

  #freed(edge: number): number {
    const { to, frees } = this.#graph.edges[edge];
    const phase = this.phase[to];
    return phase === 0 ? 0 : frees[phase - 1];
  }

  /** Tokens in the buffer of these edges of one tensor, those that readers keep among them. */
  held(edges: readonly number[]): number {
    let made = 0;
    let freed = Number.POSITIVE_INFINITY;
    for (const e of edges) {
      made = Math.max(made, this.#made(e));
      freed = Math.min(freed, this.#freed(e));
    }
    return Math.max(0, made - freed);
  }

  /** True where the actor has a phase left and finds its tokens. */
  #ready(actor: number): boolean {
    const phase = this.phase[actor];
    if (phase >= this.#graph.actors[actor].phases) return false;
    for (const e of this.wiring.inputs[actor])
      if (this.#made(e) < this.#graph.edges[e].needs[phase]) return false;
    return true;
  }

  finish(actor: number): void {
    this.phase[actor] = this.#graph.actors[actor].phases;
  }

  fire(actor: number): void {
    this.phase[actor]++;
    this.#lastFired = actor;
    // Only readers of what it made can have become ready.
    this.#top = Math.max(this.#top, actor, this.#lastReader[actor]);
  }

  /** The actor to fire, -1 where none is ready. */
  next(preference: Preference, of: readonly boolean[]): number {
    const n = this.phase.length;
    if (preference === 'round') {
      for (let k = 1; k <= n; k++) {
        const a = (this.#lastFired + k) % n;
        if (of[a] && this.#ready(a)) return a;
      }
      return -1;
    }
    for (; this.#top >= 0; this.#top--) if (of[this.#top] && this.#ready(this.#top)) return this.#top;
    return -1;
  }
}
