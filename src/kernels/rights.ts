/**
 * What each firing of a program may touch, exact to the byte, with everything else dead: the values that it reads,
 * where they still lie; the pixels that it writes, where nothing lies that is still to be read; its working memory.
 * It replays the plan by itself and takes nothing from the checker. What looks on at a run (a guarded interpreter,
 * sanitizers over the emitted C) refuses all other accesses, so that a wrong plan is caught where it goes wrong.
 */
import { elementCount, type Graph, type TensorId } from '../graph/graph.ts';
import { elementAt } from '../graph/storage.ts';
import type { PixelRange } from '../ops/operator.ts';
import { type Firings, firingsOf, type OperatorFirings } from '../plan/firing.ts';
import { banksOf, type Plan, type PlanActor } from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { expandSchedule } from '../plan/schedule.ts';
import { bankOf } from './ir.ts';
import { planSites } from './lower.ts';
import { PLAIN } from './machine.ts';
import type { Program } from './program.ts';
import { byteOf, type Site } from './site.ts';

/** May be read. */
export const READ = 1;
/** May be written. */
export const WRITE = 2;
/** Must be written before the firing is over: it is output, not working memory. */
export const FILL = 4;

/** Bytes [from, to) of a bank. */
export interface Right {
  readonly bank: number;
  readonly from: number;
  readonly to: number;
  /** READ, WRITE and FILL, added up. Where ranges overlap, all of them hold. */
  readonly right: number;
}

/** The rights of every firing of the program in its order, and last those of handing over what stands in the arena. */
export function* firingRights(graph: Graph, plan: Plan, program: Program): Generator<readonly Right[]> {
  const replay = new Replay(graph, plan, program);
  for (let t = 0; t < replay.sequence.length; t++) yield replay.fire(t);
  yield replay.leave();
}

/** Later than any firing. */
const FOREVER = 2 ** 31 - 1;

/** What lies in the bytes of a bank. */
interface Bytes {
  /** Root tensor plus 1, or minus an actor less 1 for its working memory; 0 for nothing. */
  readonly owner: Int32Array;
  /** Element of the root. */
  readonly element: Int32Array;
  /** Twice the firing that reads it last, and 1 more where that firing may not write over it. */
  readonly until: Int32Array;
}

interface Actor {
  readonly shape: PlanActor;
  readonly number: number;
  readonly firings: Firings;
  /** Inputs that a firing may write over once they are read. */
  readonly yields: readonly boolean[];
}

class Replay {
  /** Indices into the program's actors. */
  readonly sequence: Int32Array;
  readonly #plan: Plan;
  readonly #planned: ReturnType<typeof plannedGraph>;
  readonly #siteOf: (id: TensorId) => Site;
  readonly #actors: readonly Actor[];
  /** Which firing of its actor each of the sequence is. */
  readonly #nth: Int32Array;
  readonly #banks: readonly Bytes[];
  /** By root: when each of its elements is read for the last time, as in `Bytes`; -1 for never. */
  readonly #last = new Map<TensorId, Int32Array>();
  readonly #fires: number[];
  #rights: { bank: number; from: number; to: number; right: number }[] = [];

