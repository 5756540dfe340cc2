/**
 * Exact search over the orders of conflicting pairs. Each buffer has a range of offsets; an order decided for a
 * pair narrows both ranges, and a range too narrow for one order decides the other. Branching takes the pair that
 * has failed most for the room it has, and restarts now and then (Grimes and Hebrard, "Solving Variants of the
 * Job Shop Scheduling Problem through Conflict-Directed Search", INFORMS Journal on Computing 2015). Complete for
 * any distances, negative ones too. Nothing is allocated while it runs.
 */
import type { PairGraph } from './pair-graph.ts';

export type Verdict = 'found' | 'impossible' | 'unknown';

const UNDECIDED = 0;
/** The pair's second buffer lies above its first. */
const UP = 1;
const DOWN = 2;

const FIRST_RESTART = 60;
const RESTART_GROWTH = 1.4;
/** Nodes between two questions whether to stop. */
const POLL = 256;

export class Disjunctive {
  readonly #graph: PairGraph;
  readonly #lb: Float64Array;
  readonly #ub: Float64Array;
  readonly #state: Uint8Array;
  readonly #weight: Float64Array;
  /** Undecided pairs stand before `#open`; a decided one swaps places with the last of them. */
  readonly #order: Int32Array;
  readonly #place: Int32Array;
  #open = 0;
  /** What was changed: i for a lower end, n + i for an upper, 2n + p for a pair. */
  #trail: Int32Array;
  #trailValue: Float64Array;
  #trailLength = 0;
  readonly #queue: Int32Array;
  readonly #queued: Uint8Array;
  #head = 0;
  #length = 0;
  readonly #levelTrail: Int32Array;
  readonly #levelOpen: Int32Array;
  readonly #levelPair: Int32Array;
  readonly #levelChoice: Uint8Array;
  #depth = 0;
  #updates = 0;
  /** Order of each pair in the answer to stay close to; 0 where there is none. */
  readonly #guide: Uint8Array;
  /** Nodes taken so far. */
  nodes = 0;

  constructor(graph: PairGraph) {
    const n = graph.count;
    const m = graph.first.length;
    this.#graph = graph;
    this.#lb = new Float64Array(n);
    this.#ub = new Float64Array(n);
    this.#state = new Uint8Array(m);
    this.#weight = new Float64Array(m).fill(1);
    this.#order = Int32Array.from({ length: m }, (_, p) => p);
    this.#place = this.#order.slice();
    this.#trail = new Int32Array(4 * (n + m) + 64);
    this.#trailValue = new Float64Array(this.#trail.length);
    this.#queue = new Int32Array(n + 1);
    this.#queued = new Uint8Array(n);
    this.#levelTrail = new Int32Array(m + 1);
    this.#levelOpen = new Int32Array(m + 1);
    this.#levelPair = new Int32Array(m + 1);
    this.#levelChoice = new Uint8Array(m + 1);
    this.#guide = new Uint8Array(m);
  }

  /** Stay close to this answer, in units. */
  guide(offsets: Float64Array): void {
    const { first, second, up, down } = this.#graph;
    for (let p = 0; p < first.length; p++) {
      const apart = offsets[second[p]] - offsets[first[p]];
      this.#guide[p] = apart >= up[p] ? UP : -apart >= down[p] ? DOWN : UNDECIDED;
    }
  }

  /** Offsets in units, valid after `found`. */
  get offsets(): Float64Array {
    return this.#lb;
  }

