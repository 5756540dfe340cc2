/**
 * One bank, plain buffers with lifetimes. Stretches of time with nothing live between them are packed by
 * themselves: first fit in several orders, then rounds of the exact search that aim at the bound, at the best so
 * far, and between.
 */
import { uniformNumbers } from '../../../seeded.ts';
import { IntervalFit } from './interval-fit.ts';
import type { PackingLimits, PackingProblem, PackingResult } from './problem.ts';
import { type Sections, sectionsOf, sortedBy } from './sections.ts';
import { Skyline } from './skyline.ts';

/** More buffers than this in one stretch are left to first fit: the exact search keeps a list of all conflicts. */
const MOST_EXACT = 4000;
/** Offsets in the exact search are 32-bit. */
const MOST_UNITS = 2 ** 29;

const FIRST_NODES = 500;
const GROWTH = 1.2;
/** Strands of restarts, by how fast they forget. */
const DECAYS = [1, 0.8];
/** How much more the buffers that failed often count in each round of orders. */
const BLAME = [0, 4];

interface Stretch {
  readonly members: Int32Array;
  readonly sections: Sections;
  /** In units. */
  readonly sizes: Float64Array;
  readonly keys: readonly Float64Array[];
  /** Of the best so far, in units. */
  readonly offsets: Float64Array;
  height: number;
  bound: number;
  aim: number;
  readonly strands: readonly Strand[];
}

/** One line of restarts with a memory of its own for what failed. Strands take turns: each is lucky elsewhere. */
interface Strand {
  /** What is left of old blame after each round of orders. */
  readonly decay: number;
  round: number;
  readonly random: () => number;
  nodes: number;
  exact?: Skyline;
}

export function solveLives(problem: PackingProblem, limits: PackingLimits): PackingResult {
  const unit = unitOf(problem.sizes);
  const offsets = new Float64Array(problem.sizes.length);
  const known = Math.ceil((problem.lowerBound ?? 0) / unit);
  const stretches = stretchesOf(problem).map((members) => stretchOf(problem, members, unit));
  const boundNow = () => stretches.reduce((b, s) => Math.max(b, s.bound), known);
  const heightNow = () => stretches.reduce((h, s) => Math.max(h, s.height), 0);
  let reported = Number.POSITIVE_INFINITY;
  const report = () => {
    const height = heightNow();
    if (height >= reported) return;
    reported = height;
    for (const s of stretches) {
      for (let k = 0; k < s.members.length; k++) offsets[s.members[k]] = s.offsets[k] * unit;
    }
    limits.onBetter?.({ offsets: offsets.slice(), height: height * unit });
  };
  const enough = () => Math.max(boundNow(), Math.floor((limits.target ?? 0) / unit));
  firstFits(stretches, () => limits.shouldStop?.() ?? false, enough, report);
  limits.onBound?.(boundNow() * unit);
  let nodes = limits.nodes ?? 0;
  while (nodes > 0 && heightNow() > enough() && !limits.shouldStop?.()) {
    const stretch = stretches.reduce((a, b) => (b.height > a.height ? b : a));
    if (stretch.members.length > MOST_EXACT || stretch.height >= MOST_UNITS) break;
    const before = boundNow();
    nodes -= round(stretch, enough(), limits.target !== undefined, nodes, limits.shouldStop);
    report();
    if (boundNow() > before) limits.onBound?.(boundNow() * unit);
  }
  report();
  const height = heightNow() * unit;
  const lowerBound = Math.min(boundNow() * unit, height);
  return {
    answer: { offsets, height },
    lowerBound,
    optimal: lowerBound === height,
    infeasible: false,
    nodes: (limits.nodes ?? 0) - nodes,
  };
}

/** All stretches by one order before any has the next, so that there is an answer soon. */
function firstFits(
  stretches: readonly Stretch[],
  shouldStop: () => boolean,
  enough: () => number,
  report: () => void,
): void {
  const fits = stretches.map((s) => new IntervalFit(s.sections, s.sizes));
  const kinds = stretches.reduce((n, s) => Math.max(n, s.keys.length), 0);
  for (let kind = 0; kind < kinds; kind++) {
    stretches.forEach((s, at) => {
      if (kind > 0 && s.height <= enough()) return;
      const order = sortedBy(s.members.length, (k) => -s.keys[kind][k]);
      const height = fits[at].place(order, s.height - 1);
      if (height === Number.POSITIVE_INFINITY) return;
      s.height = height;
      s.offsets.set(fits[at].offsets);
    });
    report();
    if (shouldStop()) return;
  }
}

