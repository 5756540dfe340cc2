/**
 * First fit under asymmetric distances: buffers in a given order, each at the lowest offset that keeps its
 * distance from all placed before it. Nothing is allocated for an order.
 */
import type { PairGraph } from './pair-graph.ts';

export class FirstFit {
  readonly #graph: PairGraph;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  /** Offsets in units of the order placed last; -1 where it broke off. */
  readonly offsets: Float64Array;

  constructor(graph: PairGraph) {
    this.#graph = graph;
    let most = 0;
    for (let i = 0; i < graph.count; i++) most = Math.max(most, graph.start[i + 1] - graph.start[i]);
    this.#from = new Float64Array(most);
    this.#to = new Float64Array(most);
    this.offsets = new Float64Array(graph.count);
  }

  /** Height in bytes, or infinity as soon as it is above `limit` or a fixed buffer is in the way of another. */
  place(order: Int32Array, limit: number): number {
    const { sizes, unit, count, fixed } = this.#graph;
    const { offsets } = this;
    for (let i = 0; i < count; i++) offsets[i] = fixed[i];
    let height = 0;
    for (let k = 0; k < count; k++) {
      const i = order[k];
      if (fixed[i] < 0) offsets[i] = this.#lowest(i);
      const end = offsets[i] * unit + sizes[i];
      if (end > height) height = end;
      if (height > limit) return Number.POSITIVE_INFINITY;
    }
    return height;
  }

  /** Lowest offset outside every placed neighbour's forbidden range. */
  #lowest(i: number): number {
    const { start, entries, first, second, up, down, steps } = this.#graph;
    const from = this.#from;
    const to = this.#to;
    let n = 0;
    for (let e = start[i]; e < start[i + 1]; e++) {
      const p = entries[e] >> 1;
      const isSecond = entries[e] & 1;
      const base = this.offsets[isSecond ? first[p] : second[p]];
      if (base < 0) continue;
      const end = base + (isSecond ? up[p] : down[p]);
      if (end <= 0) continue;
      const begin = base - (isSecond ? down[p] : up[p]);
      let k = n++;
      for (; k > 0 && from[k - 1] > begin; k--) {
        from[k] = from[k - 1];
        to[k] = to[k - 1];
      }
      from[k] = begin;
      to[k] = end;
    }
    const step = steps[i];
    let offset = 0;
    for (let k = 0; k < n; k++) {
      if (offset > from[k] && offset < to[k]) offset = step === 1 ? to[k] : Math.ceil(to[k] / step) * step;
    }
    return offset;
  }
}
