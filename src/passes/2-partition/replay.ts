/**
 * The closure found by running: a set of layers fires row by row on demand, and what each map must hold is
 * counted. A layer that leaves the set pulls the rows it lacks, its inputs one after another; where several leave,
 * each goes on as soon as its rows are there, so that nothing waits for it.
 */
import type { LayerNet } from './layers.ts';
import { rowsAfter, type SyncGraph, syncGraph, WaysOut } from './sync.ts';

export interface Replay {
  /** Most rows held at once, by map. */
  readonly rows: ReadonlyMap<number, number>;
  /** Layers in the order they fired; a row of map m that came from outside is -1 - m. */
  readonly sequence: readonly number[];
}

export function replayClosure(
  net: LayerNet,
  set: readonly number[],
  sync: SyncGraph = syncGraph(net),
): Replay {
  return new Run(net, sync, set).go();
}

/** Firings within firings, each of a few calls. */
const DEEP = 300;

class Run {
  readonly #net: LayerNet;
  readonly #sync: SyncGraph;
  readonly #set: readonly number[];
  readonly #inside: ReadonlySet<number>;
  readonly #fired: number[];
  /** Rows of each map that are there. */
  readonly #there: number[];
  readonly #held = new Map<number, number>();
  readonly #readers = new Map<number, number[]>();
  readonly #sequence: number[] = [];
  /** Nodes that nothing inside reads. */
  readonly #exits: number[] = [];
  /** Nodes that are being fired, and pull what they lack. */
  readonly #busy = new Set<number>();
  #depth = 0;
  /** Nodes that may fire as soon as their rows are there, the most downstream first. */
  readonly #free = new Set<number>();
  readonly #target = new Map<number, number>();

  constructor(net: LayerNet, sync: SyncGraph, set: readonly number[]) {
    this.#net = net;
    this.#sync = sync;
    this.#set = set;
    this.#inside = new Set(set);
    this.#fired = sync.nodes.map(() => 0);
    this.#there = net.maps.map(() => 0);
    for (const i of set)
      for (const { map } of net.layers[i].reads)
        this.#readers.set(map, [...(this.#readers.get(map) ?? []), i]);
  }