  /** Whether everything fits below `capacity` bytes. `nodeLimit` is how many nodes this call may take. */
  fits(capacity: number, nodeLimit: number, shouldStop?: () => boolean): Verdict {
    if (!this.#begin(capacity) || !this.#propagate()) return 'impossible';
    const end = this.nodes + nodeLimit;
    let restartIn = FIRST_RESTART;
    let fails = 0;
    for (;;) {
      const pair = this.#pick();
      if (pair < 0) return 'found';
      if (this.nodes >= end) return 'unknown';
      if (this.nodes % POLL === 0 && shouldStop?.()) return 'unknown';
      this.nodes++;
      const choice = this.#prefer(pair);
      const level = this.#depth++;
      this.#levelTrail[level] = this.#trailLength;
      this.#levelOpen[level] = this.#open;
      this.#levelPair[level] = pair;
      this.#levelChoice[level] = choice;
      let holds = this.#decide(pair, choice) && this.#propagate();
      while (!holds) {
        if (this.#depth === 0) return 'impossible';
        fails++;
        const back = --this.#depth;
        this.#undo(this.#levelTrail[back], this.#levelOpen[back]);
        holds = this.#decide(this.#levelPair[back], 3 - this.#levelChoice[back]) && this.#propagate();
      }
      if (fails >= restartIn && this.#depth > 0) {
        this.#undo(this.#levelTrail[0], this.#levelOpen[0]);
        this.#depth = 0;
        fails = 0;
        restartIn *= RESTART_GROWTH;
      }
    }
  }

  #begin(capacity: number): boolean {
    const { count, sizes, unit, steps, fixed } = this.#graph;
    this.#state.fill(UNDECIDED);
    this.#open = this.#state.length;
    this.#trailLength = 0;
    this.#depth = 0;
    this.#head = 0;
    this.#length = 0;
    this.#queued.fill(0);
    for (let i = 0; i < count; i++) {
      const last = Math.floor((capacity - sizes[i]) / unit);
      this.#lb[i] = Math.max(0, fixed[i]);
      this.#ub[i] = fixed[i] >= 0 ? Math.min(last, fixed[i]) : Math.floor(last / steps[i]) * steps[i];
      if (this.#lb[i] > this.#ub[i]) return false;
      this.#enqueue(i);
    }
    return true;
  }

  /** The undecided pair that is too close at the lower ends and has least room for its failures; -1 if none is. */
  #pick(): number {
    const { first, second, up, down } = this.#graph;
    const lb = this.#lb;
    const ub = this.#ub;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < this.#open; k++) {
      const p = this.#order[k];
      const a = first[p];
      const b = second[p];
      const apart = lb[b] - lb[a];
      if (apart >= up[p] || -apart >= down[p]) continue;
      const room = (ub[a] - lb[a] + ub[b] - lb[b] - up[p] - down[p] + 1) / this.#weight[p];
      if (room < least) {
        least = room;
        best = p;
      }
    }
    return best;
  }

  #prefer(p: number): number {
    if (this.#guide[p] !== UNDECIDED) return this.#guide[p];
    const { first, second, up, down } = this.#graph;
    const a = first[p];
    const b = second[p];
    return this.#ub[b] - this.#lb[a] - up[p] >= this.#ub[a] - this.#lb[b] - down[p] ? UP : DOWN;
  }

