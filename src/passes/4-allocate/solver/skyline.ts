/**
 * Exact search for plain buffers: does everything fit below a capacity? Buffers are placed from the bottom up, each
 * as low as those beneath it allow, so that what is placed is a skyline. Of the unplaced, the one that could end
 * first is taken: it, or a neighbour that can begin below that end, stands where it could (Giffler and Thompson,
 * "Algorithms for Solving Production-Scheduling Problems", 1960). A section whose floor and what is still to be
 * placed exceed the capacity fails (MiniMalloc, ASPLOS 2023). Failures carry the set of buffers that cannot be
 * placed over their lower ends, and levels that raised none of them are jumped over (docs/allocation.md).
 */
import type { Verdict } from './disjunctive.ts';
import { type Sections, sortedBy } from './sections.ts';

const INFINITE = 0x7fffffff;
const POLL = 1024;

export class Skyline {
  readonly #n: number;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #sizes: Int32Array;
  /** By first section; parts of what is unplaced are stretches of it. */
  readonly #order: Int32Array;
  readonly #lb: Int32Array;
  readonly #placed: Uint8Array;
  readonly #rem: Int32Array;
  readonly #minLb: Int32Array;
  /** Buffers of each section. */
  readonly #sectionStart: Int32Array;
  readonly #sectionItems: Int32Array;
  readonly #adjStart: Int32Array;
  readonly #adj: Int32Array;
  readonly #rank: Float64Array;
  readonly #stamp: Int32Array;
  #clock = 0;
  /**
   * The last failure: buffers whose lower ends, at least so high, cannot all be met; -1 for those without a part
   * in it.
   */
  readonly #conflict: Int32Array;
  #stack: Int32Array;
  #top = 0;
  #trail = new Int32Array(1 << 14);
  #trailTop = 0;
  #capacity = 0;
  #end = 0;
  #stopped = false;
  #shouldStop: (() => boolean) | undefined;
  /** Nodes taken so far. */
  nodes = 0;
  /** How often a buffer was part of a section that failed. */
  readonly weight: Float64Array;
  /** Valid after `found`. */
  readonly offsets: Int32Array;
  /** Conflict sets, one for each depth. */
  #sets: Int32Array;
  #depth = 0;

  constructor(sections: Sections, sizes: Int32Array) {
    const n = sizes.length;
    const { first, last, count } = sections;
    this.#n = n;
    this.#first = first;
    this.#last = last;
    this.#sizes = sizes;
    this.#order = sortedBy(n, (i) => first[i]).filter((i) => last[i] >= first[i]);
    this.#lb = new Int32Array(n);
    this.#placed = new Uint8Array(n);
    this.#rem = new Int32Array(count);
    this.#minLb = new Int32Array(count);
    this.#stamp = new Int32Array(count);
    this.#rank = new Float64Array(n);
    this.weight = new Float64Array(n).fill(0);
    this.offsets = new Int32Array(n);
    this.#stack = new Int32Array(1 << 14);
    this.#conflict = new Int32Array(n);
    this.#sets = new Int32Array(n * (n + 1));
    this.#sectionStart = new Int32Array(count + 1);
    for (const i of this.#order) for (let t = first[i]; t <= last[i]; t++) this.#sectionStart[t + 1]++;
    for (let t = 0; t < count; t++) this.#sectionStart[t + 1] += this.#sectionStart[t];
    const at = this.#sectionStart.slice();
    this.#sectionItems = new Int32Array(this.#sectionStart[count]);
    for (const i of this.#order) for (let t = first[i]; t <= last[i]; t++) this.#sectionItems[at[t]++] = i;
    this.#adjStart = new Int32Array(n + 1);
    const adj: number[] = [];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (j === i || first[j] > last[i] || last[j] < first[i]) continue;
        adj.push(j);
      }
      this.#adjStart[i + 1] = adj.length;
    }
    this.#adj = Int32Array.from(adj);
  }

