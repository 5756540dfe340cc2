/**
 * The row schedule of one span: which step fires next, how large each ring must be, and the span's worst
 * moment. Demand driven: the span's last steps fire, and pull from their producers what they lack; steps whose
 * results leave the span elsewhere fire as soon as they can, so that nothing has to wait for them.
 */
import { Readiness, setTargets } from './readiness.ts';
import { SpanMemory, type SpanRoot, type StepCounts } from './span-memory.ts';
import type { Network } from './steps.ts';
import type { FiringTable, Mode } from './tables.ts';

export interface SpanShape {
  /** First and last step, inclusive. */
  readonly first: number;
  readonly last: number;
  readonly mode: Mode;
  /** By step of the span, where not all run in one mode. */
  readonly modes?: readonly Mode[];
  /** Every firing writes into working memory, and what it made is copied to its place when its reads are over. */
  readonly staged?: boolean;
  /** The span is one step, and fires its last run first. */
  readonly reverse?: boolean;
}

export interface SpanSchedule extends SpanShape {
  /** Greatest sum of live bytes of everything in the arena while the span runs. */
  readonly peakBytes: number;
  readonly firings: number;
  /** Which step fired next; left out: `demand`, or an order that was given. */
  readonly firing?: FiringOrder;
  /** Root index -> elements, for the tensors that stay inside the span. */
  readonly rings: ReadonlyMap<number, number>;
  /** Root index -> elements of a piece, for the tensors whose rows are placed one by one. */
  readonly pieces?: ReadonlyMap<number, number>;
  /** Steps in firing order; only when asked for. */
  readonly sequence?: Int32Array;
}

/**
 * `demand`: what the span's last steps lack, the first of it first. `deepest`: of what they lack, first what reaches
 * furthest up the network, so that what is ready fires when the rest is. `eager`: whatever is ready, most downstream first.
 */
export type FiringOrder = 'demand' | 'deepest' | 'eager';

export interface ScheduleOptions {
  /** Give up (undefined) when the peak exceeds this. */
  readonly limitBytes?: number;
  readonly record?: boolean;
  /** Told how often readiness was looked into: the time it took, also where the limit was exceeded. */
  readonly onEffort?: (looks: number) => void;
  /** Which step fires next; left out: `demand`. */
  readonly firing?: FiringOrder;
  /** Fire these steps, in this order: one found elsewhere. Firings that nothing needs are left out. */
  readonly order?: ArrayLike<number>;
}

/** What one step does to the span, looked up once: a span of some thousand firings asks over and over. */
interface StepRun {
  readonly writes: readonly { readonly to: SpanRoot; readonly lo: Int32Array; readonly hi: Int32Array }[];
  /** Roots that it reads. */
  readonly reads: readonly SpanRoot[];
  /** Its result goes over its input, and that saves room. */
  readonly over: boolean;
}

/** Schedules a span. Undefined when the limit is exceeded. */
export function scheduleSpan(
  network: Network,
  span: SpanShape,
  options: ScheduleOptions = {},
): SpanSchedule | undefined {
  const run = new SpanRun(network, span, options);
  const schedule = run.go();
  options.onEffort?.(run.looks);
  return schedule;
}

class SpanRun {
  readonly #span: SpanShape;
  readonly #limit: number;
  readonly #firing: FiringOrder;
  readonly #order?: ArrayLike<number>;
  readonly #tables: readonly FiringTable[];
  readonly #fired: Int32Array;
  readonly #target: Int32Array;
  readonly #memory: SpanMemory;
  readonly #readiness: Readiness;
  readonly #steps: readonly StepRun[];
  readonly #sequence?: number[];
  #count = 0;

  constructor(network: Network, span: SpanShape, options: ScheduleOptions) {
    this.#span = span;
    this.#limit = options.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#firing = options.firing ?? 'demand';
    this.#order = options.order;
    const steps = span.last - span.first + 1;
    this.#tables = Array.from({ length: steps }, (_, i) =>
      network.table(span.first + i, span.modes?.[i] ?? span.mode, span.reverse),
    );
    const counts: StepCounts = { fired: new Int32Array(steps), target: new Int32Array(steps) };
    this.#fired = counts.fired;
    this.#target = counts.target;
    this.#memory = new SpanMemory(network, span, this.#tables, counts);
    setTargets(counts.target, this.#tables, span.first, (table) => this.#memory.leaves(table));
    this.#memory.begin();
    this.#readiness = new Readiness(this.#tables, span.first, counts);
    this.#steps = this.#tables.map((table) => this.#stepRun(table));
    if (options.record) this.#sequence = [];
  }

