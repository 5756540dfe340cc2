/**
 * Memory against speed: which layers work by parts. Each choice of bits has a memory (buffers that take turns) and a
 * number of phases, which is what it costs in kernel starts. All choices are tried where there are few layers;
 * otherwise a seeded search goes from the best found so far by switching runs of layers.
 */

import { type Part, toTheEnd } from '../../../part.ts';

export interface Choice {
  readonly byParts: readonly boolean[];
  readonly bytes: number;
  readonly phases: number;
}

export interface ParetoSet {
  /** No other choice that was tried has neither more memory nor more phases; least memory first. */
  readonly choices: readonly Choice[];
  /** All choices were tried. */
  readonly exact: boolean;
  readonly tried: number;
}

export interface ParetoOptions {
  /** True for layers that have parts. */
  readonly free: readonly boolean[];
  readonly evaluate: (byParts: readonly boolean[]) => { readonly bytes: number; readonly phases: number };
  /** Choices that may be tried: all there are, where they are no more. */
  readonly tries?: number;
  /** Runs a try. Broken off, the search has what it had found. Left out: nothing breaks off. */
  readonly part?: Part;
  readonly onProgress?: (done: number) => void;
}

/** All choices of twelve layers. */
const DEFAULT_TRIES = 4096;

export function paretoSet(options: ParetoOptions): ParetoSet {
  const { free, evaluate, tries = DEFAULT_TRIES, part = toTheEnd, onProgress } = options;
  const bits = free.flatMap((f, i) => (f ? [i] : []));
  const front = new Front();
  const seen = new Set<string>();
  let going = true;
  const offer = (on: readonly boolean[]) => {
    const key = on.map(Number).join('');
    if (!going || seen.has(key)) return;
    const byParts = free.map(() => false);
    bits.forEach((layer, b) => {
      byParts[layer] = on[b];
    });
    const figures = part(() => evaluate(byParts));
    going = figures !== undefined;
    if (!figures) return;
    seen.add(key);
    front.offer({ byParts, ...figures });
    if (seen.size % 50 === 0) onProgress?.(Math.min(1, seen.size / Math.min(tries, 2 ** bits.length)));
  };
  if (2 ** bits.length <= tries) {
    for (let mask = 0; going && mask < 2 ** bits.length; mask++)
      offer(bits.map((_, b) => ((mask >> b) & 1) === 1));
    return { choices: front.sorted(), exact: going, tried: seen.size };
  }
  const every = (value: boolean) => bits.map(() => value);
  offer(every(true));
  offer(every(false));
  // What is streamed first saves most; then what is streamed last.
  for (let b = 1; b < bits.length; b++) {
    offer(bits.map((_, i) => i < b));
    offer(bits.map((_, i) => i >= b));
  }
  const random = generator(1);
  for (let left = 4 * tries; going && seen.size < tries && left > 0; left--) {
    const { choices } = front;
    const from = choices[random(choices.length)];
    const on = bits.map((layer) => from.byParts[layer]);
    const at = random(bits.length);
    const length = random(3) === 0 ? 1 + random(8) : 1;
    const value = random(2) === 0 ? undefined : random(2) === 0;
    for (let b = at; b < Math.min(bits.length, at + length); b++) on[b] = value ?? !on[b];
    if (random(3) === 0) {
      const b = random(bits.length);
      on[b] = !on[b];
    }
    offer(on);
  }
  return { choices: front.sorted(), exact: false, tried: seen.size };
}

/** Choices none of which is beaten by another. */
class Front {
  choices: Choice[] = [];

  offer(c: Choice): void {
    if (this.choices.some((o) => o.bytes <= c.bytes && o.phases <= c.phases)) return;
    this.choices = this.choices.filter((o) => o.bytes < c.bytes || o.phases < c.phases);
    this.choices.push(c);
  }

  sorted(): Choice[] {
    return [...this.choices].sort((a, b) => a.bytes - b.bytes);
  }
}

/** Whole numbers below n, the same on every machine. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