  #decide(p: number, choice: number): boolean {
    const { first, second, up, down } = this.#graph;
    this.#record(2 * this.#graph.count + p, this.#state[p]);
    this.#state[p] = choice;
    const last = --this.#open;
    const k = this.#place[p];
    const other = this.#order[last];
    this.#order[k] = other;
    this.#order[last] = p;
    this.#place[other] = k;
    this.#place[p] = last;
    return choice === UP
      ? this.#keep(first[p], second[p], up[p], p)
      : this.#keep(second[p], first[p], down[p], p);
  }

  /** offset(high) - offset(low) >= distance. */
  #keep(low: number, high: number, distance: number, p: number): boolean {
    const { even, steps } = this.#graph;
    let least = this.#lb[low] + distance;
    if (least > this.#lb[high]) {
      if (!even) least = Math.ceil(least / steps[high]) * steps[high];
      if (least > this.#ub[high]) return this.#blame(p);
      this.#record(high, this.#lb[high]);
      this.#lb[high] = least;
      this.#enqueue(high);
    }
    let most = this.#ub[high] - distance;
    if (most < this.#ub[low]) {
      if (!even) most = Math.floor(most / steps[low]) * steps[low];
      if (most < this.#lb[low]) return this.#blame(p);
      this.#record(this.#graph.count + low, this.#ub[low]);
      this.#ub[low] = most;
      this.#enqueue(low);
    }
    return true;
  }

  #blame(p: number): false {
    this.#weight[p]++;
    return false;
  }

  #enqueue(i: number): void {
    if (this.#queued[i]) return;
    this.#queued[i] = 1;
    const size = this.#queue.length;
    this.#queue[(this.#head + this.#length++) % size] = i;
  }

  #propagate(): boolean {
    const { start, entries, first, second, up, down } = this.#graph;
    const lb = this.#lb;
    const ub = this.#ub;
    this.#updates = 0;
    while (this.#length > 0) {
      const i = this.#queue[this.#head];
      this.#head = (this.#head + 1) % this.#queue.length;
      this.#length--;
      this.#queued[i] = 0;
      if (++this.#updates % (32 * this.#graph.count + 64) === 0 && this.#turnsInCircles())
        return this.#drain();
      for (let e = start[i]; e < start[i + 1]; e++) {
        const p = entries[e] >> 1;
        const a = first[p];
        const b = second[p];
        const state = this.#state[p];
        let holds = true;
        if (state === UP) holds = this.#keep(a, b, up[p], p);
        else if (state === DOWN) holds = this.#keep(b, a, down[p], p);
        else if (lb[a] + up[p] > ub[b]) {
          holds = lb[b] + down[p] <= ub[a] ? this.#decide(p, DOWN) : this.#blame(p);
        } else if (lb[b] + down[p] > ub[a]) holds = this.#decide(p, UP);
        if (!holds) return this.#drain();
      }
    }
    return true;
  }

  #drain(): false {
    while (this.#length > 0) {
      this.#queued[this.#queue[this.#head]] = 0;
      this.#head = (this.#head + 1) % this.#queue.length;
      this.#length--;
    }
    return false;
  }

  /**
   * Decided orders that contradict each other push ranges up round by round until they are empty, which may take as
   * many rounds as there are units. Longest paths tell at once (Bellman and Ford).
   */
  #turnsInCircles(): boolean {
    const { count, first, second, up, down } = this.#graph;
    const far = new Float64Array(count);
    for (let round = 0; round <= count; round++) {
      let changed = false;
      for (let k = this.#open; k < this.#order.length; k++) {
        const p = this.#order[k];
        const above = this.#state[p] === UP;
        const low = above ? first[p] : second[p];
        const high = above ? second[p] : first[p];
        const least = far[low] + (above ? up[p] : down[p]);
        if (least > far[high]) {
          far[high] = least;
          changed = true;
        }
      }
      if (!changed) return false;
    }
    return true;
  }

  #record(what: number, old: number): void {
    if (this.#trailLength === this.#trail.length) this.#growTrail();
    this.#trail[this.#trailLength] = what;
    this.#trailValue[this.#trailLength++] = old;
  }

  /** Ranges narrow more than once a level; the trail settles at a length soon. */
  #growTrail(): void {
    const trail = new Int32Array(2 * this.#trail.length);
    const values = new Float64Array(trail.length);
    trail.set(this.#trail);
    values.set(this.#trailValue);
    this.#trail = trail;
    this.#trailValue = values;
  }

  #undo(length: number, open: number): void {
    const n = this.#graph.count;
    while (this.#trailLength > length) {
      const what = this.#trail[--this.#trailLength];
      const old = this.#trailValue[this.#trailLength];
      if (what < n) this.#lb[what] = old;
      else if (what < 2 * n) this.#ub[what - n] = old;
      else this.#state[what - 2 * n] = old;
    }
    this.#open = open;
  }
}
