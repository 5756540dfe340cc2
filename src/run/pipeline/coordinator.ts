/**
 * Runs a pipeline on workers: mini-batches stream through the stages, batch b to replica b mod r, each replica with a
 * bounded queue, and a finished one stays where it is until the next stage has room. The coordinator stands for the
 * off-chip memory: a map lies here from the stage that writes it to the last that reads it. So a worker that dies
 * costs nothing but time: it is started again and given the same mini-batch, a few times at most.
 */
import { TidemarkError } from '../../errors.ts';
import type { TypedArray } from '../../graph/graph.ts';
import type { PipelineOptions, PipelineSummary } from './contract.ts';
import { type FromWorker, packStage } from './protocol.ts';
import { type Flight, type Seat, Seats } from './seats.ts';
import { enteringMaps, leavingOutputs } from './stages.ts';

export class PipelineCoordinator {
  readonly #options: PipelineOptions;
  readonly #seats: Seats;
  readonly #lastReader = new Map<number, number>();
  readonly #packed: ReturnType<typeof packStage>[];
  #fetch: ((batch: number) => readonly (readonly TypedArray[])[] | undefined) | undefined;
  #deliver: ((batch: number, images: readonly TypedArray[][]) => void) | undefined;
  #finish: ((error?: unknown) => void) | undefined;
  #entered = 0;
  #left = 0;
  #more = true;
  #inFlight = 0;
  #mostInFlight = 0;
  #movedBytes = 0;
  #retried = 0;
  #died = 0;
  #failed: { batch: number; reason: string }[] = [];
  #closed = false;
  /** What went wrong before the run began. */
  #broken: unknown;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#packed = options.stages.map(packStage);
    options.stages.forEach((s, i) => {
      for (const m of s.inputs) this.#lastReader.set(m, i);
    });
    this.#seats = new Seats(options.replicas, options.queue ?? 1);
    for (const seat of this.#seats.all) this.#start(seat);
  }

  /**
   * Streams mini-batches through. `fetch(b)` gives the inputs of each image of mini-batch b, undefined after the last;
   * it is called only when the first stage has room. `deliver` gets each result once. A mini-batch that fails for good
   * is in the summary, and the others go on.
   */
  run(
    fetch: (batch: number) => readonly (readonly TypedArray[])[] | undefined,
    deliver: (batch: number, images: readonly TypedArray[][]) => void,
  ): Promise<PipelineSummary> {
    if (this.#closed || this.#finish)
      throw new TidemarkError('internal', 'this pipeline has been run already');
    this.#fetch = fetch;
    this.#deliver = deliver;
    return new Promise((resolve, reject) => {
      this.#finish = (error) => {
        if (this.#closed) return;
        this.close();
        if (error) reject(error);
        else
          resolve({
            batches: this.#entered,
            failed: [...this.#failed].sort((a, b) => a.batch - b.batch),
            retried: this.#retried,
            died: this.#died,
            mostInFlight: this.#mostInFlight,
            movedBytes: this.#movedBytes,
          });
      };
      this.#guard(() => this.#turn());
    });
  }

  /** Stops all workers. */
  close(): void {
    this.#closed = true;
    for (const seat of this.#seats.all) {
      seat.life++;
      seat.port?.stop();
      seat.port = undefined;
    }
  }

  #start(seat: Seat): void {
    const life = ++seat.life;
    seat.ready = false;
    const current = () => !this.#closed && seat.life === life;
    const port = this.#options.spawn(
      {
        onMessage: (message) => {
          if (current()) this.#guard(() => this.#hear(seat, message));
        },
        onExit: (reason) => {
          if (current()) this.#guard(() => this.#lose(seat, reason));
        },
      },
      seat.stage,
      seat.replica,
    );
    seat.port = port;
    port.post({ kind: 'load', stage: this.#packed[seat.stage] });
  }

  /** A failure in the user's callbacks or here ends the run; it must not be lost in an event handler. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (this.#finish) this.#finish(error);
      else {
        this.close();
        this.#broken ??= error;
      }
    }
  }

  #hear(seat: Seat, message: FromWorker): void {
    const { stage, replica } = seat;
    if (message.kind === 'ready') {
      seat.ready = true;
      const { arenaBytes, weightBytes } = message;
      this.#options.onEvent?.({ kind: 'ready', stage, replica, arenaBytes, weightBytes });
      this.#turn();
      return;
    }
    const flight = seat.working;
    if (!flight || flight.batch !== message.batch) return;
    seat.working = undefined;
    if (message.kind === 'failed') {
      this.#again(seat, flight, message.message);
    } else {
      this.#movedBytes += bytesOf(message.images);
      this.#keep(stage, flight, message.images);
      flight.attempts = 0;
      seat.holding = flight;
    }
    this.#turn();
  }

  /** A worker is gone: another takes its place and its mini-batch. */
  #lose(seat: Seat, reason: string): void {
    const { stage, replica } = seat;
    const flight = seat.working;
    this.#died++;
    seat.working = undefined;
    seat.port = undefined;
    this.#options.onEvent?.({ kind: 'died', stage, replica, reason, batch: flight?.batch });
    // One that dies without work would die for ever.
    if (!flight && !seat.ready && this.#died > 3 * this.#seats.all.length) {
      throw new TidemarkError(
        'internal',
        `stage ${stage + 1}, replica ${replica + 1}: its worker cannot be started (${reason})`,
      );
    }
    if (flight) this.#again(seat, flight, `its worker died (${reason})`);
    this.#start(seat);
    this.#turn();
  }

  #again(seat: Seat, flight: Flight, reason: string): void {
    const { stage, replica } = seat;
    if (flight.attempts < (this.#options.attempts ?? 3)) {
      this.#retried++;
      this.#options.onEvent?.({
        kind: 'retried',
        stage,
        replica,
        batch: flight.batch,
        attempt: flight.attempts + 1,
      });
      seat.waiting.unshift(flight);
      return;
    }
    this.#options.onEvent?.({ kind: 'failed', stage, replica, batch: flight.batch, reason });
    this.#failed.push({ batch: flight.batch, reason: `stage ${stage + 1}: ${reason}` });
    this.#inFlight--;
    this.#left++;
    // Later stages must not wait for it.
    for (let s = stage + 1; s < this.#seats.stages; s++) this.#seats.skip(s, flight.batch);
  }

