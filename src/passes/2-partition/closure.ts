/**
 * The dependence closure of a set of layers: for every map that is read inside it, the rows that must stay on the
 * chip so that no row is read or computed twice. By formula; replay.ts finds the same by running the row schedule.
 *
 * A map keeps the rows of its reader's window. Where it has several readers that meet again in one layer (the add
 * of a residual block), it also keeps the lead: how far the branch that looks further ahead has read beyond what
 * the other still wants. On a chain with skips that is the rule of Gondimalla et al. (section 3):
 * max(k, 1 + sum over the branch of (k - 1 - p) times the earlier strides).
 */
import type { FeatureMap, LayerNet, MapUse } from './layers.ts';
import { leadsTo, neededFirings, type SyncGraph, syncGraph, WaysOut } from './sync.ts';

export interface ClosureMap {
  readonly map: FeatureMap;
  readonly rows: number;
  readonly bytes: number;
}

export interface Closure {
  readonly maps: readonly ClosureMap[];
  /** Sums that folding layers keep. */
  readonly stateBytes: number;
  readonly bytes: number;
}

export interface ClosureOptions {
  /** An elementwise layer writes its row over its input's: that row of the input is not counted. */
  readonly inPlace?: boolean;
  /** False: what a map with several readers keeps for the slower one is left out (an ablation, and wrong). */
  readonly residuals?: boolean;
}

/** Answers for any set of layers of one network; keeps what it has found. */
export class Closures {
  readonly net: LayerNet;
  readonly #options: ClosureOptions;
  readonly #sync: SyncGraph;
  /** By layer and input: the widest window of the first so many firings. */
  readonly #windows: readonly (readonly Int32Array[])[];
  readonly #known = new Map<number | string, number>();
  /** Leads of maps in spans of neighbours. */
  readonly #kept = new Map<number, number>();

