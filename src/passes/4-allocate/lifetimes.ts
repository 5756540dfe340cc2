/**
 * What a firing sequence keeps alive, and when. Rows are written and freed in order, so in the address-time
 * plane each buffer is a staircase: at any time the bytes [lo, hi) of it are live.
 */

import type { Network, RootInfo } from '../3-schedule/steps.ts';
import type { SpanSchedule } from '../3-schedule/stream.ts';
import type { FiringTable, Mode } from '../3-schedule/tables.ts';
import { inPlacePairs, startsOf } from './in-place.ts';
import { block, type Frame, pieceTimesOf, singles } from './pieces.ts';

/**
 * One thing that needs an address. Times are half firings: 2t while firing t runs (what it writes is there, what
 * it reads still is), 2t + 1 when it is over.
 */
export interface Lifetime {
  readonly name: string;
  /** Root index, or undefined for working memory. */
  readonly root?: number;
  /** Which piece of the root this is, where its rows are placed one by one. */
  readonly piece?: number;
  /** Step whose working memory this is. */
  readonly step?: number;
  /** The step's runs are staged here. */
  readonly staging?: boolean;
  readonly bytes: number;
  /** Elements, where the buffer is a ring smaller than its tensor. */
  readonly ring?: number;
  /** Live during [birth, death). */
  readonly birth: number;
  readonly death: number;
  /** From times[i] on, bytes [lo[i], hi[i]) are live. */
  readonly times: Int32Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/** The output of a step may be written over an input, element by element, in each of its firings. */
export interface InPlacePair {
  /** Indices into the lifetimes. */
  readonly output: number;
  readonly input: number;
  /** Where others write into the output too: when this step does, and from which byte on. */
  readonly starts?: ReadonlyMap<number, number>;
}

export interface Timeline {
  readonly lifetimes: readonly Lifetime[];
  readonly inPlace: readonly InPlacePair[];
  /** Steps in firing order. */
  readonly sequence: Int32Array;
  readonly modes: readonly Mode[];
  /** By step: fires from the last run to the first. Left out: none does. */
  readonly reverse?: readonly boolean[];
  /** Root index -> elements of a piece, for the roots whose rows are placed one by one. */
  readonly pieces?: ReadonlyMap<number, number>;
}

class Growing {
  readonly times: number[] = [];
  readonly lo: number[] = [];
  readonly hi: number[] = [];
  birth = -1;
  death = -1;