  constructor(graph: Graph, plan: Plan, program: Program) {
    this.#plan = plan;
    this.#planned = plannedGraph(graph, plan);
    this.#siteOf = planSites(graph, plan, PLAIN);
    this.sequence = expandSchedule(program.schedule);
    this.#actors = program.actors.map(({ fn }) => this.#actorOf(fn));
    this.#fires = program.actors.map(() => 0);
    this.#nth = this.sequence.map((a) => this.#fires[a]++);
    this.#banks = banksOf(plan).map(({ bytes }) => ({
      owner: new Int32Array(bytes),
      element: new Int32Array(bytes),
      until: new Int32Array(bytes).fill(-1),
    }));
    this.#findLast();
  }

  #actorOf(fn: string): Actor {
    const { graph } = this.#planned;
    const [, how, digits] = /^(fire|leave)_(\d+)$/.exec(fn)!;
    const number = Number(digits);
    if (how === 'leave') {
      const shape: PlanActor = { kind: 'sink', index: number, name: fn, run: 2 ** 40 };
      return {
        shape,
        number: this.#plan.actors.length + number,
        firings: firingsOf(graph, shape),
        yields: [],
      };
    }
    const shape = this.#plan.actors[number];
    const firings = firingsOf(graph, shape);
    const { context, definition } = firings as Partial<OperatorFirings>;
    const inPlace = context ? (definition?.inPlace?.(context) ?? []) : [];
    const staged = shape.staged !== undefined;
    return { shape, number, firings, yields: firings.inputs.map((i) => staged || inPlace.includes(i.index)) };
  }

  /** From the last firing to the first: who reads an element first, seen so, reads it last. */
  #findLast(): void {
    const { graph } = this.#planned;
    const keep = this.#plan.policy.input === 'keep' ? graph.inputs : [];
    const whole = this.#plan.policy.output === 'whole' ? graph.outputs : [];
    for (const { tensor } of [...keep, ...whole]) {
      if (!graph.tensors[tensor].constant) this.#markLast(tensor, this.#all(tensor), FOREVER);
    }
    // What an actor's firings need moves one way, so that what was seen of it is one range.
    const seen = this.#actors.map(({ firings }) => firings.inputs.map(() => ({ lo: 0, hi: 0 })));
    for (let t = this.sequence.length - 1; t >= 0; t--) {
      const { firings, yields } = this.#actors[this.sequence[t]];
      firings.inputs.forEach(({ tensor }, i) => {
        const time = 2 * t + (yields[i] ? 0 : 1);
        const { lo, hi } = firings.reads(i, this.#nth[t]);
        if (hi <= lo) return;
        const before = seen[this.sequence[t]][i];
        if (before.lo === before.hi) this.#markLast(tensor, { lo, hi }, time);
        else {
          this.#markLast(tensor, { lo, hi: Math.min(hi, before.lo) }, time);
          this.#markLast(tensor, { lo: Math.max(lo, before.hi), hi }, time);
        }
        seen[this.sequence[t]][i] =
          before.lo === before.hi ? { lo, hi } : { lo: Math.min(lo, before.lo), hi: Math.max(hi, before.hi) };
      });
    }
  }

  #all(tensor: TensorId): PixelRange {
    return { lo: 0, hi: this.#siteOf(tensor).pixels };
  }

  #lastOf(root: TensorId): Int32Array {
    const known = this.#last.get(root);
    if (known) return known;
    const made = new Int32Array(elementCount(this.#planned.graph.tensors[root].shape)).fill(-1);
    this.#last.set(root, made);
    return made;
  }

  #markLast(tensor: TensorId, { lo, hi }: PixelRange, time: number): void {
    const place = this.#planned.storage.places[tensor];
    const { channels, region } = this.#siteOf(tensor);
    if (bankOf(region) === undefined) return;
    const last = this.#lastOf(place.root);
    for (let p = lo; p < hi; p++) {
      const from = elementAt(place, p);
      for (let e = from; e < from + channels; e++) if (last[e] < time) last[e] = time;
    }
  }

  /** The rights of one firing; what it writes is there afterwards. */
  fire(t: number): readonly Right[] {
    this.#rights = [];
    const actor = this.#actors[this.sequence[t]];
    const { shape, firings } = actor;
    const n = this.#nth[t];
    firings.inputs.forEach(({ tensor }, i) => {
      this.#read(tensor, firings.reads(i, n));
    });
    const ends = shape.fold && n + 1 < this.#fires[this.sequence[t]] ? FOREVER : 2 * t + 1;
    this.#claim(shape.scratch, -actor.number - 1, t, ends, shape.fold === true && n > 0);
    this.#claim(shape.staged, -actor.number - 1, t, 2 * t + 1, false);
    for (const id of firings.outputs)
      if (elementCount(this.#planned.graph.tensors[id].shape) > 0) this.#write(id, firings.writes(n), t);
    return this.#rights;
  }

  /** Outputs that stand in the arena are read when all is over. */
  leave(): readonly Right[] {
    this.#rights = [];
    if (this.#plan.policy.output === 'whole')
      for (const { tensor } of this.#planned.graph.outputs)
        if (!this.#planned.graph.tensors[tensor].constant) this.#read(tensor, this.#all(tensor));
    return this.#rights;
  }

  #grant(bank: number, from: number, to: number, right: number): void {
    const before = this.#rights.at(-1);
    if (before && before.bank === bank && before.right === right && before.to === from) before.to = to;
    else this.#rights.push({ bank, from, to, right });
  }

  #read(tensor: TensorId, { lo, hi }: PixelRange): void {
    const site = this.#siteOf(tensor);
    const bank = bankOf(site.region);
    if (bank === undefined) return;
    const place = this.#planned.storage.places[tensor];
    const { owner, element } = this.#banks[bank];
    const { channels, cellBytes } = site;
    for (let p = lo; p < hi; p++) {
      const first = elementAt(place, p);
      const start = byteOf(site, p);
      for (let c = 0; c < channels; c++) {
        const at = start + c * cellBytes;
        if (owner[at] !== place.root + 1 || element[at] !== first + c) continue;
        if (owner[at + cellBytes - 1] !== place.root + 1 || element[at + cellBytes - 1] !== first + c)
          continue;
        this.#grant(bank, at, at + cellBytes, READ);
      }
    }
  }

  #write(tensor: TensorId, { lo, hi }: PixelRange, t: number): void {
    const site = this.#siteOf(tensor);
    const bank = bankOf(site.region);
    if (bank === undefined) return;
    const place = this.#planned.storage.places[tensor];
    const last = this.#lastOf(place.root);
    const { owner, element, until } = this.#banks[bank];
    for (let p = lo; p < hi; p++) {
      const first = elementAt(place, p);
      const start = byteOf(site, p);
      for (let i = 0; i < site.channels * site.cellBytes; i++) {
        const at = start + i;
        const e = first + Math.floor(i / site.cellBytes);
        const mine = owner[at] === place.root + 1 && element[at] === e;
        if (until[at] > 2 * t && !mine) continue;
        owner[at] = place.root + 1;
        element[at] = e;
        until[at] = last[e];
        this.#grant(bank, at, at + 1, READ + WRITE + FILL);
      }
    }
  }

  #claim(buffer: number | undefined, who: number, t: number, ends: number, held: boolean): void {
    if (buffer === undefined) return;
    const { offset, bytes, bank: name } = this.#plan.buffers[buffer];
    const bank = banksOf(this.#plan).findIndex((b) => b.name === name);
    const { owner, until } = this.#banks[bank];
    for (let at = offset; at < offset + bytes; at++) {
      if (held ? owner[at] !== who : until[at] > 2 * t) continue;
      owner[at] = who;
      until[at] = ends;
      this.#grant(bank, at, at + 1, READ + WRITE);
    }
  }
}
