/**
 * Several memory banks, fastest first: what does not fit into the first goes to the next, and what hurts least goes
 * first. Hurting is traffic: the bytes that firings read from and write to a tensor in one run.
 */
import type { TensorId } from '../graph/graph.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import type { Lifetime, Timeline } from '../passes/4-allocate/lifetimes.ts';
import { packTimeline } from '../passes/4-allocate/pack.ts';
import { addActorTraffic, type Traffic } from '../plan/traffic.ts';

export interface BankRequest {
  readonly name: string;
  readonly capacityBytes: number;
}

export interface BankAssignment {
  /** Index of its bank, by lifetime; -1 for what lies outside all of them. */
  readonly banks: readonly number[];
  readonly offsets: readonly number[];
  /** What is taken of each bank. */
  readonly bytes: readonly number[];
  /** Bytes read from and written to all banks but the first. */
  readonly slowBytes: number;
}

export interface Shortfall {
  /** The bank that does not suffice: the last one. */
  readonly name: string;
  readonly capacityBytes: number;
  readonly neededBytes: number;
}

const ALIGNMENT = 4;
const TRIES = 60;

/** Spreads a timeline over banks, or tells what the last of them lacks. */
export function assignBanks(
  network: Network,
  timeline: Timeline,
  banks: readonly BankRequest[],
  isOutside: (lifetime: number) => boolean,
): BankAssignment | Shortfall {
  return new Assignment(network, timeline, banks, isOutside).run();
}

class Assignment {
  readonly #timeline: Timeline;
  readonly #requests: readonly BankRequest[];
  readonly #bank: number[];
  readonly #cost: number[];
  /** Lifetimes that move together: the pieces of a root. */
  readonly #groups: readonly (readonly number[])[];

  constructor(
    network: Network,
    timeline: Timeline,
    requests: readonly BankRequest[],
    isOutside: (lifetime: number) => boolean,
  ) {
    this.#timeline = timeline;
    this.#requests = requests;
    this.#bank = timeline.lifetimes.map((_, i) => (isOutside(i) ? -1 : 0));
    const groups = new Map<string, number[]>();
    timeline.lifetimes.forEach((life, i) => {
      if (this.#bank[i] < 0) return;
      const key = life.root === undefined ? `w${i}` : `r${life.root}`;
      const group = groups.get(key);
      if (group) group.push(i);
      else groups.set(key, [i]);
    });
    this.#groups = [...groups.values()];
    const traffic = trafficOf(network, timeline);
    this.#cost = this.#groups.map(([i]) => {
      const { root } = timeline.lifetimes[i];
      // Working memory is used in every firing: it goes last.
      if (root === undefined) return Number.MAX_SAFE_INTEGER;
      const moved = traffic.get(network.roots[root].tensor);
      return moved ? moved.readBytes + moved.writtenBytes : 0;
    });
  }

  run(): BankAssignment | Shortfall {
    const offsets = this.#bank.map(() => 0);
    const bytes: number[] = [];
    for (const [b, { name, capacityBytes }] of this.#requests.entries()) {
      const packed = this.#fill(b, capacityBytes);
      const last = b === this.#requests.length - 1;
      if (!packed || (last && packed.heightBytes > capacityBytes))
        return { name, capacityBytes, neededBytes: this.#pack(b).heightBytes };
      bytes.push(packed.heightBytes);
      this.#bank.forEach((bank, i) => {
        if (bank === b) offsets[i] = packed.offsets[i];
      });
    }
    const slowBytes = this.#groups.reduce((sum, g, k) => sum + (this.#bank[g[0]] > 0 ? this.#cost[k] : 0), 0);
    return { banks: this.#bank, offsets, bytes, slowBytes };
  }

  /** Moves groups from bank b to the next until the rest fits; then takes back what fits after all. */
  #fill(b: number, capacityBytes: number) {
    let packed = this.#pack(b);
    const last = b === this.#requests.length - 1;
    const moved: number[] = [];
    while (!last && packed.heightBytes > capacityBytes) {
      const load = this.#worstLoad(b);
      const excess = Math.max(load.bytes, packed.heightBytes) - capacityBytes;
      const time = load.bytes > capacityBytes ? load.time : this.#timeOfTop(b, packed.offsets);
      const pick = this.#cheapest(b, time, excess);
      if (pick === undefined) return undefined;
      this.#move(pick, b + 1);
      moved.push(pick);
      packed = this.#pack(b);
    }
    for (const k of moved.sort((x, y) => this.#cost[y] - this.#cost[x])) {
      this.#move(k, b);
      const again = this.#pack(b);
      if (again.heightBytes <= capacityBytes) packed = again;
      else this.#move(k, b + 1);
    }
    return packed;
  }

  #move(group: number, to: number): void {
    for (const i of this.#groups[group]) this.#bank[i] = to;
  }

  #pack(b: number) {
    const outside = (i: number) => this.#bank[i] !== b;
    return packTimeline(this.#timeline, { alignment: ALIGNMENT, tries: TRIES, nodes: 0, outside });
  }

  /** The group live at a moment whose traffic is least, of those that free enough by themselves; else by byte freed. */
  #cheapest(b: number, time: number, excess: number): number | undefined {
    let best: number | undefined;
    let bestEnough = false;
    let bestScore = Number.POSITIVE_INFINITY;
    this.#groups.forEach((group, k) => {
      if (this.#bank[group[0]] !== b) return;
      const bytes = group.reduce((sum, i) => sum + liveAt(this.#timeline.lifetimes[i], time), 0);
      if (bytes === 0) return;
      const enough = bytes >= excess;
      const score = enough ? this.#cost[k] : this.#cost[k] / bytes;
      if (best !== undefined && (bestEnough !== enough ? bestEnough : score >= bestScore)) return;
      best = k;
      bestEnough = enough;
      bestScore = score;
    });
    return best;
  }

  #worstLoad(b: number): { time: number; bytes: number } {
    const times = new Set<number>();
    const lives = this.#timeline.lifetimes.filter((_, i) => this.#bank[i] === b);
    for (const l of lives) times.add(l.birth);
    let worst = { time: 0, bytes: 0 };
    for (const time of times) {
      const bytes = lives.reduce((sum, l) => sum + liveAt(l, time), 0);
      if (bytes > worst.bytes) worst = { time, bytes };
    }
    return worst;
  }

  #timeOfTop(b: number, offsets: readonly number[]): number {
    const { lifetimes } = this.#timeline;
    let top = -1;
    lifetimes.forEach((l, i) => {
      if (this.#bank[i] !== b) return;
      if (top < 0 || offsets[i] + l.bytes > offsets[top] + lifetimes[top].bytes) top = i;
    });
    return top < 0 ? 0 : lifetimes[top].birth;
  }
}

function liveAt(life: Lifetime, time: number): number {
  if (time < life.birth || time >= life.death) return 0;
  let lo = 0;
  let hi = life.times.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (life.times[mid] <= time) lo = mid;
    else hi = mid - 1;
  }
  return life.hi[lo] - life.lo[lo];
}

function trafficOf({ steps, graph, storage, table }: Network, timeline: Timeline): Map<TensorId, Traffic> {
  const traffic = new Map<TensorId, Traffic>();
  steps.forEach((_, s) => {
    const { shape } = table(s, timeline.modes[s], timeline.reverse?.[s]);
    addActorTraffic(traffic, graph, storage, shape);
  });
  return traffic;
}
