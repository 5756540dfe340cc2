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
import { uniformNumbers } from '../../seeded.ts';
import { Heap } from './heap.ts';
import { LiveModel, type LiveSpan, type Move, type Standing } from './live-model.ts';
import type { Network } from './steps.ts';

export interface ExactRequest extends LiveSpan {
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
/** What looking at all states' moves may visit: where thousands of steps read one tensor, each state takes long. */
const MAX_VISITS = 20_000_000;

/** Undefined where the search gave up, or where steps wait for each other. */
export function exactOrder(network: Network, request: ExactRequest): ExactOrder | undefined {
  return new OrderSearch(network, request).run(request.method ?? 'valleys');
}

/** Some order that never goes above a limit; other seeds give others. Undefined where none was found within the allowance. */
export function orderWithin(
  network: Network,
  request: ExactRequest,
  limitBytes: number,
  seed: number,
): Int32Array | undefined {
  return new OrderSearch(network, request).within(limitBytes, seed);
}

/** Peak of live bytes of an order of steps, counted as the search counts. */
export function peakOfOrder(network: Network, request: ExactRequest, order: ArrayLike<number>): number {
  return new OrderSearch(network, request).peakOf(order);
}

/** How far each step is, what is live, and how high the way went. */
interface State extends Standing {
  readonly peak: number;
  readonly total: number;
  readonly previous?: State;
  readonly step: number;
}

/** What is tried first: what lowers live bytes, the step furthest down or up, or anything. The greatest key goes first. */
const STYLES: readonly ((m: Move, live: number) => number)[] = [
  ({ step }) => step * 2,
  () => 0,
  ({ after }, live) => (after <= live ? 2 : 0),
  ({ step }) => -step * 2,
];

class OrderSearch {
  readonly #model: LiveModel;
  /** States that may be expanded. */
  readonly #most: number;
  #states = 0;

  constructor(network: Network, request: ExactRequest) {
    this.#model = new LiveModel(network, request);
    this.#most = Math.min(request.maxStates ?? MAX_STATES, MAX_VISITS / Math.max(1, this.#model.visits));
  }

  run(method: 'valleys' | 'plain'): ExactOrder | undefined {
    const fired = new Uint16Array(this.#model.target.length);
    const live = this.#model.live(fired);
    let state: State = { fired, live, peak: live, total: 0, step: -1 };
    const all = this.#model.target.reduce((sum, n) => sum + n, 0);
    // A state for each firing is the least it takes.
    if (all > this.#most) return undefined;
    while (state.total < all) {
      const next = this.#climb(state, all, method === 'valleys');
      if (!next) return undefined;
      state = next;
    }
    const order: number[] = [];
    for (let s: State | undefined = state; s && s.step >= 0; s = s.previous)
      order.push(s.step + this.#model.first);
    return { peakBytes: state.peak, order: Int32Array.from(order.reverse()), states: this.#states };
  }

  /** From one valley to the next, or to the end. */
  #climb(from: State, all: number, valleys: boolean): State | undefined {
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
      if (++this.#states > this.#most) return undefined;
      const moves = this.#model.moves(state);
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
  within(limitBytes: number, seed: number): Int32Array | undefined {
    const random = uniformNumbers((seed * 0x9e3779b1) >>> 0);
    const style = STYLES[seed % STYLES.length];
    const all = this.#model.target.reduce((sum, n) => sum + n, 0);
    const fired = new Uint16Array(this.#model.target.length);
    const live = this.#model.live(fired);
    const seen = new Set<string>();
    const order: number[] = [];
    const lives = [live];
    const stack: Move[][] = [];
    const open = () =>
      this.#model
        .moves({ fired, live: lives[order.length] })
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
      if (++states > this.#most) return undefined;
      order.push(next.step);
      lives.push(next.after);
      stack.push(open());
    }
    return Int32Array.from(order, (step) => step + this.#model.first);
  }

  peakOf(order: ArrayLike<number>): number {
    const fired = new Uint16Array(this.#model.target.length);
    let live = this.#model.live(fired);
    let peak = live;
    for (let k = 0; k < order.length; k++) {
      const step = order[k] - this.#model.first;
      const { during, after } = this.#model.fire({ fired, live }, step);
      fired[step]++;
      live = after;
      peak = Math.max(peak, during);
    }
    return peak;
  }
}
