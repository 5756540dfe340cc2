/**
 * Discrete-event simulation of a pipeline: mini-batches through stages with replicas, bounded queues before each
 * replica, and links with a delay. What a replica cannot hand on it keeps, and does nothing meanwhile.
 *
 * - `staggered`: each replica starts when its mini-batch is there. Mini-batch b goes to replica b mod r.
 * - `unstaggered`: all replicas of a stage start together, once each has a mini-batch.
 * - `synchronous`: all stages step at once, with the clock of the slowest; further replicas stand idle.
 */
import { Events } from './events.ts';

export type PipelineMode = 'staggered' | 'unstaggered' | 'synchronous';

export interface SimulatedStage {
  /** Time for one mini-batch. */
  readonly seconds: number;
  readonly replicas: number;
  /** From the end of a mini-batch here to its arrival at the next stage. Left out: none. */
  readonly linkSeconds?: number;
}

export interface PipelineRequest {
  readonly stages: readonly SimulatedStage[];
  readonly batches: number;
  readonly mode?: PipelineMode;
  /** Time between arrivals at the first stage; 0: all are there at the start. Left out: the pipeline's own period. */
  readonly arrivalSeconds?: number;
  /** Mini-batches that may wait before each replica. Left out: 1. */
  readonly queue?: number;
}

/** One mini-batch in one replica. */
export interface Visit {
  readonly batch: number;
  readonly stage: number;
  readonly replica: number;
  readonly start: number;
  readonly end: number;
  /** When it could be handed on: later than `end` where the next queue was full. */
  readonly left: number;
}

export interface PipelineRun {
  readonly mode: PipelineMode;
  readonly visits: readonly Visit[];
  /** By mini-batch: when it came, and when it was done. */
  readonly arrived: readonly number[];
  readonly done: readonly number[];
  /** Mini-batches a second in the second half of the run. */
  readonly throughput: number;
  /** Mean over the second half, from entering the first stage to the end. */
  readonly latencySeconds: number;
  readonly firstLatencySeconds: number;
  readonly endSeconds: number;
  /** By stage and replica: share of the time at work. */
  readonly utilisation: readonly (readonly number[])[];
  /** Most mini-batches that waited before a replica, by stage. */
  readonly queued: readonly number[];
}

interface Replica {
  readonly waiting: number[];
  busy: boolean;
  /** Mini-batches on their way to it. */
  coming: number;
  /** The mini-batch that it takes next: every len-th, in order. */
  expected: number;
  blocked?: { readonly batch: number; readonly start: number; readonly end: number };
}

export function simulatePipeline(request: PipelineRequest): PipelineRun {
  return new Pipeline(request).go();
}

class Pipeline {
  readonly #stages: readonly SimulatedStage[];
  readonly #mode: PipelineMode;
  readonly #batches: number;
  readonly #arrival: number;
  readonly #queue: number;
  readonly #events = new Events();
  readonly #replicas: Replica[][];
  readonly #visits: Visit[] = [];
  readonly #arrived: number[];
  readonly #entered: number[];
  readonly #done: number[];
  readonly #queued: number[];
  readonly #outside: number[] = [];

  constructor({ stages, batches, mode = 'staggered', arrivalSeconds, queue = 1 }: PipelineRequest) {
    // In lockstep a stage works on one mini-batch at a time, for as long as the slowest takes.
    const step = Math.max(...stages.map((s) => s.seconds));
    this.#stages =
      mode === 'synchronous' ? stages.map((s) => ({ ...s, seconds: step, replicas: 1 })) : stages;
    this.#mode = mode;
    this.#batches = batches;
    const period = Math.max(...this.#stages.map((s) => s.seconds / s.replicas));
    this.#arrival = arrivalSeconds ?? period;
    this.#queue = queue;
    this.#replicas = this.#stages.map((s) =>
      Array.from({ length: s.replicas }, (_, k) => ({ waiting: [], busy: false, coming: 0, expected: k })),
    );
    this.#arrived = new Array<number>(batches).fill(0);
    this.#entered = new Array<number>(batches).fill(0);
    this.#done = new Array<number>(batches).fill(0);
    this.#queued = this.#stages.map(() => 0);
  }