  /** Which candidate is tried first: the one with the greatest rank. */
  rank(of: (i: number) => number): void {
    for (let i = 0; i < this.#n; i++) this.#rank[i] = of(i);
  }

  fits(capacity: number, nodeLimit: number, shouldStop?: () => boolean): Verdict {
    this.#capacity = capacity;
    this.#end = this.nodes + nodeLimit;
    this.#shouldStop = shouldStop;
    this.#stopped = false;
    this.#lb.fill(0);
    this.#placed.fill(0);
    this.#rem.fill(0);
    this.#minLb.fill(0);
    this.#top = 0;
    this.#trailTop = 0;
    this.#depth = 0;
    for (const i of this.#order) {
      for (let t = this.#first[i]; t <= this.#last[i]; t++) this.#rem[t] += this.#sizes[i];
    }
    for (const load of this.#rem) if (load > capacity) return 'impossible';
    if (this.#parts(0, this.#order.length)) return 'found';
    return this.#stopped ? 'unknown' : 'impossible';
  }

  /** Packs each connected part of the unplaced buffers in order[from, to). */
  #parts(from: number, to: number): boolean {
    const mark = this.#trailTop;
    const order = this.#order;
    const first = this.#first;
    const last = this.#last;
    let begin = -1;
    let end = -1;
    let reach = -1;
    for (let k = from; k < to; k++) {
      const i = order[k];
      if (this.#placed[i]) continue;
      if (first[i] > reach && begin >= 0) {
        if (!this.#solve(begin, end)) {
          this.#undo(mark);
          return false;
        }
        begin = -1;
      }
      if (begin < 0) begin = k;
      end = k + 1;
      if (last[i] > reach) reach = last[i];
    }
    if (begin >= 0 && !this.#solve(begin, end)) {
      this.#undo(mark);
      return false;
    }
    return true;
  }

  #undo(mark: number): void {
    const trail = this.#trail;
    while (this.#trailTop > mark) {
      const old = trail[--this.#trailTop];
      const what = trail[--this.#trailTop];
      if (what >= 0) {
        if (what < this.#n) this.#lb[what] = old;
        else this.#minLb[what - this.#n] = old;
      } else {
        const p = ~what;
        this.#placed[p] = 0;
        for (let t = this.#first[p]; t <= this.#last[p]; t++) this.#rem[t] += this.#sizes[p];
      }
    }
  }

  #save(what: number, old: number): void {
    if (this.#trailTop + 2 > this.#trail.length) {
      const bigger = new Int32Array(2 * this.#trail.length);
      bigger.set(this.#trail);
      this.#trail = bigger;
    }
    this.#trail[this.#trailTop++] = what;
    this.#trail[this.#trailTop++] = old;
  }

  /** Raises a lower end; sections whose least it was are marked. */
  #raise(j: number, value: number): void {
    const old = this.#lb[j];
    this.#save(j, old);
    this.#lb[j] = value;
    const last = this.#last[j];
    for (let t = this.#first[j]; t <= last; t++) if (this.#minLb[t] === old) this.#stamp[t] = this.#clock;
  }

  /** Least lower ends of the sections marked in [lo, hi]. False, and the conflict set, where one is too full. */
  #settle(lo: number, hi: number): boolean {
    const items = this.#sectionItems;
    const lb = this.#lb;
    const placed = this.#placed;
    let worst = -1;
    let fewest = INFINITE;
    for (let t = lo; t <= hi; t++) {
      if (this.#stamp[t] !== this.#clock) continue;
      let least = INFINITE;
      let n = 0;
      const end = this.#sectionStart[t + 1];
      for (let k = this.#sectionStart[t]; k < end; k++) {
        const j = items[k];
        if (placed[j]) continue;
        n++;
        if (lb[j] < least) least = lb[j];
      }
      this.#save(this.#n + t, this.#minLb[t]);
      this.#minLb[t] = least;
      if (n > 0 && least + this.#rem[t] > this.#capacity && n < fewest) {
        fewest = n;
        worst = t;
      }
    }
    if (worst < 0) return true;
    this.#conflict.fill(-1);
    // It would still be too full if they all could begin only here.
    const enough = Math.max(0, this.#capacity - this.#rem[worst] + 1);
    for (let k = this.#sectionStart[worst]; k < this.#sectionStart[worst + 1]; k++) {
      const j = items[k];
      if (placed[j]) continue;
      this.#conflict[j] = enough;
      this.weight[j]++;
    }
    return false;
  }

  /** Places everything unplaced in order[from, to), which hangs together. */
  #solve(from: number, to: number): boolean {
    if (this.nodes >= this.#end || (this.nodes % POLL === 0 && this.#shouldStop?.())) {
      this.#stopped = true;
      return false;
    }
    this.nodes++;
    const sizes = this.#sizes;
    const lb = this.#lb;
    const placed = this.#placed;
    const order = this.#order;
    let soonest = INFINITE;
    let star = -1;
    for (let k = from; k < to; k++) {
      const i = order[k];
      if (placed[i]) continue;
      const end = lb[i] + sizes[i];
      if (end < soonest) {
        soonest = end;
        star = i;
      }
    }
    const candidates = this.#top;
    this.#push(star);
    for (let k = this.#adjStart[star]; k < this.#adjStart[star + 1]; k++) {
      const i = this.#adj[k];
      if (!placed[i] && lb[i] < soonest) this.#push(i);
    }
    const candidateEnd = this.#top;
    this.#sortCandidates(candidates, candidateEnd);
    const mark = this.#trailTop;
    const n = this.#n;
    const conflict = this.#conflict;
    const set = n * this.#depth++;
    const sets = this.#sets;
    sets.fill(-1, set, set + n);
    for (let c = candidates; c < candidateEnd; c++) sets[set + this.#stack[c]] = lb[this.#stack[c]];
    let jumped = false;
    for (let c = candidates; c < candidateEnd; c++) {
      const i = this.#stack[c];
      const inner = this.#trailTop;
      const top = lb[i] + sizes[i];
      if (this.#place(i) && this.#parts(from, to)) {
        this.#depth--;
        this.#top = candidates;
        return true;
      }
      if (this.#stopped) break;
      if (!this.#isTouched(mark)) {
        jumped = true;
        break;
      }
      this.#undo(inner);
      this.#join(set, i, top);
      if (c + 1 < candidateEnd && !this.#postpone(i)) {
        this.#join(set, -1, 0);
        break;
      }
    }
    const postponed = this.#trailTop > mark;
    this.#undo(mark);
    if (!jumped && !this.#stopped) {
      this.#hold(set, star, soonest, candidates, candidateEnd, postponed);
      for (let j = 0; j < n; j++) conflict[j] = sets[set + j];
    }
    this.#top = candidates;
    this.#depth--;
    return false;
  }

  /** Whether the failure needs a lower end that was raised since `mark`. */
  #isTouched(mark: number): boolean {
    const trail = this.#trail;
    for (let k = mark; k < this.#trailTop; k += 2) {
      const what = trail[k];
      if (what >= 0 && what < this.#n && trail[k + 1] < this.#conflict[what]) return true;
    }
    return false;
  }

  /** Adds a failure to a level's set, but for what placing i under its neighbours gives by itself. */
  #join(set: number, i: number, top: number): void {
    const sets = this.#sets;
    const conflict = this.#conflict;
    const first = this.#first;
    const last = this.#last;
    for (let j = 0; j < this.#n; j++) {
      let need = conflict[j];
      if (need < 0) continue;
      if (i >= 0 && need <= top && first[j] <= last[i] && last[j] >= first[i]) need = 0;
      if (need > sets[set + j]) sets[set + j] = need;
    }
  }

  /**
   * What the argument for the candidates needs besides: the others that conflict with one of them may not begin or
   * end sooner than they do. Where lower ends rose on account of what they could stand on, that is all they have.
   */
  #hold(set: number, star: number, soonest: number, from: number, to: number, postponed: boolean): void {
    const sets = this.#sets;
    const lb = this.#lb;
    const first = this.#first;
    const last = this.#last;
    for (let j = 0; j < this.#n; j++) {
      const need = sets[set + j];
      if (need < 0) continue;
      let least = 0;
      if (first[j] <= last[star] && last[j] >= first[star]) least = Math.min(lb[j], soonest);
      for (let c = from; c < to; c++) {
        const i = this.#stack[c];
        if (first[j] > last[i] || last[j] < first[i]) continue;
        least = Math.max(least, postponed ? lb[j] : soonest - this.#sizes[j]);
      }
      // Lower ends that rose here did so for reasons that are in the set.
      sets[set + j] = Math.min(lb[j], Math.max(least, need));
    }
  }

  /** Puts i where its lower end is. */
  #place(i: number): boolean {
    const lb = this.#lb;
    const placed = this.#placed;
    const end = lb[i] + this.#sizes[i];
    this.offsets[i] = lb[i];
    this.#clock++;
    this.#save(~i, 0);
    placed[i] = 1;
    let lo = this.#first[i];
    let hi = this.#last[i];
    for (let t = lo; t <= hi; t++) {
      this.#rem[t] -= this.#sizes[i];
      if (this.#minLb[t] === lb[i]) this.#stamp[t] = this.#clock;
    }
    const adjEnd = this.#adjStart[i + 1];
    for (let k = this.#adjStart[i]; k < adjEnd; k++) {
      const j = this.#adj[k];
      if (placed[j] || lb[j] >= end) continue;
      this.#raise(j, end);
      if (this.#first[j] < lo) lo = this.#first[j];
      if (this.#last[j] > hi) hi = this.#last[j];
    }
    return this.#settle(lo, hi);
  }

  /** Not where its lower end is now: it stands on something that is still to come. */
  #postpone(i: number): boolean {
    const lb = this.#lb;
    let next = INFINITE;
    for (let k = this.#adjStart[i]; k < this.#adjStart[i + 1]; k++) {
      const j = this.#adj[k];
      if (!this.#placed[j] && lb[j] + this.#sizes[j] < next) next = lb[j] + this.#sizes[j];
    }
    if (next === INFINITE) next = this.#capacity;
    this.#clock++;
    this.#raise(i, next);
    return this.#settle(this.#first[i], this.#last[i]);
  }

  #push(i: number): void {
    if (this.#top === this.#stack.length) {
      const bigger = new Int32Array(2 * this.#stack.length);
      bigger.set(this.#stack);
      this.#stack = bigger;
    }
    this.#stack[this.#top++] = i;
  }

  #sortCandidates(from: number, to: number): void {
    const stack = this.#stack;
    for (let k = from + 1; k < to; k++) {
      const i = stack[k];
      let j = k - 1;
      for (; j >= from && this.#before(i, stack[j]); j--) stack[j + 1] = stack[j];
      stack[j + 1] = i;
    }
  }

  #before(i: number, j: number): boolean {
    if (this.#lb[i] !== this.#lb[j]) return this.#lb[i] < this.#lb[j];
    return this.#rank[i] > this.#rank[j];
  }
}
