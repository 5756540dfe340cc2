/**
 * The order of firings with the least peak of live bytes, exactly. A state says how often each step has fired; what is
 * live in it is the sum over tensors of what has been written and is still read. A tensor's live part is a sum of
 * functions of one step each and a maximum of falling ones, so what is live is submodular over the states (for
 * tensors with one writer): what a firing frees only grows with what else has fired.
 *
 * Two things follow. A firing that leaves no more live than before, and goes no higher than was gone before, can be
 * done at once. And a valley, the lowest state that can be reached over the lowest pass and is no higher than where one
 * stands, lies on some best way: for any other way through y, going through both costs no more, since
 * M(y or t) <= M(y) + M(t) - M(y and t) <= M(y). So the search goes from valley to valley and never looks back.
 * This is the rule that says when a producer must run on: until what is live has come down again.
 */
import { Heap } from './heap.ts';
import type { Network } from './steps.ts';
import { ringGranule } from './stream.ts';
import type { FiringTable, Mode, WriteAccess } from './tables.ts';

export interface ExactRequest {
  readonly first: number;
  readonly last: number;
  readonly mode: Exclude<Mode, 'singles'>;
  /** States that may be expanded before the search gives up. */
  readonly maxStates?: number;
  /** `valleys`: from valley to valley. `plain`: best first over all states, which proves the other. */
  readonly method?: 'valleys' | 'plain';
}

export interface ExactOrder {
  /** Greatest sum of live bytes, working memory counted while it is used. */
  readonly peakBytes: number;
  /** Steps in firing order. */
  readonly order: Int32Array;
  readonly states: number;
}

const MAX_STATES = 200_000;

/** Undefined where the search gave up, or where steps wait for each other. */
export function exactOrder(network: Network, request: ExactRequest): ExactOrder | undefined {
  return new OrderSearch(network, request).run(request.method ?? 'valleys', request.maxStates ?? MAX_STATES);
}

/** Some order that never goes above a limit; other seeds give others. Undefined where none was found within the allowance. */
export function orderWithin(
  network: Network,
  request: ExactRequest,
  limitBytes: number,
  seed: number,
): Int32Array | undefined {
  return new OrderSearch(network, request).within(limitBytes, seed, request.maxStates ?? MAX_STATES);
}

/** Peak of live bytes of an order of steps, counted as the search counts. */
export function peakOfOrder(network: Network, request: ExactRequest, order: ArrayLike<number>): number {
  return new OrderSearch(network, request).peakOf(order);
}

/** How far each step is, what is live, and how high the way went. */
interface State {
  readonly fired: Uint16Array;
  readonly live: number;
  readonly peak: number;
  readonly total: number;
  readonly previous?: State;
  readonly step: number;
}

/** What firing a step does. */
interface Move {
  readonly step: number;
  readonly during: number;
  readonly after: number;
}

/** An input that a step may write its output over, element by element. */
interface Over {
  readonly input: number;
  readonly output: number;
}

/** A tensor with the steps that write and read it; -1 entries are what happened before. */
interface Root {
  readonly bytes: number;
  readonly size: number;
  readonly kept: boolean;
  /** Written before the span begins. */
  readonly there: boolean;
  /** Elements that come and go together: a row of what stays inside the span. */
  readonly granule: number;
  /** `hi`: what is written after each firing; `part`: what each writes. */
  readonly writers: { readonly step: number; readonly hi: Int32Array; readonly part: WriteAccess }[];
  readonly readers: { readonly step: number; readonly lo: Int32Array; readonly upTo?: Int32Array }[];
  /** Nobody reads what lies from here on. */
  needed: number;
}

/** Rows that are placed singly begin at multiples of this. */
const ALIGNMENT = 4;

/** Bytes of elements of a root: of whole rows, where it goes by rows. */
function bytesOf({ granule, bytes }: Root, elements: number): number {
  if (granule === 1) return elements * bytes;
  const row = Math.ceil((granule * bytes) / ALIGNMENT) * ALIGNMENT;
  return Math.ceil(elements / granule) * row;
}

