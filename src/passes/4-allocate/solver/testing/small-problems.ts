/** Small random packing problems and their optimum by plain enumeration. Only for tests. */
import { uniformNumbers } from '../../../../seeded.ts';
import type { PackingProblem, PairList } from '../problem.ts';

export type Kind = 'plain' | 'asymmetric' | 'aligned' | 'fixed';

/** Seeded; `count` buffers, or 1 to 6. */
export function randomProblem(kind: Kind, seed: number, count?: number): PackingProblem {
  const random = uniformNumbers((seed * 2654435761) | 1);
  const upTo = (n: number) => Math.floor(random() * n);
  const n = count ?? 1 + upTo(kind === 'asymmetric' ? 5 : 6);
  const indices = Array.from({ length: n }, (_, i) => i);
  const sizes = indices.map(() => 1 + upTo(12));
  if (kind === 'asymmetric') return { sizes, pairs: randomPairs(sizes, upTo, random) };
  const from = indices.map(() => upTo(n + 2));
  const to = from.map((f) => f + 1 + upTo(n));
  const lives = { from, to };
  if (kind === 'plain') return { sizes, lives };
  const alignments = indices.map(() => (random() < 0.5 ? 1 : 2 ** upTo(4)));
  if (kind === 'aligned') return { sizes, lives, alignments };
  const fixed = indices.map(() => (random() < 0.3 ? upTo(20) : -1));
  return { sizes, lives, fixed };
}

/** Plain, overlapping, in place, and negative distances. */
function randomPairs(sizes: readonly number[], upTo: (n: number) => number, random: () => number): PairList {
  const first: number[] = [];
  const second: number[] = [];
  const above: number[] = [];
  const below: number[] = [];
  for (let a = 0; a < sizes.length; a++) {
    for (let b = a + 1; b < sizes.length; b++) {
      if (random() < 0.3) continue;
      first.push(a);
      second.push(b);
      const distance = (size: number) => (random() < 0.4 ? size : upTo(size + 6) - 5);
      above.push(distance(sizes[a]));
      below.push(distance(sizes[b]));
    }
  }
  return { first, second, above, below };
}

/** The optimum: every choice of which buffer of a pair lies above, least offsets by relaxation. */
export function leastHeight(problem: PackingProblem): number | undefined {
  const { sizes, fixed, alignments } = problem;
  const n = sizes.length;
  const pairs = problem.pairs ? listed(problem.pairs) : overlapping(problem);
  const limit = Array.from(sizes).reduce((sum, s) => sum + s, 0) + 16 * n + 32;
  let least: number | undefined;
  const choose = (k: number, offsets: readonly number[], edges: readonly Edge[]): void => {
    const settled = settle(offsets, edges, alignments, fixed, limit);
    if (!settled) return;
    const height = settled.reduce((h, at, i) => Math.max(h, at + sizes[i]), 0);
    if (least !== undefined && height >= least) return;
    if (k === pairs.length) {
      least = height;
      return;
    }
    const { a, b, above, below } = pairs[k];
    choose(k + 1, settled, [...edges, { low: a, high: b, distance: above }]);
    choose(k + 1, settled, [...edges, { low: b, high: a, distance: below }]);
  };
  choose(
    0,
    Array.from({ length: n }, (_, i) => Math.max(0, fixed?.[i] ?? 0)),
    [],
  );
  return least;
}

interface Edge {
  readonly low: number;
  readonly high: number;
  readonly distance: number;
}

interface Pair {
  readonly a: number;
  readonly b: number;
  readonly above: number;
  readonly below: number;
}

function listed({ first, second, above, below }: PairList): Pair[] {
  return Array.from(first, (a, p) => ({ a, b: second[p], above: above[p], below: below[p] })).filter(
    (p) => p.above + p.below > 0,
  );
}

function overlapping({ sizes, lives }: PackingProblem): Pair[] {
  const { from, to } = lives!;
  const pairs: Pair[] = [];
  for (let a = 0; a < sizes.length; a++) {
    for (let b = a + 1; b < sizes.length; b++) {
      if (from[a] < to[b] && from[b] < to[a]) pairs.push({ a, b, above: sizes[a], below: sizes[b] });
    }
  }
  return pairs;
}

function settle(
  start: readonly number[],
  edges: readonly Edge[],
  alignments: PackingProblem['alignments'],
  fixed: PackingProblem['fixed'],
  limit: number,
): number[] | undefined {
  const offsets = [...start];
  for (let changed = true; changed; ) {
    changed = false;
    for (const { low, high, distance } of edges) {
      const step = alignments?.[high] ?? 1;
      const need = Math.ceil((offsets[low] + distance) / step) * step;
      if (need <= offsets[high]) continue;
      if (need > limit || (fixed && fixed[high] >= 0)) return undefined;
      offsets[high] = need;
      changed = true;
    }
  }
  return offsets;
}
