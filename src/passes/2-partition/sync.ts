/**
 * Who waits for whom, row by row: the layers of a network and, between the parts of a concat and its readers, a
 * join that lets all parts go on together. The formula and the replay of the closure both stand on this graph.
 */
import type { FeatureMap, Layer, LayerNet, MapUse } from './layers.ts';

export interface SyncNode {
  readonly index: number;
  /** -1 for the join of a concat's parts. */
  readonly layer: number;
  readonly firings: number;
  /** What it pulls on, in order. */
  readonly pulls: readonly Pull[];
  /** Nodes that pull on it. */
  readonly pulledBy: readonly number[];
}

export interface Pull {
  /** The node that must have fired; -1 where the map comes from outside the network. */
  readonly node: number;
  /** Maps that this is for: several where it is the join of a concat. */
  readonly maps: readonly number[];
  /** Firings of `node` (rows of the map, where it comes from outside) that firing f waits for. */
  readonly need: Int32Array;
}

export interface SyncGraph {
  readonly nodes: readonly SyncNode[];
  /** By layer. */
  readonly nodeOf: readonly number[];
  /** By node, as bits: itself and all that come before it on some way. */
  readonly before: readonly Uint32Array[];
}

interface GrowingNode extends Omit<SyncNode, 'pulls' | 'pulledBy'> {
  readonly pulls: Pull[];
  readonly pulledBy: number[];
}

export function syncGraph(net: LayerNet): SyncGraph {
  const { layers, maps } = net;
  const groups = concatGroups(net);
  const groupOf = new Map<number, number>();
  groups.forEach((g, i) => {
    for (const m of g) groupOf.set(m, i);
  });
  const nodes: GrowingNode[] = [];
  const nodeOf: number[] = [];
  const joinOf: number[] = [];
  const add = (layer: number, firings: number, pulls: Pull[]) => {
    const index = nodes.length;
    nodes.push({ index, layer, firings, pulls, pulledBy: [] });
    for (const { node } of pulls) if (node >= 0) nodes[node].pulledBy.push(index);
    return index;
  };
  const pullOn = (map: FeatureMap, need: Int32Array): Pull => {
    const node = map.writer < 0 ? -1 : nodeOf[map.writer];
    return { node, maps: [map.index], need: need.map((rows) => firingsFor(layers[map.writer], map, rows)) };
  };
  for (const layer of layers) {
    const pulls: Pull[] = [];
    const joined = new Set<number>();
    for (const use of layer.reads) {
      const g = groupOf.get(use.map);
      if (g === undefined || joinOf[g] === undefined || !groups[g].every((m) => wantsAlike(layer, m, use))) {
        pulls.push(pullOn(maps[use.map], use.need));
        continue;
      }
      if (joined.has(g)) continue;
      joined.add(g);
      const need = use.need.map((_, f) =>
        layer.reads.reduce((n, u) => (groupOf.get(u.map) === g ? Math.max(n, u.need[f]) : n), 0),
      );
      pulls.push({ node: joinOf[g], maps: groups[g], need });
    }
    nodeOf.push(add(layer.index, layer.firings, pulls));
    groups.forEach((group, g) => {
      if (Math.max(...group.map((m) => maps[m].writer)) !== layer.index) return;
      const rows = Int32Array.from({ length: maps[group[0]].rows }, (_, j) => j + 1);
      joinOf[g] = add(
        -1,
        rows.length,
        group.map((m) => pullOn(maps[m], rows)),
      );
    });
  }
  return { nodes, nodeOf, before: ancestors(nodes) };
}

/** True where a layer reads a map row for row as it reads another: both are parts that it needs side by side. */
function wantsAlike(layer: Layer, map: number, as: MapUse): boolean {
  const use = layer.reads.find((u) => u.map === map);
  return use?.need.every((rows, f) => rows === as.need[f]) ?? false;
}

function ancestors(nodes: readonly SyncNode[]): Uint32Array[] {
  const words = (nodes.length + 31) >> 5;
  const before: Uint32Array[] = [];
  for (const { index, pulls } of nodes) {
    const bits = new Uint32Array(words);
    bits[index >> 5] |= 1 << (index & 31);
    for (const { node } of pulls) {
      if (node < 0) continue;
      for (let k = 0; k < words; k++) bits[k] |= before[node][k];
    }
    before.push(bits);
  }
  return before;
}