/** What is tried first: what lowers live bytes, the step furthest down or up, or anything. The greatest key goes first. */
const STYLES: readonly ((m: Move, live: number) => number)[] = [
  ({ step }) => step * 2,
  () => 0,
  ({ after }, live) => (after <= live ? 2 : 0),
  ({ step }) => -step * 2,
];

function randomFrom(seed: number): () => number {
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

class OrderSearch {
  readonly #first: number;
  readonly #tables: readonly FiringTable[];
  readonly #roots: readonly Root[];
  /** Roots that a step writes, and those that it reads or writes. */
  readonly #writes: readonly (readonly number[])[];
  readonly #touches: readonly (readonly number[])[];
  readonly #over: readonly (readonly Over[])[];
  readonly #target: Int32Array;
  #states = 0;

  constructor(network: Network, { first, last, mode }: ExactRequest) {
    this.#first = first;
    const steps = last - first + 1;
    this.#tables = Array.from({ length: steps }, (_, i) => network.table(first + i, mode));
    const inside = (s: number) => s >= first && s <= last;
    this.#roots = network.roots.map(
      (info): Root => ({
        bytes: info.external ? 0 : info.elementBytes,
        size: info.elements,
        kept: info.kept || info.readers.some((s) => s > last),
        there: info.writers.length > 0 && info.writers.every((s) => s < first),
        granule:
          !info.kept && info.writers.every(inside) && info.readers.every(inside)
            ? ringGranule(info, mode)
            : 1,
        writers: [],
        readers: [],
        needed: info.elements,
      }),
    );
    this.#tables.forEach((table, step) => {
      for (const w of table.writes) {
        const hi = Int32Array.from(w.hi);
        for (let f = 1; f < hi.length; f++) hi[f] = Math.max(hi[f], hi[f - 1]);
        this.#roots[w.root].writers.push({ step, hi, part: w });
      }
      for (const r of table.reads) this.#roots[r.root].readers.push({ step, lo: r.lo, upTo: r.upTo });
    });
    this.#writes = this.#tables.map((t) => [...new Set(t.writes.map((w) => w.root))]);
    this.#touches = this.#tables.map((t, i) => [
      ...new Set([...this.#writes[i], ...t.reads.map((r) => r.root)]),
    ]);
    this.#over = this.#tables.map(({ reads, writes }) =>
      reads.flatMap((r) => {
        const output = writes[0]?.root;
        const possible = r.inPlace && r.root !== output && network.roots[output].writers.length === 1;
        return possible && !network.roots[r.root].external ? [{ input: r.root, output }] : [];
      }),
    );
    const leaves = (root: number) =>
      network.roots[root].kept ||
      !network.roots[root].writers.every(inside) ||
      !network.roots[root].readers.every(inside);
    this.#target = this.#targets(leaves);
    for (const r of this.#roots) if (!r.kept && r.readers.length > 0) r.needed = this.#neededOf(r);
  }

  #neededOf({ readers, size }: Root): number {
    let needed = 0;
    for (const { step, upTo } of readers)
      if (this.#target[step] > 0) needed = Math.max(needed, upTo?.[this.#target[step] - 1] ?? size);
    return needed;
  }

  /** Firings that are needed: all where a result leaves the span, else what the others read. */
  #targets(leaves: (root: number) => boolean): Int32Array {
    const target = new Int32Array(this.#tables.length);
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const table = this.#tables[i];
      if (table.writes.length === 0 || table.writes.some((w) => leaves(w.root))) target[i] = table.count;
      for (const { waits } of table.reads) {
        for (const w of waits) {
          const producer = w.step - this.#first;
          if (producer < 0) continue;
          let most = 0;
          for (let f = 0; f < target[i]; f++) most = Math.max(most, w.pixels[f]);
          if (most === 0) continue;
          const needed = this.#tables[producer].written.findIndex((n) => n >= most) + 1;
          target[producer] = Math.max(target[producer], needed);
        }
      }
    }
    return target;
  }

  run(method: 'valleys' | 'plain', maxStates: number): ExactOrder | undefined {
    const fired = new Uint16Array(this.#tables.length);
    const live = this.#roots.reduce((sum, r) => sum + this.#liveOf(r, fired), 0);
    let state: State = { fired, live, peak: live, total: 0, step: -1 };
    const all = this.#target.reduce((sum, n) => sum + n, 0);
    while (state.total < all) {
      const next = this.#climb(state, all, method === 'valleys', maxStates);
      if (!next) return undefined;
      state = next;
    }
    const order: number[] = [];
    for (let s: State | undefined = state; s && s.step >= 0; s = s.previous) order.push(s.step + this.#first);
    return { peakBytes: state.peak, order: Int32Array.from(order.reverse()), states: this.#states };
  }

  /** From one valley to the next, or to the end. */
  #climb(from: State, all: number, valleys: boolean, maxStates: number): State | undefined {
    const open = new Heap<State>((a, b) => a.peak < b.peak || (a.peak === b.peak && a.live <= b.live));
    open.push({ ...from, peak: from.live });
    const seen = new Set<string>();
    let found: State | undefined;
    for (let state = open.pop(); state; state = open.pop()) {
      // All that lies no higher than the way to the first valley has been seen: the lowest is it.
      if (found && state.peak > found.peak) break;
      const key = String.fromCharCode(...state.fired);
      if (seen.has(key)) continue;
      seen.add(key);
      if (state.total === all) {
        if (!found || state.live <= found.live) found = state;
        break;
      }
      if (valleys && state.total > from.total && state.live <= from.live)
        if (!found || state.live < found.live || (state.live === found.live && state.total > found.total))
          found = state;
      if (++this.#states > maxStates) return undefined;
      const moves = this.#moves(state);
      const free = moves.find((m) => m.after <= state.live && m.during <= state.peak);
      for (const m of free ? [free] : moves) {
        const fired = state.fired.slice();
        fired[m.step]++;
        const peak = Math.max(state.peak, m.during);
        open.push({ fired, live: m.after, peak, total: state.total + 1, previous: state, step: m.step });
      }
    }
    return found && { ...found, peak: Math.max(found.peak, from.peak) };
  }

  /** Depth first; moves that were tried in vain are not tried again from the same state. */
  within(limitBytes: number, seed: number, maxStates: number): Int32Array | undefined {
    const random = randomFrom(seed);
    const style = STYLES[seed % STYLES.length];
    const all = this.#target.reduce((sum, n) => sum + n, 0);
    const fired = new Uint16Array(this.#tables.length);
    const live = this.#roots.reduce((sum, r) => sum + this.#liveOf(r, fired), 0);
    const seen = new Set<string>();
    const order: number[] = [];
    const lives = [live];
    const stack: Move[][] = [];
    const open = () =>
      this.#moves({ fired, live: lives[order.length] })
        .filter((m) => m.during <= limitBytes)
        .map((m) => ({ m, key: style(m, lives[order.length]) + random() }))
        .sort((a, b) => b.key - a.key)
        .map(({ m }) => m);
    if (live > limitBytes) return undefined;
    stack.push(open());
    for (let states = 0; order.length < all; ) {
      const next = stack[stack.length - 1].shift();
      if (!next) {
        stack.pop();
        if (stack.length === 0) return undefined;
        fired[order.pop()!]--;
        lives.pop();
        continue;
      }
      fired[next.step]++;
      const key = String.fromCharCode(...fired);
      if (seen.has(key)) {
        fired[next.step]--;
        continue;
      }
      seen.add(key);
      if (++states > maxStates) return undefined;
      order.push(next.step);
      lives.push(next.after);
      stack.push(open());
    }
    return Int32Array.from(order, (step) => step + this.#first);
  }

  peakOf(order: ArrayLike<number>): number {
    const fired = new Uint16Array(this.#tables.length);
    let live = this.#roots.reduce((sum, r) => sum + this.#liveOf(r, fired), 0);
    let peak = live;
    for (let k = 0; k < order.length; k++) {
      const step = order[k] - this.#first;
      const { during, after } = this.#fire({ fired, live }, step);
      fired[step]++;
      live = after;
      peak = Math.max(peak, during);
    }
    return peak;
  }

  #moves(state: Pick<State, 'fired' | 'live'>): Move[] {
    const moves: Move[] = [];
    for (let step = 0; step < this.#tables.length; step++)
      if (state.fired[step] < this.#target[step] && this.#ready(state.fired, step))
        moves.push(this.#fire(state, step));
    return moves;
  }

  #ready(fired: Uint16Array, step: number): boolean {
    const f = fired[step];
    for (const { waits } of this.#tables[step].reads) {
      for (const w of waits) {
        const p = w.step - this.#first;
        if (p < 0) continue;
        const done = fired[p] === 0 ? 0 : this.#tables[p].written[fired[p] - 1];
        if (done < w.pixels[f]) return false;
      }
    }
    return true;
  }

  /**
   * Live bytes while a step fires (what it writes is there, what it reads still is, unless it is written over) and
   * when it is over. A fold's sums are there from its first firing to its last.
   */
  #fire({ fired, live }: Pick<State, 'fired' | 'live'>, step: number): Move {
    const f = fired[step];
    const { workspaceBytes, count } = this.#tables[step];
    let during = live + (f === 0 ? workspaceBytes : 0);
    let after = live + (f === 0 ? workspaceBytes : 0) - (f === count - 1 ? workspaceBytes : 0);
    for (const r of this.#writes[step]) {
      during += this.#liveOf(this.#roots[r], fired, step, false) - this.#liveOf(this.#roots[r], fired);
      during += this.#unread(this.#roots[r], fired, step);
    }
    for (const r of this.#touches[step])
      after += this.#liveOf(this.#roots[r], fired, step, true) - this.#liveOf(this.#roots[r], fired);
    let saved = 0;
    for (const { input, output } of this.#over[step]) {
      const freed =
        this.#liveOf(this.#roots[input], fired) - this.#liveOf(this.#roots[input], fired, step, true);
      const made =
        this.#liveOf(this.#roots[output], fired, step, false) - this.#liveOf(this.#roots[output], fired);
      saved = Math.max(saved, Math.min(freed, made));
    }
    return { step, during: during - saved, after };
  }

  /** Elements [lo, hi) of a root that are live; with a step given, as if it had written once more, and `read` also read. */
  #partOf(root: Root, fired: Uint16Array, step: number, read: boolean): { lo: number; hi: number } {
    let hi = root.there ? root.size : 0;
    for (const w of root.writers) {
      const f = fired[w.step] + (w.step === step ? 1 : 0);
      if (f > 0) hi = Math.max(hi, w.hi[f - 1]);
    }
    let lo = root.kept ? 0 : root.size;
    for (const r of root.readers) {
      const f = fired[r.step] + (r.step === step && read ? 1 : 0);
      lo = Math.min(lo, f < this.#target[r.step] ? r.lo[f] : root.size);
    }
    const { granule, size } = root;
    hi = Math.min(size, Math.ceil(Math.min(hi, root.needed) / granule) * granule);
    lo = Math.floor(lo / granule) * granule;
    return { lo: Math.min(lo, hi), hi };
  }

  #liveOf(root: Root, fired: Uint16Array, step = -1, read = false): number {
    const { lo, hi } = this.#partOf(root, fired, step, read);
    return bytesOf(root, hi - lo);
  }

  /** Bytes of what a step writes next that nobody reads: they need their room while it fires. */
  #unread(root: Root, fired: Uint16Array, step: number): number {
    const { lo, hi } = this.#partOf(root, fired, step, false);
    const f = fired[step];
    let bytes = 0;
    for (const w of root.writers) {
      if (w.step !== step || w.part.hi[f] <= w.part.lo[f]) continue;
      const from = Math.floor(w.part.lo[f] / root.granule) * root.granule;
      const to = Math.min(root.size, Math.ceil(w.part.hi[f] / root.granule) * root.granule);
      bytes += bytesOf(root, Math.max(0, Math.min(to, lo) - from) + Math.max(0, to - Math.max(from, hi)));
    }
    return bytes;
  }
}