  constructor(net: LayerNet, options: ClosureOptions = {}) {
    this.net = net;
    this.#sync = syncGraph(net);
    this.#options = options;
    this.#windows = net.layers.map((l) =>
      l.reads.map(({ need, low }) => {
        const most = new Int32Array(l.firings + 1);
        for (let f = 0; f < l.firings; f++) most[f + 1] = Math.max(most[f], need[f] - low[f]);
        return most;
      }),
    );
  }

  /** Bytes of the closure of layers `first` to `last`. */
  spanBytes(first: number, last: number): number {
    const set: number[] = [];
    for (let i = first; i <= last; i++) set.push(i);
    return this.of(set).bytes;
  }

  /** The closure of a set of layers, given in order. */
  of(set: readonly number[]): Closure {
    const { layers, maps } = this.net;
    const inside = new Set(set);
    const rows = new Map<number, number>();
    const readers = new Map<number, number[]>();
    const needed = neededFirings(this.net, set, inside);
    let stateBytes = 0;
    for (const i of set) {
      stateBytes += layers[i].stateBytes;
      const fired = needed.get(i)!;
      layers[i].reads.forEach(({ map }, r) => {
        rows.set(map, Math.max(rows.get(map) ?? 0, this.#windows[i][r][fired]));
        const list = readers.get(map);
        if (list) list.push(i);
        else readers.set(map, [i]);
      });
    }
    if (this.#options.residuals !== false) {
      let ways: WaysOut | undefined;
      // Of neighbouring layers, what a map keeps hangs on its readers and on the last layer alone.
      const first = set[0];
      const last = set[set.length - 1];
      const neighbours = last - first + 1 === set.length;
      for (const [map, list] of readers) {
        if (list.length < 2) continue;
        const key = (map * layers.length + list[0]) * layers.length + last;
        let most = neighbours ? this.#kept.get(key) : undefined;
        if (most === undefined) {
          ways ??= new WaysOut(this.#sync, set, inside);
          most = this.#leads(map, list, ways);
          if (neighbours) this.#kept.set(key, most);
        }
        rows.set(map, Math.max(rows.get(map)!, most));
      }
    }
    if (this.#options.inPlace)
      for (const [map, n] of this.#overwritten(set, inside, readers)) rows.set(map, rows.get(map)! - n);
    const kept = [...rows].map(([map, n]) => {
      const m = maps[map];
      return { map: m, rows: n, bytes: Math.min(m.bytes, n * m.rowBytes) };
    });
    return { maps: kept, stateBytes, bytes: kept.reduce((sum, m) => sum + m.bytes, stateBytes) };
  }

  /** Maps read by one elementwise layer alone, whose result stays inside and so counts the row already. */
  #overwritten(
    set: readonly number[],
    inside: ReadonlySet<number>,
    readers: ReadonlyMap<number, readonly number[]>,
  ): [number, number][] {
    const { layers, maps } = this.net;
    return set.flatMap((i): [number, number][] => {
      const layer = layers[i];
      if (!layer.writes.some((w) => readers.has(w))) return [];
      const over = layer.inPlace.find(
        (m) => readers.get(m)?.length === 1 && !maps[m].leaves && maps[m].readers.every((r) => inside.has(r)),
      );
      return over === undefined ? [] : [[over, 1]];
    });
  }

  /** The greatest lead among the readers of a map. */
  #leads(map: number, readers: readonly number[], ways: WaysOut): number {
    let most = 0;
    for (const ahead of readers)
      for (const behind of readers) {
        if (ahead === behind) continue;
        const passed: number[] = [];
        for (const join of ways.waitsAt(behind, ahead)) {
          most = Math.max(most, this.#lead(map, ahead, behind, join, passed));
          passed.push(join);
        }
      }
    return most;
  }

  /**
   * Rows that a map keeps because layer `ahead` pulls on it while layer `behind` has yet to read, where both
   * meet in layer `join`, which fires row by row and pulls its inputs one after another.
   */
  #lead(map: number, ahead: number, behind: number, join: number, passed: readonly number[]): number {
    const n = this.#sync.nodes.length;
    const plain = ((map * n + ahead) * n + behind) * n + join;
    const key = passed.length > 0 ? `${plain} ${passed.join()}` : plain;
    let rows = this.#known.get(key);
    if (rows === undefined) {
      rows = leadOf(this.#sync, this.net, map, { ahead, behind, join, passed });
      this.#known.set(key, rows);
    }
    return rows;
  }
}

/** Two readers of a map, and where the one that is behind waits for the one that is ahead. */
interface Lead {
  readonly ahead: number;
  readonly behind: number;
  readonly join: number;
  /** Joins before this one, counted already: what is ahead is followed on ways that avoid them. */
  readonly passed: readonly number[];
}

function leadOf(sync: SyncGraph, net: LayerNet, map: number, lead: Lead): number {
  const { nodes, nodeOf } = sync;
  const { join } = lead;
  const behind = nodeOf[lead.behind];
  // A map that is part of a concat is pulled on by the concat's join.
  const puller = nodes[nodeOf[lead.ahead]].pulls.find((p) => p.maps.length > 1 && p.maps.includes(map));
  const ahead = puller ? puller.node : nodeOf[lead.ahead];
  const from = Math.min(ahead, behind);
  const every = firingsUntil(sync, join, from, []);
  const b = every.get(behind);
  const all = every.get(ahead);
  const a = lead.passed.length > 0 ? firingsUntil(sync, join, from, lead.passed).get(ahead) : all;
  if (!a || !b || !all) return 0;
  const pull = puller ? undefined : useOf(net, lead.ahead, map).need;
  const late = useOf(net, lead.behind, map);
  const wanted = (firings: number) => (firings > 0 ? (pull ? pull[firings - 1] : firings) : 0);
  const entry = (node: number) => nodes[join].pulls.findIndex((p) => leadsTo(sync, node, p.node));
  const servedFirst = ahead !== join && entry(behind) < entry(ahead);
  let most = 0;
  for (let j = 0; j < nodes[join].firings; j++) {
    const done = behind === join ? j : servedFirst ? b[j] : j > 0 ? b[j - 1] : 0;
    if (done >= net.layers[lead.behind].firings) continue;
    const want = wanted(a[j]);
    const before = Math.max(j > 0 ? wanted(all[j - 1]) : 0, done > 0 ? late.need[done - 1] : 0);
    if (want > before) most = Math.max(most, want - late.low[done]);
  }
  return most;
}

/** By node between `from` and the join: firings that the join's first j + 1 firings take, by j. */
function firingsUntil(
  { nodes }: SyncGraph,
  join: number,
  from: number,
  avoid: readonly number[],
): Map<number, Int32Array> {
  const { firings: count } = nodes[join];
  const fired = new Map([[join, Int32Array.from({ length: count }, (_, j) => j + 1)]]);
  for (let n = join; n > from; n--) {
    const upon = fired.get(n);
    if (!upon) continue;
    for (const { node, need } of nodes[n].pulls) {
      if (node < from || avoid.includes(node)) continue;
      let rows = fired.get(node);
      if (!rows) fired.set(node, (rows = new Int32Array(count)));
      for (let j = 0; j < count; j++) if (upon[j] > 0) rows[j] = Math.max(rows[j], need[upon[j] - 1]);
    }
  }
  return fired;
}

function useOf(net: LayerNet, layer: number, map: number): MapUse {
  return net.layers[layer].reads.find((u) => u.map === map)!;
}
