/** Which steps of a span may fire, and what keeps the others: each waits until its producers have written so many pixels. */
import type { StepCounts } from './span-memory.ts';
import type { FiringTable } from './tables.ts';

/** A step of the span that must have written so many pixels before firing f. */
interface Wait {
  readonly step: number;
  readonly pixels: Int32Array;
  readonly written: Int32Array;
}

export class Readiness {
  /** How often it was looked into: the time that scheduling takes. */
  looks = 0;
  readonly #fired: Int32Array;
  readonly #waits: readonly (readonly Wait[])[];
  /** What `#reach` found, and for which question. */
  readonly #asked: Int32Array;
  readonly #reached: Int32Array;
  #query = 0;

  /** Steps are counted from `first`, the span's first. */
  constructor(tables: readonly FiringTable[], first: number, { fired }: StepCounts) {
    this.#fired = fired;
    this.#asked = new Int32Array(tables.length);
    this.#reached = new Int32Array(tables.length);
    this.#waits = tables.map(({ reads }) =>
      reads.flatMap((read) =>
        read.waits.flatMap(({ step, pixels }) => {
          const producer = tables[step - first];
          return producer ? { step: step - first, pixels, written: producer.written } : [];
        }),
      ),
    );
  }

  /** The step inside the span that keeps step i from firing, or -1. */
  lacking(i: number): number {
    this.looks++;
    const f = this.#fired[i];
    const waits = this.#waits[i];
    for (let w = 0; w < waits.length; w++) if (this.#unmet(waits[w], f)) return waits[w].step;
    return -1;
  }

  #unmet({ step, pixels, written }: Wait, f: number): boolean {
    const fired = this.#fired[step];
    return (fired === 0 ? 0 : written[fired - 1]) < pixels[f];
  }

  /** Step i waits for step p. */
  waitsFor(i: number, p: number): boolean {
    const f = this.#fired[i];
    return this.#waits[i].some((wait) => wait.step === p && this.#unmet(wait, f));
  }

  /**
   * Of the steps that keep step i from firing, the one that reaches furthest up the network for what it lacks itself, or
   * -1. What is ready fires last then: a row of a concat is not begun before the rows that its other parts need are there.
   */
  deepest(i: number): number {
    const waits = this.#waits[i];
    let best = this.lacking(i);
    if (best < 0 || waits.length < 2) return best;
    this.#query++;
    let reach = -1;
    for (const { step } of waits) {
      if (step === best && reach >= 0) continue;
      if (!this.waitsFor(i, step)) continue;
      const reached = this.#reach(step);
      if (reach < 0 || reached < reach) {
        reach = reached;
        best = step;
      }
    }
    return best;
  }

  /** The first step of the span that must fire for step i to fire. */
  #reach(i: number): number {
    if (this.#asked[i] === this.#query) return this.#reached[i];
    this.looks++;
    let least = i;
    const f = this.#fired[i];
    for (const wait of this.#waits[i]) {
      if (this.#unmet(wait, f)) least = Math.min(least, this.#reach(wait.step));
    }
    this.#asked[i] = this.#query;
    this.#reached[i] = least;
    return least;
  }
}

/**
 * Sets the firings that each step of a span must do: all where its result leaves the span, else what the others read. Steps
 * are counted from `first`, the span's first.
 */
export function setTargets(
  target: Int32Array,
  tables: readonly FiringTable[],
  first: number,
  leaves: (table: FiringTable) => boolean,
): void {
  for (let i = tables.length - 1; i >= 0; i--) {
    const table = tables[i];
    if (leaves(table)) target[i] = table.count;
    if (target[i] === 0) continue;
    for (const r of table.reads) {
      for (const w of r.waits) {
        const producer = w.step - first;
        if (producer < 0 || producer >= tables.length) continue;
        let most = 0;
        for (let f = 0; f < target[i]; f++) if (w.pixels[f] > most) most = w.pixels[f];
        target[producer] = Math.max(target[producer], firingsFor(tables[producer], most));
      }
    }
  }
}

/** Firings after which so many pixels are written. */
function firingsFor(table: FiringTable, pixels: number): number {
  if (pixels <= 0) return 0;
  let lo = 0;
  let hi = table.count - 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (table.written[mid] >= pixels) hi = mid;
    else lo = mid + 1;
  }
  return lo + 1;
}
