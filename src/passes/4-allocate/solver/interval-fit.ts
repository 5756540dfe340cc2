/**
 * First fit for plain buffers, by time alone: what conflicts with a buffer lives in its first section or begins in
 * a later one of its sections, so that no list of pairs is ever made. The cost is that of the conflicts there are.
 */
import { type Sections, sortedBy } from './sections.ts';

/** Below this, insertion is quicker than a sort. */
const FEW = 48;

export class IntervalFit {
  readonly #sections: Sections;
  readonly #sizes: Float64Array;
  readonly #byFirst: Int32Array;
  /** Where the buffers that begin in section t start in byFirst. */
  readonly #begin: Int32Array;
  /** Buffers that are live in section t and began before it. */
  readonly #runStart: Int32Array;
  readonly #running: Int32Array;
  readonly #keys: Float64Array;
  readonly #scale: number;
  /** Offsets of the order placed last, -1 where it broke off. */
  readonly offsets: Float64Array;

  constructor(sections: Sections, sizes: Float64Array) {
    const n = sizes.length;
    const { first, last, count } = sections;
    this.#sections = sections;
    this.#sizes = sizes;
    this.#byFirst = sortedBy(n, (i) => first[i]).filter((i) => last[i] >= first[i]);
    this.#begin = new Int32Array(count + 1);
    this.#runStart = new Int32Array(count + 1);
    for (const i of this.#byFirst) {
      this.#begin[first[i] + 1]++;
      for (let t = first[i] + 1; t <= last[i]; t++) this.#runStart[t + 1]++;
    }
    for (let t = 0; t < count; t++) {
      this.#begin[t + 1] += this.#begin[t];
      this.#runStart[t + 1] += this.#runStart[t];
    }
    const at = this.#runStart.slice();
    this.#running = new Int32Array(this.#runStart[count]);
    for (const i of this.#byFirst) for (let t = first[i] + 1; t <= last[i]; t++) this.#running[at[t]++] = i;
    this.#keys = new Float64Array(n);
    this.#scale = 2 ** Math.ceil(Math.log2(Math.max(2, n)));
    this.offsets = new Float64Array(n);
  }

  /** Height, or infinity as soon as it is above `limit`. */
  place(order: Int32Array, limit: number): number {
    const { offsets } = this;
    const sizes = this.#sizes;
    offsets.fill(-1);
    let height = 0;
    for (const i of order) {
      const offset = this.#lowest(i);
      offsets[i] = offset;
      if (offset + sizes[i] > height) height = offset + sizes[i];
      if (height > limit) return Number.POSITIVE_INFINITY;
    }
    return height;
  }

  /** Lowest offset where the buffer fits between what is placed. Sort keys hold an offset and whose it is. */
  #lowest(i: number): number {
    const { first, last } = this.#sections;
    const { offsets } = this;
    if (last[i] < first[i]) return 0;
    const keys = this.#keys;
    const scale = this.#scale;
    let n = 0;
    for (let k = this.#runStart[first[i]]; k < this.#runStart[first[i] + 1]; k++) {
      const j = this.#running[k];
      if (offsets[j] >= 0) keys[n++] = offsets[j] * scale + j;
    }
    for (let k = this.#begin[first[i]]; k < this.#begin[last[i] + 1]; k++) {
      const j = this.#byFirst[k];
      if (offsets[j] >= 0) keys[n++] = offsets[j] * scale + j;
    }
    if (n > FEW) keys.subarray(0, n).sort();
    else {
      for (let a = 1; a < n; a++) {
        const key = keys[a];
        let b = a;
        for (; b > 0 && keys[b - 1] > key; b--) keys[b] = keys[b - 1];
        keys[b] = key;
      }
    }
    const size = this.#sizes[i];
    let offset = 0;
    for (let k = 0; k < n; k++) {
      const at = Math.floor(keys[k] / scale);
      if (at >= offset + size) break;
      const end = at + this.#sizes[keys[k] - at * scale];
      if (end > offset) offset = end;
    }
    return offset;
  }
}