  /** What a stage made stays here while a later stage reads it, or it is an output of the network. */
  #keep(stage: number, flight: Flight, images: readonly (readonly TypedArray[])[]): void {
    const { stages, net } = this.#options;
    images.forEach((values, i) => {
      const maps = flight.maps[i];
      stages[stage].outputs.forEach((m, k) => {
        maps.set(m, values[k]);
      });
      for (const m of [...maps.keys()])
        if (!net.maps[m].leaves && (this.#lastReader.get(m) ?? -1) <= stage) maps.delete(m);
    });
  }

  /** Everything that can move moves: the end of the pipeline first, so that room comes free. */
  #turn(): void {
    for (let moved = true; moved && !this.#closed; ) {
      moved = false;
      for (let s = this.#seats.stages - 1; s >= 0; s--) {
        const holding = this.#seats.of(s).filter((x) => x.holding);
        holding.sort((a, b) => a.holding!.batch - b.holding!.batch);
        for (const seat of holding) moved = this.#pass(seat) || moved;
        for (const seat of this.#seats.of(s)) moved = this.#work(seat) || moved;
      }
      moved = this.#enter() || moved;
    }
    if (!this.#closed && this.#finish && !this.#more && this.#left === this.#entered) this.#finish();
  }

  /** Hands a finished mini-batch on. */
  #pass(seat: Seat): boolean {
    const flight = seat.holding!;
    if (seat.stage === this.#seats.stages - 1) {
      seat.holding = undefined;
      this.#inFlight--;
      this.#left++;
      const { net } = this.#options;
      this.#deliver!(
        flight.batch,
        flight.maps.map((maps) => leavingOutputs(net, maps)),
      );
      return true;
    }
    const next = this.#seats.seat(seat.stage + 1, flight.batch);
    if (!this.#seats.hasRoom(next, flight.batch)) return false;
    seat.holding = undefined;
    this.#seats.take(next, flight);
    return true;
  }

  #work(seat: Seat): boolean {
    if (!seat.ready || !seat.port || seat.working || seat.holding || seat.waiting.length === 0) return false;
    const flight = seat.waiting.shift()!;
    flight.attempts++;
    seat.working = flight;
    const stage = this.#options.stages[seat.stage];
    const images = flight.maps.map((maps) => stage.inputs.map((m) => maps.get(m)!));
    this.#movedBytes += bytesOf(images);
    seat.port.post({ kind: 'work', batch: flight.batch, images });
    return true;
  }

  /** The next mini-batch comes in when its replica of the first stage has room. */
  #enter(): boolean {
    if (!this.#more || !this.#fetch) return false;
    const seat = this.#seats.seat(0, this.#entered);
    if (!this.#seats.hasRoom(seat, this.#entered)) return false;
    const images = this.#fetch(this.#entered);
    if (!images) {
      this.#more = false;
      return false;
    }
    const { net } = this.#options;
    this.#seats.take(seat, {
      batch: this.#entered,
      maps: images.map((inputs) => enteringMaps(net, inputs)),
      attempts: 0,
    });
    this.#entered++;
    this.#inFlight++;
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight);
    return true;
  }
}

function bytesOf(images: readonly (readonly TypedArray[])[]): number {
  return images.flat().reduce((sum, values) => sum + (values?.byteLength ?? 0), 0);
}