  /** How often readiness was looked into. */
  get looks(): number {
    return this.#readiness.looks;
  }

  #stepRun(table: FiringTable): StepRun {
    const memory = this.#memory;
    const writes = table.writes.flatMap(({ root, lo, hi }) => {
      const to = memory.root(root);
      return to ? { to, lo, hi } : [];
    });
    const reads = table.reads.flatMap((read) => memory.root(read.root) ?? []);
    const spent = table.reads.find((r) => r.inPlace && table.writes[0] && r.root !== table.writes[0].root);
    const over = spent !== undefined && memory.overwritable(spent.root, table.writes[0].root);
    return { writes, reads, over };
  }

  go(): SpanSchedule | undefined {
    const done = this.#order
      ? this.#runGiven(this.#order)
      : this.#firing === 'eager'
        ? this.#runEager()
        : this.#runDemand();
    if (!done) return undefined;
    return {
      ...this.#span,
      peakBytes: this.#memory.peakBytes,
      firings: this.#count,
      ...(this.#firing === 'demand' ? {} : { firing: this.#firing }),
      ...this.#memory.sizes(),
      sequence: this.#sequence && Int32Array.from(this.#sequence),
    };
  }

  #runGiven(order: ArrayLike<number>): boolean {
    for (let k = 0; k < order.length; k++) {
      const i = order[k] - this.#span.first;
      if (this.#fired[i] >= this.#target[i]) continue;
      if (this.#readiness.lacking(i) >= 0) throw new Error(`step ${order[k]} fires before it can`);
      if (!this.#fire(i)) return false;
    }
    return true;
  }

  #runDemand(): boolean {
    const exits: number[] = [];
    this.#tables.forEach((t, i) => {
      if (this.#memory.leaves(t) && t.count > 0) exits.push(i);
    });
    const stack: number[] = [];
    for (let e = exits.length - 1; e >= 0; e--) {
      const sink = exits[e];
      while (this.#fired[sink] < this.#target[sink]) {
        // Whatever the sink lacks, and what that lacks, and so on down.
        stack.push(sink);
        while (stack.length > 0) {
          const i = stack[stack.length - 1];
          const p = this.#firing === 'deepest' ? this.#readiness.deepest(i) : this.#readiness.lacking(i);
          if (p >= 0) {
            if (this.#fired[p] >= this.#tables[p].count) throw new Error(`step ${i} waits for ever`);
            stack.push(p);
            continue;
          }
          stack.pop();
          // An exit that was ready may have fired in the meantime, and what waited for it waits no more.
          const waiting =
            stack.length > 0
              ? this.#readiness.waitsFor(stack[stack.length - 1], i)
              : this.#fired[i] < this.#target[i];
          if (!waiting) continue;
          if (!this.#fire(i)) return false;
          if (exits.length > 1 && !this.#fireReadyExits(exits, e)) return false;
        }
      }
    }
    return true;
  }

  #fireReadyExits(exits: readonly number[], below: number): boolean {
    for (let e = 0; e < below; e++) {
      const x = exits[e];
      while (this.#fired[x] < this.#target[x] && this.#readiness.lacking(x) < 0)
        if (!this.#fire(x)) return false;
    }
    return true;
  }

  #runEager(): boolean {
    let i = this.#tables.length - 1;
    while (i >= 0) {
      if (this.#fired[i] < this.#target[i] && this.#readiness.lacking(i) < 0) {
        if (!this.#fire(i)) return false;
        i = this.#tables.length - 1;
      } else i--;
    }
    return true;
  }

  #fire(i: number): boolean {
    const memory = this.#memory;
    const { writes, reads, over } = this.#steps[i];
    const f = this.#fired[i];
    let unread = 0;
    for (let w = 0; w < writes.length; w++)
      unread += memory.write(writes[w].to, writes[w].lo[f], writes[w].hi[f]);
    if (!over) memory.measure(unread);
    this.#fired[i] = f + 1;
    this.#count++;
    this.#sequence?.push(i + this.#span.first);
    for (let r = 0; r < reads.length; r++) memory.release(reads[r]);
    if (over) memory.measure();
    return memory.peakBytes <= this.#limit;
  }
}
