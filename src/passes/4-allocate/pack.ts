/**
 * Addresses for the buffers of a timeline: what they keep alive and how far apart they must lie, put to the solver.
 * The answer always holds; where it is not proven to be the lowest, the bound says how far off it can be.
 */
import type { Timeline } from './lifetimes.ts';
import { type Neighbours, separations } from './separation.ts';
import type { PackingProblem, PairList } from './solver/problem.ts';
import { solvePacking } from './solver/solve.ts';
import { packBySweep } from './solver/sweep.ts';

export interface Packing {
  readonly offsets: readonly number[];
  readonly heightBytes: number;
  /** No packing of this sequence can be lower. */
  readonly lowerBoundBytes: number;
}

export interface PackOptions {
  /** Every offset is a multiple of this. */
  readonly alignment?: number;
  /** Orders tried by the local search. */
  readonly tries?: number;
  /** Nodes of the exact search. */
  readonly nodes?: number;
  /** Buffers that take no room here (they lie in another bank). */
  readonly outside?: (index: number) => boolean;
}

/** Some tens of milliseconds for a network of a hundred buffers. */
const DEFAULT_TRIES = 1000;
const DEFAULT_NODES = 4000;

/** Offsets for all lifetimes of a timeline. */
export function packTimeline(timeline: Timeline, options: PackOptions = {}): Packing {
  const problem = problemOf(timeline, options);
  const { answer, lowerBound } = solvePacking(problem, {
    tries: options.tries ?? DEFAULT_TRIES,
    nodes: options.nodes ?? DEFAULT_NODES,
    orders: ordersOf(timeline),
  });
  // Nothing is fixed and there is no capacity, so that first fit always finds a place.
  const { offsets, height } = answer!;
  return { offsets: Array.from(offsets), heightBytes: height, lowerBoundBytes: lowerBound };
}

/**
 * Offsets lower than those of `packing`, found by sweeps over time; undefined where none are. What grows counts as
 * live whole from its birth here, and nothing is written in place: for timelines of rows placed one by one.
 */
export function sweepTimeline(
  { lifetimes }: Timeline,
  packing: Pick<Packing, 'heightBytes' | 'lowerBoundBytes'>,
  work: number,
  { alignment = 4, outside = () => false }: PackOptions = {},
): Packing | undefined {
  const problem = {
    sizes: lifetimes.map((l, i) => (outside(i) ? 0 : l.bytes)),
    from: lifetimes.map((l) => l.birth),
    to: lifetimes.map((l) => l.death),
    shrinking: new Map(lifetimes.flatMap((l, i) => (l.times.length > 1 ? [[i, l]] : []))),
    alignment,
    lowerBound: packing.lowerBoundBytes,
  };
  const found = packBySweep(problem, { below: packing.heightBytes, work });
  return (
    found && {
      offsets: Array.from(found.offsets),
      heightBytes: found.height,
      lowerBoundBytes: packing.lowerBoundBytes,
    }
  );
}

/** Orders that only lifetimes tell: by birth, by death, by length of life, and by what a buffer takes over time. */
function ordersOf({ lifetimes }: Timeline): Int32Array[] {
  const life = (i: number) => lifetimes[i].death - lifetimes[i].birth;
  const keys: ((i: number) => number)[] = [
    (i) => lifetimes[i].birth,
    (i) => -lifetimes[i].death,
    (i) => -life(i),
    (i) => -lifetimes[i].bytes * life(i),
  ];
  return keys.map((key) => Int32Array.from(lifetimes, (_, i) => i).sort((a, b) => key(a) - key(b) || a - b));
}

/** A timeline as a packing problem; what lies outside takes no room. */
export function problemOf(timeline: Timeline, options: PackOptions = {}): PackingProblem {
  const outside = options.outside ?? (() => false);
  const { lifetimes } = timeline;
  return {
    sizes: lifetimes.map((l, i) => (outside(i) ? 0 : l.bytes)),
    pairs: pairsOf(separations(timeline), outside),
    alignments: lifetimes.map(() => options.alignment ?? 4),
    lowerBound: loadBound(timeline, outside),
  };
}

function pairsOf(neighbours: readonly Neighbours[], outside: (i: number) => boolean): PairList {
  const pairs = {
    first: [] as number[],
    second: [] as number[],
    above: [] as number[],
    below: [] as number[],
  };
  neighbours.forEach(({ other, above, below }, i) => {
    other.forEach((o, k) => {
      if (o < i || outside(i) || outside(o)) return;
      pairs.first.push(i);
      pairs.second.push(o);
      pairs.above.push(above[k]);
      pairs.below.push(below[k]);
    });
  });
  return pairs;
}

/** Greatest sum of live bytes at any time. A write in place counts when its input is gone. */
function loadBound(timeline: Timeline, outside: (i: number) => boolean): number {
  const late = new Set(timeline.inPlace.map((p) => p.output));
  const events: { time: number; delta: number }[] = [];
  timeline.lifetimes.forEach((l, i) => {
    if (outside(i)) return;
    let live = 0;
    l.times.forEach((time, k) => {
      const now = l.hi[k] - l.lo[k];
      const shift = late.has(i) && time % 2 === 0 ? 1 : 0;
      if (now !== live) events.push({ time: time + shift, delta: now - live });
      live = now;
    });
    events.push({ time: l.death, delta: -live });
  });
  events.sort((a, b) => a.time - b.time || a.delta - b.delta);
  let live = 0;
  let most = 0;
  events.forEach((e, k) => {
    live += e.delta;
    const last = k + 1 === events.length || events[k + 1].time !== e.time;
    if (last && live > most) most = live;
  });
  return most;
}
