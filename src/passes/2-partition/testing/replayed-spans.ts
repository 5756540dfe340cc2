/** Every span of a network with its closure by the formula and by the replay. Only for tests and benches. */
import { Closures } from '../closure.ts';
import type { LayerNet } from '../layers.ts';
import { replayClosure } from '../replay.ts';
import { syncGraph } from '../sync.ts';
import { rangeOf } from '../traffic.ts';

export interface ReplayedSpan {
  readonly first: number;
  readonly last: number;
  /** Ways out: layers of the span that none in it reads. */
  readonly exits: number;
  /** Rows by the formula less rows that the replay holds, map by map. */
  readonly differences: readonly number[];
}

/** Those with as many ways out as `counted` accepts. */
export function* replayedSpans(net: LayerNet, counted: (exits: number) => boolean): Generator<ReplayedSpan> {
  const closures = new Closures(net);
  const sync = syncGraph(net);
  for (let first = 0; first < net.layers.length; first++)
    for (let last = first; last < net.layers.length; last++) {
      const set = rangeOf(first, last);
      const inside = (m: number) => net.maps[m].readers.some((r) => r >= first && r <= last);
      const exits = set.filter((l) => !net.layers[l].writes.some(inside)).length;
      if (!counted(exits)) continue;
      yield { first, last, exits, differences: rowDifferences(net, set, closures, sync) };
    }
}

/** What the formula says less what the replay holds, in rows, for each map of the span. */
export function rowDifferences(
  net: LayerNet,
  set: readonly number[],
  closures: Closures,
  sync = syncGraph(net),
): number[] {
  const { rows } = replayClosure(net, set, sync);
  return closures.of(set).maps.map((m) => m.rows - (rows.get(m.map.index) ?? 0));
}
