/**
 * Good orders for first fit: several by size, lifetime and contention, then a seeded local search that moves what
 * stands highest, or what is in its way. Never worse than what it starts from, the same on any machine.
 */
import { uniformNumbers } from '../../../seeded.ts';
import { FirstFit } from './first-fit.ts';
import type { PairGraph } from './pair-graph.ts';

export class OrderSearch {
  readonly #graph: PairGraph;
  readonly #fit: FirstFit;
  readonly #order: Int32Array;
  readonly #trial: Int32Array;
  readonly #random = uniformNumbers(0x2545f491);
  /** Best so far, in units; valid while `height` is finite. */
  readonly offsets: Float64Array;
  height = Number.POSITIVE_INFINITY;

  constructor(graph: PairGraph) {
    this.#graph = graph;
    this.#fit = new FirstFit(graph);
    this.#order = Int32Array.from({ length: graph.count }, (_, i) => i);
    this.#trial = this.#order.slice();
    this.offsets = new Float64Array(graph.count);
  }

  /** Orders by size, by distances to others, by number of neighbours, as the buffers are listed, and those given. */
  start(orders: readonly Int32Array[] = []): void {
    const { count, sizes, start, entries, up, down } = this.#graph;
    const degree = new Float64Array(count);
    const reach = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      degree[i] = start[i + 1] - start[i];
      for (let e = start[i]; e < start[i + 1]; e++) reach[i] += up[entries[e] >> 1] + down[entries[e] >> 1];
    }
    const keys: ((i: number) => number)[] = [
      (i) => -sizes[i],
      (i) => -reach[i],
      (i) => -sizes[i] * degree[i],
      (i) => -degree[i],
      (i) => i,
    ];
    for (const key of keys) {
      this.tryOrder(Int32Array.from(this.#trial).sort((a, b) => key(a) - key(b) || a - b));
      this.tryOrder(Int32Array.from(this.#trial).sort((a, b) => key(a) - key(b) || b - a));
    }
    for (const order of orders) this.tryOrder(order);
  }

  /** Takes the order over where it is not worse. */
  tryOrder(order: Int32Array): boolean {
    const height = this.#fit.place(order, this.height);
    if (height > this.height || height === Number.POSITIVE_INFINITY) return false;
    this.#order.set(order);
    this.offsets.set(this.#fit.offsets);
    this.height = height;
    return true;
  }

  /** An answer found elsewhere: its order by offset gives first fit an answer that is as low, or it is kept. */
  adopt(offsets: Float64Array, height: number): void {
    if (height > this.height) return;
    this.#order.sort((a, b) => offsets[a] - offsets[b] || a - b);
    this.offsets.set(offsets);
    this.height = height;
  }

  improve(tries: number, bound: number): void {
    const { count, start, entries, first, second, sizes, unit } = this.#graph;
    if (count < 2) return;
    for (let k = 0; k < tries && this.height > bound; k++) {
      let top = 0;
      for (let i = 0; i < count; i++) {
        if (this.offsets[i] * unit + sizes[i] === this.height) {
          top = i;
          break;
        }
      }
      const near = start[top + 1] - start[top];
      let pick = top;
      if (near > 0 && this.#random() >= 0.5) {
        const entry = entries[start[top] + this.#below(near)];
        pick = entry & 1 ? first[entry >> 1] : second[entry >> 1];
      }
      const trial = this.#trial;
      trial.set(this.#order);
      const from = trial.indexOf(pick);
      const to = this.#random() < 0.6 ? this.#below(from + 1) : this.#below(count);
      if (to < from) trial.copyWithin(to + 1, to, from);
      else trial.copyWithin(from, from + 1, to + 1);
      trial[to] = pick;
      if (this.#random() < 0.3) {
        const a = this.#below(count);
        const b = this.#below(count);
        const held = trial[a];
        trial[a] = trial[b];
        trial[b] = held;
      }
      this.tryOrder(trial);
    }
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }
}
