/** The buffers of a sweep over time, in the order in which they come to life. */

export interface SweepProblem {
  readonly sizes: ArrayLike<number>;
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
  /** Buffers whose lower end is given up bit by bit: from times[j] on nothing below lo[j] is needed. */
  readonly shrinking?: ReadonlyMap<number, Shrinking>;
  /** Every offset is a multiple of this. */
  readonly alignment: number;
  /** No packing is lower. */
  readonly lowerBound: number;
}

export interface Shrinking {
  readonly times: ArrayLike<number>;
  readonly lo: ArrayLike<number>;
}

/** Buffers in the order of their births. */
export interface Items {
  /** Index in the problem. */
  readonly order: Int32Array;
  readonly size: Int32Array;
  readonly birth: Int32Array;
  readonly death: Int32Array;
  /** By place in the order. Backwards in time nothing shrinks: such buffers count whole. */
  readonly shrinking: ReadonlyMap<number, Shrinking>;
  readonly shrinks: Uint8Array;
  readonly mostLive: number;
}

export function itemsOf(
  { sizes, from, to, alignment, shrinking }: SweepProblem,
  members: Int32Array,
  backwards: boolean,
): Items {
  const birth = (i: number) => (backwards ? -to[i] : from[i]);
  const death = (i: number) => (backwards ? -from[i] : to[i]);
  const order = members
    .slice()
    .sort((a, b) => birth(a) - birth(b) || death(b) - death(a) || sizes[b] - sizes[a] || a - b);
  let mostLive = 0;
  let live: number[] = [];
  for (const i of order) {
    live = live.filter((j) => death(j) > birth(i));
    mostLive = Math.max(mostLive, live.push(i));
  }
  // What lies against a freed end is aligned too.
  const aligned = ({ times, lo }: Shrinking): Shrinking => ({
    times,
    lo: Float64Array.from(lo, (bytes) => Math.floor(bytes / alignment) * alignment),
  });
  const shapes = new Map(
    backwards
      ? []
      : [...order].flatMap((i, k) => (shrinking?.has(i) ? [[k, aligned(shrinking.get(i)!)]] : [])),
  );
  return {
    order,
    size: Int32Array.from(order, (i) => Math.ceil(sizes[i] / alignment) * alignment),
    birth: Int32Array.from(order, birth),
    death: Int32Array.from(order, death),
    shrinking: shapes,
    shrinks: Uint8Array.from(order, (_, k) => (shapes.has(k) ? 1 : 0)),
    mostLive,
  };
}
