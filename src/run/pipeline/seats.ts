/**
 * The places of a pipeline: one for each replica of each stage. Mini-batch b sits at replica b mod r, they come to a
 * replica in turn, and no more wait there than the queue holds.
 */
import type { TypedArray } from '../../graph/graph.ts';
import type { WorkerPort } from './contract.ts';

/** A mini-batch: its maps by image, and how often the stage it is in has had it. */
export interface Flight {
  readonly batch: number;
  readonly maps: Map<number, TypedArray>[];
  attempts: number;
}

export interface Seat {
  readonly stage: number;
  readonly replica: number;
  port?: WorkerPort;
  ready: boolean;
  /** Counts lives: what an earlier worker still says is not listened to. */
  life: number;
  working?: Flight;
  /** Done here, but the next stage has no room. */
  holding?: Flight;
  readonly waiting: Flight[];
  /** The next mini-batch for this replica, so that all stay in turn. */
  expected: number;
}

export class Seats {
  readonly #seats: readonly (readonly Seat[])[];
  readonly #queue: number;
  /** Stage and mini-batch of those that will never come. */
  readonly #skipped = new Set<string>();

  constructor(replicas: readonly number[], queue: number) {
    this.#queue = queue;
    this.#seats = replicas.map((count, stage) =>
      Array.from({ length: count }, (_, replica) => ({
        stage,
        replica,
        ready: false,
        life: 0,
        waiting: [],
        expected: replica,
      })),
    );
  }

  get stages(): number {
    return this.#seats.length;
  }

  get all(): readonly Seat[] {
    return this.#seats.flat();
  }

  of(stage: number): readonly Seat[] {
    return this.#seats[stage];
  }

  seat(stage: number, batch: number): Seat {
    const list = this.#seats[stage];
    return list[batch % list.length];
  }

  hasRoom(seat: Seat, batch: number): boolean {
    const idle = !seat.working && !seat.holding ? 1 : 0;
    return seat.expected === batch && seat.waiting.length < this.#queue + idle;
  }

  take(seat: Seat, flight: Flight): void {
    seat.expected += this.#seats[seat.stage].length;
    this.#advance(seat);
    flight.attempts = 0;
    seat.waiting.push(flight);
  }

  /** A mini-batch will not come to this stage: those behind it must not wait for it. */
  skip(stage: number, batch: number): void {
    this.#skipped.add(`${stage} ${batch}`);
    this.#advance(this.seat(stage, batch));
  }

  #advance(seat: Seat): void {
    while (this.#skipped.delete(`${seat.stage} ${seat.expected}`))
      seat.expected += this.#seats[seat.stage].length;
  }
}