/** Maps that lie side by side in one concat, over channels or columns, with as many rows each. */
function concatGroups({ network, maps }: LayerNet): number[][] {
  const place = (m: number) => network.storage.places[maps[m].tensor];
  const byRoot = new Map<number, number[]>();
  for (const m of maps) {
    const { root } = network.storage.places[m.tensor];
    byRoot.set(root, [...(byRoot.get(root) ?? []), m.index]);
  }
  return [...byRoot.values()].filter(
    (g) =>
      g.length > 1 &&
      g.every((m) => {
        const { offset, pixelStride, rows } = place(m);
        return maps[m].rows === maps[g[0]].rows && maps[m].rows > 1 && offset < (rows?.stride ?? pixelStride);
      }),
  );
}

/** Firings of a layer after which so many rows of its map are there: a folding layer writes in its last one. */
function firingsFor(layer: Layer | undefined, map: FeatureMap, rows: number): number {
  if (!layer || rows <= 0) return Math.max(0, rows);
  return map.rows === layer.firings ? rows : layer.firings;
}

/** Rows of a map that are there after so many firings of its writer. */
export function rowsAfter(layer: Layer, map: FeatureMap, firings: number): number {
  if (map.rows === layer.firings) return firings;
  return firings >= layer.firings ? map.rows : 0;
}

/**
 * By layer of a set: the firings that are needed. All where a result leaves the set; else as many as its readers
 * ask for, which may leave out last rows that no window touches.
 */
export function neededFirings(
  net: LayerNet,
  set: readonly number[],
  inside: ReadonlySet<number>,
): Map<number, number> {
  const needed = new Map<number, number>();
  for (let k = set.length - 1; k >= 0; k--) {
    const layer = net.layers[set[k]];
    let most = 0;
    for (const m of layer.writes) {
      const map = net.maps[m];
      if (map.leaves) most = layer.firings;
      for (const r of map.readers) {
        if (!inside.has(r)) most = layer.firings;
        if (most === layer.firings) break;
        const fired = needed.get(r)!;
        const rows = fired > 0 ? net.layers[r].reads.find((u) => u.map === m)!.need[fired - 1] : 0;
        most = Math.max(most, firingsFor(layer, map, rows));
      }
    }
    needed.set(layer.index, most);
  }
  return needed;
}

/** True where a node is another, or comes before it on some way there. */
export function leadsTo({ before }: SyncGraph, from: number, to: number): boolean {
  return to >= from && from >= 0 && ((before[to][from >> 5] >>> (from & 31)) & 1) === 1;
}

/** The ways out of a set of layers: which nodes every one of them passes. */
export class WaysOut {
  /** Nearest node through which every way out of a node goes; -1 where there is none. */
  readonly next = new Map<number, number>();
  readonly #sync: SyncGraph;

  constructor(sync: SyncGraph, set: readonly number[], inside: ReadonlySet<number>) {
    const { nodes, nodeOf } = sync;
    this.#sync = sync;
    for (let n = nodeOf[set[set.length - 1]]; n >= nodeOf[set[0]]; n--) {
      const { layer, pulledBy } = nodes[n];
      if (layer >= 0 && !inside.has(layer)) continue;
      let meet: number | undefined;
      for (const by of pulledBy) {
        if (!this.next.has(by)) continue;
        meet = meet === undefined ? by : this.#meet(meet, by);
      }
      // The join of a concat matters only where something inside reads from it.
      if (layer >= 0 || meet !== undefined) this.next.set(n, meet ?? -1);
    }
  }

  /**
   * The nodes, from layer `behind` on, that it cannot pass before layer `ahead` has fired: the first one, and
   * later ones where `ahead` also goes round it.
   */
  waitsAt(behind: number, ahead: number): number[] {
    const { nodeOf } = this.#sync;
    const joins: number[] = [];
    for (let n = nodeOf[behind]; n >= 0; n = this.next.get(n)!) {
      if (!leadsTo(this.#sync, nodeOf[ahead], n)) continue;
      joins.push(n);
      if (this.#meet(n, nodeOf[ahead]) === n) break;
    }
    return joins;
  }

  /** True where nothing keeps a node from firing as soon as its rows are there: no join is to come. */
  isFree(node: number): boolean {
    for (let n = this.next.get(node)!; n >= 0; n = this.next.get(n)!)
      if (this.#sync.nodes[n].pulls.length > 1) return false;
    return true;
  }

  #meet(a: number, b: number): number {
    let x = a;
    let y = b;
    while (x !== y) {
      if (x < 0 || y < 0) return -1;
      if (x < y) x = this.next.get(x)!;
      else y = this.next.get(y)!;
    }
    return x;
  }
}