  go(): PipelineRun {
    for (let b = 0; b < this.#batches; b++) {
      const time = b * this.#arrival;
      this.#arrived[b] = time;
      this.#events.at(time, () => {
        this.#outside.push(b);
        this.#admit();
      });
    }
    this.#events.run();
    return this.#result();
  }

  #replica(stage: number, batch: number): Replica {
    const list = this.#replicas[stage];
    return list[batch % list.length];
  }

  /** Mini-batches enter in order, as the first stage has room. */
  #admit(): void {
    while (this.#outside.length > 0 && this.#hasRoom(0, this.#outside[0])) {
      const b = this.#outside.shift()!;
      this.#entered[b] = this.#events.now;
      this.#replica(0, b).expected += this.#replicas[0].length;
      this.#arrive(0, b);
    }
  }

  #hasRoom(stage: number, batch: number): boolean {
    const r = this.#replica(stage, batch);
    const idle = !r.busy && !r.blocked ? 1 : 0;
    return r.expected === batch && r.waiting.length + r.coming < this.#queue + idle;
  }

  #arrive(stage: number, batch: number): void {
    const r = this.#replica(stage, batch);
    r.waiting.push(batch);
    this.#start(stage);
    this.#queued[stage] = Math.max(this.#queued[stage], r.waiting.length);
  }

  /** Starts what can start in a stage. */
  #start(stage: number): void {
    const list = this.#replicas[stage];
    const idle = (r: Replica) => !r.busy && !r.blocked;
    if (this.#mode === 'unstaggered' && list.length > 1) {
      const first = list.flatMap((r) => r.waiting.slice(0, 1));
      const least = Math.min(...first);
      const group = Math.floor(least / list.length);
      const last = Math.min(this.#batches, (group + 1) * list.length) - group * list.length;
      const ready = list.slice(0, last).every((r, k) => idle(r) && r.waiting[0] === group * list.length + k);
      if (first.length === 0 || !ready) return;
      for (const r of list.slice(0, last)) this.#work(stage, r);
    } else for (const r of list) if (idle(r) && r.waiting.length > 0) this.#work(stage, r);
    this.#takeFrom(stage);
  }

  #work(stage: number, r: Replica): void {
    const batch = r.waiting.shift()!;
    const start = this.#events.now;
    r.busy = true;
    this.#events.at(start + this.#stages[stage].seconds, () => {
      r.busy = false;
      r.blocked = { batch, start, end: this.#events.now };
      this.#handOn(stage, r);
    });
  }

  /** Gives a finished mini-batch to the next stage, if that has room. */
  #handOn(stage: number, r: Replica): void {
    const { batch, start, end } = r.blocked!;
    const last = stage === this.#stages.length - 1;
    if (!last && !this.#hasRoom(stage + 1, batch)) return;
    const left = this.#events.now;
    const list = this.#replicas[stage];
    this.#visits.push({ batch, stage, replica: batch % list.length, start, end, left });
    r.blocked = undefined;
    if (last) this.#done[batch] = left;
    else {
      const link = this.#stages[stage].linkSeconds ?? 0;
      const next = this.#replica(stage + 1, batch);
      next.coming++;
      next.expected += this.#replicas[stage + 1].length;
      this.#events.at(left + link, () => {
        next.coming--;
        this.#arrive(stage + 1, batch);
      });
    }
    this.#start(stage);
    this.#takeFrom(stage);
    // Another replica may hold what the next stage takes now.
    if (!last) this.#takeFrom(stage + 1);
  }

  /** Room came free in a stage: what waits for it before may move. */
  #takeFrom(stage: number): void {
    if (stage === 0) {
      this.#admit();
      return;
    }
    const blocked = this.#replicas[stage - 1].filter((r) => r.blocked);
    blocked.sort((a, b) => a.blocked!.batch - b.blocked!.batch);
    for (const r of blocked) if (r.blocked) this.#handOn(stage - 1, r);
  }

  #result(): PipelineRun {
    const n = this.#batches;
    const half = Math.floor(n / 2);
    const endSeconds = Math.max(...this.#done);
    const sorted = [...this.#done].sort((a, b) => a - b);
    // Whole rounds of all replicas, where they are that short: what they do together comes in bursts.
    const round = this.#stages.reduce((a, st) => leastCommonMultiple(a, st.replicas), 1);
    const count = n - 1 - half >= round ? Math.floor((n - 1 - half) / round) * round : n - 1 - half;
    const span = sorted[half + count] - sorted[half];
    const latencies = this.#done.map((d, b) => d - this.#entered[b]);
    const late = latencies.slice(half);
    const busy = this.#replicas.map((list) => list.map(() => 0));
    for (const v of this.#visits) busy[v.stage][v.replica] += v.end - v.start;
    return {
      mode: this.#mode,
      visits: this.#visits,
      arrived: this.#arrived,
      done: this.#done,
      throughput: count > 0 && span > 0 ? count / span : 1 / endSeconds,
      latencySeconds: late.reduce((a, b) => a + b, 0) / late.length,
      firstLatencySeconds: latencies[0],
      endSeconds,
      utilisation: busy.map((list) => list.map((b) => b / endSeconds)),
      queued: this.#queued,
    };
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