  go(): Replay {
    this.#targets();
    const unfinished = (n: number) => this.#fired[n] < this.#target.get(n)!;
    const share = (n: number) => (this.#fired[n] + 1) / this.#sync.nodes[n].firings;
    // The exits first; what is read inside and leaves as well may lack its last rows then.
    for (const nodes of [this.#exits, [...this.#target.keys()]])
      for (let open = nodes.filter(unfinished); open.length > 0; open = nodes.filter(unfinished))
        this.#fire(open.reduce((a, b) => (share(b) < share(a) ? b : a)));
    return { rows: this.#held, sequence: this.#sequence };
  }

  /** Nodes that nothing inside reads fire to their end; the others as often as those need. */
  #targets(): void {
    const { nodes } = this.#sync;
    const read = new Set<number>();
    for (let n = nodes.length - 1; n >= 0; n--) {
      const { layer, firings, pulls } = nodes[n];
      if (layer >= 0 ? !this.#inside.has(layer) : !this.#target.has(n)) continue;
      if (layer >= 0 && !read.has(n)) this.#exits.push(n);
      const leaves = layer >= 0 && this.#leaves(layer);
      const target = leaves || !read.has(n) ? firings : (this.#target.get(n) ?? 0);
      this.#target.set(n, target);
      for (const { node, need } of pulls) {
        if (node < 0) continue;
        const { layer: writer } = nodes[node];
        if (writer >= 0 && !this.#inside.has(writer)) continue;
        read.add(node);
        let most = this.#target.get(node) ?? 0;
        for (let f = 0; f < target; f++) most = Math.max(most, need[f]);
        this.#target.set(node, most);
      }
    }
    const ways = new WaysOut(this.#sync, this.#set, this.#inside);
    const free = [...this.#target.keys()].filter((n) => ways.next.has(n) && ways.isFree(n));
    for (const n of free.sort((a, b) => b - a)) this.#free.add(n);
  }

  #leaves(layer: number): boolean {
    return this.#net.layers[layer].writes.some((m) => {
      const { leaves, readers } = this.#net.maps[m];
      return leaves || readers.some((r) => !this.#inside.has(r));
    });
  }

  /** Fires a node once, after pulling what it lacks; then whatever has become able to. */
  #fire(n: number): void {
    if (this.#fireAlone(n)) this.#goOn();
  }

  /** As `#fire`, but for what follows. */
  #fireAlone(n: number): boolean {
    const before = this.#busy.has(n);
    this.#busy.add(n);
    this.#depth++;
    const done = this.#pullAndFire(n);
    this.#depth--;
    if (!before) this.#busy.delete(n);
    return done;
  }

  /** False where it was fired meanwhile, as its rows had come. */
  #pullAndFire(n: number): boolean {
    const node = this.#sync.nodes[n];
    const f = this.#fired[n];
    for (const pull of node.pulls) {
      const outside = this.#isOutside(pull.node);
      if (outside) {
        for (const m of pull.maps) {
          const wanted = Math.min(this.#net.maps[m].rows, this.#rowsWanted(n, m, pull.need[f]));
          while (this.#there[m] < wanted && this.#fired[n] === f) this.#arrive(m);
        }
      } else while (this.#fired[pull.node] < pull.need[f] && this.#fired[n] === f) this.#fire(pull.node);
      if (this.#fired[n] !== f) return false;
    }
    this.#fired[n] = f + 1;
    if (node.layer >= 0) {
      this.#sequence.push(node.layer);
      const layer = this.#net.layers[node.layer];
      for (const m of layer.writes) this.#write(m, rowsAfter(layer, this.#net.maps[m], f + 1));
    }
    return true;
  }

  #isOutside(node: number): boolean {
    if (node < 0) return true;
    const { layer } = this.#sync.nodes[node];
    return layer >= 0 && !this.#inside.has(layer);
  }

  /** Rows of an outside map that firing `f` of a node wants: a join wants them of each part. */
  #rowsWanted(n: number, map: number, need: number): number {
    const { layer } = this.#sync.nodes[n];
    if (layer < 0) return need;
    const use = this.#net.layers[layer].reads.find((u) => u.map === map);
    return use ? use.need[this.#fired[n]] : need;
  }

  #arrive(map: number): void {
    this.#sequence.push(-1 - map);
    this.#write(map, this.#there[map] + 1);
    this.#goOn();
  }

  #write(map: number, rows: number): void {
    if (rows <= this.#there[map]) return;
    this.#there[map] = rows;
    const readers = this.#readers.get(map);
    if (!readers) return;
    let low = rows;
    for (const r of readers) {
      const use = this.#net.layers[r].reads.find((u) => u.map === map)!;
      const n = this.#sync.nodeOf[r];
      const f = this.#fired[n];
      if (f < (this.#target.get(n) ?? 0)) low = Math.min(low, use.low[f]);
    }
    this.#held.set(map, Math.max(this.#held.get(map) ?? 0, rows - low));
  }

  /** With several exits: what waits for no join goes on as far as the rows that are there allow. */
  #goOn(): void {
    if (this.#exits.length < 2) return;
    for (let fired = true; fired; ) {
      fired = false;
      for (const n of this.#free) {
        if (this.#fired[n] >= this.#target.get(n)!) continue;
        // So deep that the stack is in danger: what is pulling rows already pulls no second time.
        const atOnce = this.#depth > DEEP && this.#busy.has(n);
        if (!this.#able(n, this.#fired[n] + 1, atOnce)) continue;
        this.#fireAlone(n);
        fired = true;
        break;
      }
    }
  }

  /** True where a node can come to so many firings from the rows that are there, and what waits to be pulled. */
  #able(n: number, firings: number, atOnce = false): boolean {
    const f = firings - 1;
    return this.#sync.nodes[n].pulls.every((pull) => {
      if (this.#isOutside(pull.node))
        return pull.maps.every((m) => {
          const { layer } = this.#sync.nodes[n];
          const use = layer < 0 ? undefined : this.#net.layers[layer].reads.find((u) => u.map === m);
          return this.#there[m] >= Math.min(this.#net.maps[m].rows, use ? use.need[f] : pull.need[f]);
        });
      if (this.#fired[pull.node] >= pull.need[f]) return true;
      return !atOnce && !this.#free.has(pull.node) && this.#able(pull.node, pull.need[f]);
    });
  }
}