  set(time: number, lo: number, hi: number): void {
    const last = this.times.length - 1;
    if (last >= 0 && this.times[last] === time) {
      this.lo[last] = lo;
      this.hi[last] = hi;
      return;
    }
    if (last >= 0 && this.lo[last] === lo && this.hi[last] === hi) return;
    this.times.push(time);
    this.lo.push(lo);
    this.hi.push(hi);
  }
}

export interface TimelineOptions {
  /** Rows of tensors between spans are placed one by one too, wherever that can be. */
  readonly everyRowApart?: boolean;
}

/** Lifetimes of everything that the spans' sequences use. */
export function timelineOf(
  network: Network,
  spans: readonly SpanSchedule[],
  { everyRowApart = false }: TimelineOptions = {},
): Timeline {
  const { steps, roots } = network;
  const modes: Mode[] = steps.map(() => 'whole');
  const staged = steps.map(() => false);
  const reverse = steps.map(() => false);
  const rings = new Map<number, number>();
  const pieces = new Map<number, number>();
  for (const span of spans) {
    for (let s = span.first; s <= span.last; s++) {
      modes[s] = span.modes?.[s - span.first] ?? span.mode;
      staged[s] = span.staged ?? false;
      reverse[s] = span.reverse ?? false;
    }
    for (const [root, ring] of span.rings) if (ring < roots[root].elements) rings.set(root, ring);
    for (const [root, piece] of span.pieces ?? []) pieces.set(root, piece);
  }
  if (everyRowApart) {
    roots.forEach((r, i) => {
      if (!rings.has(i) && mayLieInRows(network, r)) pieces.set(i, r.rowElements);
    });
  }
  const before = spans.length > 0 ? spans[0].first : steps.length;
  const sequence = joinSequences(before, spans);
  const total = new Int32Array(steps.length);
  for (const s of sequence) total[s]++;
  const fired = new Int32Array(steps.length);
  const lives = roots.map(() => new Growing());
  const tables = steps.map((_, s) => network.table(s, modes[s], reverse[s]));
  const work: (Growing | undefined)[] = tables.map((t) => (t.workspaceBytes > 0 ? new Growing() : undefined));
  const stages: (Growing | undefined)[] = tables.map((t, s) =>
    staged[s] && t.stagingBytes > 0 ? new Growing() : undefined,
  );
  // Written from the end: what lies below is not there yet. Read from the end: what lies above is not needed.
  const written = roots.map((r) => (r.writers.every((s) => tables[s].shape.reverse) ? r.elements : 0));
  const fromEnd = roots.map((r) => r.readers.some((s) => tables[s].shape.reverse));
  const high = roots.map(() => 0);
  const readers: { step: number; lo: Int32Array; end?: Int32Array; upTo?: Int32Array }[][] = roots.map(
    () => [],
  );
  tables.forEach(({ reads }, step) => {
    for (const { root, lo, end, upTo } of reads) readers[root].push({ step, lo, end, upTo });
  });
  // What nobody reads needs its room only while it is written.
  const { low, needed } = readParts(roots, tables, readers, total);
  const pieceTimes = new Map([...pieces].map(([root, piece]) => [root, pieceTimesOf(roots[root], piece)]));
  // Inputs that are there from the start are there all together, whatever is read of them.
  const given = [...new Set(tables.slice(0, before).flatMap((t) => t.writes.map((w) => w.root)))];
  const release = () => {
    for (const root of given) {
      const live = lives[root];
      live.death = Math.max(live.death, 2 * before);
      const top = Math.min(high[root], needed[root]);
      live.set(2 * before, Math.min(low[root], top), top);
    }
  };
  /** By step that writes in place where others write too: when, and from which byte on. */
  const starts = startsOf(network, tables);
  const end = 2 * sequence.length + 2;
  for (let t = 0; t < sequence.length; t++) {
    if (t === before) release();
    const s = sequence[t];
    const table = tables[s];
    const f = fired[s]++;
    const w = work[s];
    if (w) {
      if (w.birth < 0) w.birth = 2 * t;
      w.death = 2 * t + 1;
    }
    const stage = stages[s];
    if (stage) {
      if (stage.birth < 0) stage.birth = 2 * t;
      // It is copied when the firing's reads are over.
      stage.death = 2 * t + 2;
    }
    for (const { root, lo, hi } of table.writes) {
      const live = lives[root];
      if (live.birth < 0) live.birth = stage ? 2 * t + 1 : 2 * t;
      if (hi[f] > high[root]) high[root] = hi[f];
      const now = stage ? 2 * t + 1 : 2 * t;
      pieceTimes.get(root)?.write(lo[f], hi[f], now);
      starts.get(s)?.set(now, lo[f] * roots[root].elementBytes);
      if (lo[f] < written[root]) written[root] = lo[f];
      live.death = now + 1;
      if (t < before) {
        live.set(now, 0, high[root]);
        continue;
      }
      const from = Math.max(low[root], written[root]);
      const top = Math.min(high[root], needed[root]);
      live.set(now, Math.min(from, lo[f], high[root]), Math.max(top, hi[f]));
      live.set(now + 1, Math.min(from, top), top);
    }
    for (const { root, lo, upTo } of table.reads) {
      const live = lives[root];
      // Where it is also what is being written, what was staged is still on its way.
      const over = stage && table.writes[0].root === root ? 2 * t + 2 : 2 * t + 1;
      live.death = over;
      const part = upTo ? readUntil(lo, upTo, f, total[s]) : roots[root].elements;
      pieceTimes.get(root)?.read(upTo ? lo[f] : 0, part, over);
      if (roots[root].kept) continue;
      let least = roots[root].elements;
      let to = 0;
      for (const r of readers[root]) {
        const next = fired[r.step] < total[r.step] ? r.lo[fired[r.step]] : roots[root].elements;
        if (next < least) least = next;
        if (fired[r.step] < total[r.step]) to = Math.max(to, r.end?.[fired[r.step]] ?? roots[root].elements);
      }
      if (least > low[root]) low[root] = least;
      if (fromEnd[root] && to < needed[root]) needed[root] = to;
      const top = Math.min(high[root], needed[root]);
      live.set(over, Math.min(Math.max(low[root], written[root]), top), top);
    }
  }
  if (sequence.length === before) release();
  const lifetimes: Lifetime[] = [];
  const indexOfRoot = new Map<number, number>();
  const piecesOf = new Map<number, number>();
  roots.forEach((r, i) => {
    const live = lives[i];
    if (live.birth < 0) {
      // Never made, but a step that fires names it: an address for nothing.
      const elements = r.pixelGranule || r.elements;
      const ring = elements < r.elements ? { ring: elements } : {};
      const bytes = elements * r.elementBytes;
      if (r.readers.some((s) => fired[s] > 0))
        lifetimes.push({
          ...block({ name: r.name, root: i, ...ring, bytes, birth: 0, death: 0 }),
          hi: Int32Array.of(0),
        });
      return;
    }
    const piece = pieces.get(i);
    if (piece !== undefined) {
      piecesOf.set(i, lifetimes.length);
      lifetimes.push(...singles(i, r, piece, pieceTimes.get(i)!));
      return;
    }
    indexOfRoot.set(i, lifetimes.length);
    const ring = rings.get(i);
    const death = r.kept ? end : live.death;
    lifetimes.push(
      ring === undefined
        ? staircase({ name: r.name, root: i, bytes: r.bytes, birth: live.birth, death }, live, r.elementBytes)
        : block({ name: r.name, root: i, ring, bytes: ring * r.elementBytes, birth: live.birth, death }),
    );
  });
  work.forEach((w, s) => {
    if (!w || w.birth < 0) return;
    const bytes = tables[s].workspaceBytes;
    lifetimes.push(block({ name: `${steps[s].name}/work`, step: s, bytes, birth: w.birth, death: w.death }));
  });
  stages.forEach((w, step) => {
    if (!w || w.birth < 0) return;
    const { birth, death } = w;
    const bytes = tables[step].stagingBytes;
    lifetimes.push(block({ name: `${steps[step].name}/staged`, step, staging: true, bytes, birth, death }));
  });
  // What is staged is written when its reads are over: no need to follow them element by element.
  const direct = tables.map((t, s) => (staged[s] ? { ...t, reads: [] } : t));
  const inPlace = inPlacePairs(network, direct, lifetimes, {
    whole: indexOfRoot,
    pieces: piecesOf,
    rings,
    pieceElements: pieces,
    starts,
  });
  return { lifetimes, inPlace, sequence, modes, pieces, ...(reverse.includes(true) ? { reverse } : {}) };
}

/** Inputs that are there from the start arrive first, then the spans run one after another. */
function joinSequences(before: number, spans: readonly SpanSchedule[]): Int32Array {
  const length = before + spans.reduce((n, s) => n + s.sequence!.length, 0);
  const out = new Int32Array(length);
  for (let s = 0; s < before; s++) out[s] = s;
  let at = before;
  for (const span of spans) {
    out.set(span.sequence!, at);
    at += span.sequence!.length;
  }
  return out;
}

/** Rows may lie apart where nothing takes the tensor in one piece and nobody outside hands it over or takes it away. */
function mayLieInRows(
  { steps }: Network,
  { writers, pixelGranule, rowElements, elements, ...r }: RootInfo,
): boolean {
  const rows = pixelGranule > 0 && rowElements % pixelGranule === 0 && rowElements < elements;
  return rows && !r.kept && !r.external && writers.every((s) => steps[s].kind === 'operator');
}

/** One past what is given up with what firing f read: what the next one passes over too, as far as anything is read. */
function readUntil(lo: Int32Array, upTo: Int32Array, f: number, total: number): number {
  return f + 1 < total ? Math.max(upTo[f], Math.min(lo[f + 1], upTo[total - 1])) : upTo[f];
}

/**
 * By root: the part of it that anybody reads, as elements [low, needed). All of it where it stays, or where a reader's
 * table does not say; to its end where it is written over an input, so that it grows with what it is written over.
 */
function readParts(
  roots: readonly RootInfo[],
  tables: readonly FiringTable[],
  readers: readonly { step: number; lo: Int32Array; end?: Int32Array; upTo?: Int32Array }[][],
  total: Int32Array,
): { low: number[]; needed: number[] } {
  const low = roots.map((r) => r.elements);
  const needed = roots.map(() => 0);
  roots.forEach((r, i) => {
    for (const { step, lo, end, upTo } of readers[i]) {
      if (total[step] === 0) continue;
      low[i] = Math.min(low[i], upTo ? lo[0] : 0);
      needed[i] = Math.max(needed[i], upTo?.[total[step] - 1] ?? end?.[0] ?? r.elements);
    }
    if (r.kept) low[i] = 0;
    const over = r.writers.some((s) => tables[s].reads.some((read) => read.inPlace));
    if (r.kept || over || low[i] >= needed[i]) needed[i] = r.elements;
  });
  return { low, needed };
}

function staircase(frame: Frame, live: Growing, elementBytes: number): Lifetime {
  const scale = (values: readonly number[]) => Int32Array.from(values, (v) => v * elementBytes);
  return { ...frame, times: Int32Array.from(live.times), lo: scale(live.lo), hi: scale(live.hi) };
}
