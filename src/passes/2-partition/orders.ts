/**
 * The order of layers, improved where that lowers traffic. Over all orders that a network can run in, a partition is
 * a way up through its down-sets: each step takes some layers whose inputs are there already. So the least traffic
 * over all orders and all cuts is a shortest path, exact where there are few enough down-sets (a residual network has
 * a handful for each block).
 */

import { doneKey } from '../../graph/done-key.ts';
import { wholeNumbers } from '../../seeded.ts';
import { bestCuts } from './cuts.ts';
import type { LayerNet } from './layers.ts';

export interface OrderLimit {
  /** Down-sets that are looked at, at most. */
  readonly states?: number;
  /** Sets of layers that are weighed, at most. */
  readonly sets?: number;
}

const MAX_STATES = 4_000;
const MAX_SETS = 60_000;

interface State {
  readonly done: Uint8Array;
  readonly count: number;
  cost: number;
  spans: number;
  from?: State;
  set: readonly number[];
}

/** The sets of layers to run one after another; undefined where a limit was met first. */
export function bestSets(
  net: LayerNet,
  cost: (set: readonly number[]) => number | undefined,
  { states = MAX_STATES, sets = MAX_SETS }: OrderLimit = {},
): readonly (readonly number[])[] | undefined {
  const n = net.layers.length;
  const needs = net.layers.map((l) => [
    ...new Set(l.reads.map((u) => net.maps[u.map].writer).filter((w) => w >= 0)),
  ]);
  const bySize: Map<string, State>[] = Array.from({ length: n + 1 }, () => new Map());
  bySize[0].set('', { done: new Uint8Array(n), count: 0, cost: 0, spans: 0, set: [] });
  let known = 1;
  let weighed = 0;
  for (let size = 0; size < n; size++) {
    for (const from of bySize[size].values()) {
      // Every set that can follow, grown one layer at a time while it fits.
      const seen = new Set<string>();
      const open: { readonly done: Uint8Array; readonly set: readonly number[] }[] = [
        { done: from.done, set: [] },
      ];
      for (let at = open.pop(); at; at = open.pop()) {
        for (const layer of ready(needs, at.done)) {
          const done = at.done.slice();
          done[layer] = 1;
          const key = doneKey(done);
          if (seen.has(key)) continue;
          seen.add(key);
          const set = [...at.set, layer].sort((a, b) => a - b);
          if (++weighed > sets) return undefined;
          const own = cost(set);
          if (own === undefined) continue;
          open.push({ done, set });
          const count = from.count + set.length;
          const value = from.cost + own;
          const before = bySize[count].get(key);
          if (!before && ++known > states) return undefined;
          if (before && (before.cost < value || (before.cost === value && before.spans <= from.spans + 1)))
            continue;
          bySize[count].set(key, { done, count, cost: value, spans: from.spans + 1, from, set });
        }
      }
    }
  }
  const [end] = bySize[n].values();
  const way: (readonly number[])[] = [];
  for (let s: State | undefined = end; s?.from; s = s.from) way.push(s.set);
  return way.reverse();
}

/**
 * A good order where there are too many to look at: from the order given, layers and branches are moved as far as what
 * they read and what reads them allows, and what is no worse is kept. Seeded, so that the same network gives the
 * same order.
 */
export function improvedSets(
  net: LayerNet,
  cost: (set: readonly number[]) => number | undefined,
  sets = MAX_SETS,
): readonly (readonly number[])[] {
  const needs = net.layers.map((l) => l.reads.map((u) => net.maps[u.map].writer).filter((w) => w >= 0));
  const feeds = net.layers.map((l) => l.writes.flatMap((m) => net.maps[m].readers));
  const known = new Map<string, number | undefined>();
  const setsOf = (order: readonly number[]) => {
    const slice = (i: number, j: number) => order.slice(i, j + 1).sort((a, b) => a - b);
    const found = bestCuts(order.length, (i, j) => {
      const set = slice(i, j);
      const key = set.join();
      if (!known.has(key)) known.set(key, cost(set));
      return known.get(key);
    })!;
    return { cost: found.cost, sets: found.spans.map(([i, j]) => slice(i, j)) };
  };
  let order = net.layers.map((l) => l.index);
  let best = setsOf(order);
  const next = wholeNumbers(1);
  for (let tries = 0; tries < 20 * order.length && known.size < sets; tries++) {
    const moved = moveOne(order, needs, feeds, next);
    if (!moved) continue;
    const found = setsOf(moved);
    if (found.cost > best.cost) continue;
    order = moved;
    best = found;
  }
  return best.sets;
}

/** A layer, and those after it that hang on it alone, at another place that they may have; undefined where there is none. */
function moveOne(
  order: readonly number[],
  needs: readonly (readonly number[])[],
  feeds: readonly (readonly number[])[],
  next: () => number,
): number[] | undefined {
  const first = order[next() % order.length];
  const block = [first];
  while (next() % 3 > 0) {
    const last = block[block.length - 1];
    const follower = feeds[last].length === 1 ? feeds[last][0] : -1;
    if (follower < 0 || needs[follower].length !== 1) break;
    block.push(follower);
  }
  const inside = new Set(block);
  const rest = order.filter((x) => !inside.has(x));
  const place = new Map(rest.map((x, i) => [x, i]));
  let from = 0;
  let to = rest.length;
  for (const x of block) {
    for (const w of needs[x]) if (!inside.has(w)) from = Math.max(from, place.get(w)! + 1);
    for (const r of feeds[x]) if (!inside.has(r)) to = Math.min(to, place.get(r)!);
  }
  if (to < from) return undefined;
  const at = from + (next() % (to - from + 1));
  const moved = [...rest.slice(0, at), ...block, ...rest.slice(at)];
  return moved.every((x, i) => x === order[i]) ? undefined : moved;
}

function ready(needs: readonly (readonly number[])[], done: Uint8Array): number[] {
  const layers: number[] = [];
  for (let i = 0; i < done.length; i++) if (!done[i] && needs[i].every((w) => done[w])) layers.push(i);
  return layers;
}