/** One run of the exact search on one stretch; `only`: nothing above `enough` is of use. Returns the nodes it took. */
function round(
  s: Stretch,
  enough: number,
  only: boolean,
  nodeLimit: number,
  shouldStop?: () => boolean,
): number {
  const strand = s.strands.reduce((a, b) => (b.nodes < a.nodes ? b : a));
  strand.exact ??= new Skyline(s.sections, Int32Array.from(s.sizes));
  const { exact } = strand;
  const lap = Math.floor(strand.round / s.keys.length);
  const keys = s.keys[strand.round % s.keys.length];
  const blame = lap === 0 ? 0 : BLAME[lap % BLAME.length];
  const noise = lap === 0 ? 0 : 0.3;
  const most = exact.weight.reduce((m, w) => Math.max(m, w), 1);
  exact.rank(
    (k) => keys[k] * (1 + noise * (2 * strand.random() - 1)) * (1 + (blame * exact.weight[k]) / most),
  );
  strand.round++;
  const lapEnds = strand.round % s.keys.length === 0;
  if (lapEnds && strand.decay < 1)
    for (let k = 0; k < exact.weight.length; k++) exact.weight[k] *= strand.decay;
  const goal = Math.max(s.bound, enough);
  s.aim = Math.min(Math.max(s.aim, goal), s.height - 1);
  const nodes = exact.nodes;
  const verdict = exact.fits(s.aim, Math.min(nodeLimit, Math.ceil(FIRST_NODES * GROWTH ** lap)), shouldStop);
  if (verdict === 'found') {
    s.offsets.set(exact.offsets);
    s.height = s.sizes.reduce((h, size, k) => Math.max(h, exact.offsets[k] + size), 0);
    s.aim = goal;
  } else if (verdict === 'impossible') {
    s.bound = Math.max(s.bound, s.aim + 1);
    s.aim = s.bound;
  } else if (!only && lapEnds) {
    // Half way to what is known to be possible; from there back to the goal.
    const next = Math.ceil((s.aim + s.height) / 2);
    s.aim = s.aim >= s.height - 1 ? goal : Math.min(next, s.height - 1);
  }
  const taken = Math.max(1, exact.nodes - nodes);
  strand.nodes += taken;
  return taken;
}

function stretchOf(problem: PackingProblem, members: Int32Array, unit: number): Stretch {
  const { from, to } = problem.lives!;
  const sections = sectionsOf(problem.lives!, members);
  const sizes = Float64Array.from(members, (i) => problem.sizes[i] / unit);
  const load = new Float64Array(sections.count + 1);
  for (let k = 0; k < members.length; k++) {
    if (sections.last[k] < sections.first[k]) continue;
    load[sections.first[k]] += sizes[k];
    load[sections.last[k] + 1] -= sizes[k];
  }
  for (let t = 1; t <= sections.count; t++) load[t] += load[t - 1];
  const crowd = new Float64Array(members.length);
  for (let k = 0; k < members.length; k++) {
    for (let t = sections.first[k]; t <= sections.last[k]; t++) crowd[k] = Math.max(crowd[k], load[t]);
  }
  const life = Float64Array.from(members, (i) => to[i] - from[i]);
  const width = life.map((_, k) => sections.last[k] - sections.first[k] + 1);
  const bound = Math.max(
    load.reduce((m, l) => Math.max(m, l), 0),
    sizes.reduce((m, s) => Math.max(m, s), 0),
  );
  return {
    members,
    sections,
    sizes,
    // Longest first, most crowded first, by area, by size, by sections and size (after MiniMalloc and TelaMalloc).
    keys: [
      width,
      crowd.map((c, k) => c ** 4 * width[k]),
      life.map((l, k) => l * sizes[k]),
      sizes,
      width.map((w, k) => w * sizes[k]),
    ],
    offsets: new Float64Array(members.length),
    height: Number.POSITIVE_INFINITY,
    bound,
    aim: bound,
    strands: DECAYS.map((decay, k) => ({
      decay,
      round: 0,
      random: uniformNumbers(0x2545f491 + k),
      nodes: 0,
    })),
  };
}

/** Buffers between moments at which nothing is live; those that are never live are with the first. */
function stretchesOf({ sizes, lives }: PackingProblem): Int32Array[] {
  const { from, to } = lives!;
  const order = sortedBy(sizes.length, (i) => (to[i] > from[i] ? from[i] : Number.NEGATIVE_INFINITY));
  const result: number[][] = [];
  let reach = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    const live = to[i] > from[i];
    if (result.length === 0 || (live && from[i] >= reach && reach > Number.NEGATIVE_INFINITY))
      result.push([]);
    result[result.length - 1].push(i);
    if (live) reach = Math.max(reach, to[i]);
  }
  return result.map((r) => Int32Array.from(r));
}

/** Offsets of a lowest answer are sums of sizes, so what divides all sizes divides them. */
function unitOf(sizes: ArrayLike<number>): number {
  let unit = 0;
  for (let i = 0; i < sizes.length && unit !== 1; i++) {
    let other = sizes[i];
    while (other > 0) [unit, other] = [other, unit % other];
  }
  return Math.max(1, unit);
}
